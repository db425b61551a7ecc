"""Runs `jupyter lite build` with this book's settings, when something changed since the last time."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from ._lock import LOCK, write_lock
from ._notebooks import chapters_of, write_contents
from ._settings_wheel import FILE as SETTINGS
from ._settings_wheel import NAME as SETTINGS_NAME
from ._settings_wheel import write_settings_wheel

FOLDER = "lite"
KERNEL_EXTENSION = "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = (KERNEL_EXTENSION, "@jupyter-widgets/jupyterlab-manager", "anywidget")
"""What is taken of the environment's JupyterLab extensions: the kernel and the widgets."""
WHEELS = f"extensions/{KERNEL_EXTENSION}/static/pypi"
DISTRIBUTIONS = (
    "jupyterlite-core", "jupyterlite-pyodide-kernel", "anywidget", "jupyterlab-widgets",
)  # fmt: skip
NOTE = ".built-with"
_REPLY = re.compile(
    r'(msgType:"execute_reply",channel:"shell",parentHeader:(\w+)\.header,'
    r"session:\2\.header\.session,content:\w+)\}"
)
# In the browser there is one app, the notebook: what leads to others would lead nowhere.
DISABLED = (
    "@jupyter-notebook/application-extension:logo",
    "@jupyter-notebook/lab-extension:interface-switcher",
    "@jupyter-notebook/lab-extension:launch-tree",
    "@jupyter-notebook/tree-extension",
    "@jupyterlite/notebook-application-extension:logo",
    "@jupyterlab/apputils-extension:announcements",
    # Without it Python has files of its own, no chapter needs the notebook's folder, and every
    # import is quicker: the worker would ask for each file through a request that waits.
    "@jupyterlite/application-extension:service-worker-manager",
    "@jupyterlab/extensionmanager-extension",
)
# Icon fonts in formats that no browser with WebAssembly asks for, and build leftovers.
UNUSED = ("build/*.eot", "build/*.svg", "build/*.ttf", "rspack.config*.js", "package.json")


class LiteNotBuilt(RuntimeError):
    """JupyterLite could not be built. The message says why and what to do."""


def extension_folders() -> list[Path]:
    """Where this environment keeps the extensions of `EXTENSIONS`.

    Raises:
        LiteNotBuilt: one is missing.
    """
    parent = Path(sys.prefix, "share", "jupyter", "labextensions")
    folders = [parent / name for name in EXTENSIONS]
    for folder in folders:
        if not (folder / "package.json").is_file():
            raise LiteNotBuilt(
                f"JupyterLite needs the extension {folder.relative_to(parent).as_posix()}, which "
                "is not in this environment. Run: python -m pip install -r requirements.txt"
            )
    return folders


def fingerprint(root: Path, cache: Path, runtime_path: str) -> str:
    """A hash of everything that the built JupyterLite depends on."""
    digest = sha256(f"{sys.version}\n{runtime_path}".encode())
    for name in DISTRIBUTIONS:
        digest.update(f"{name} {metadata.version(name)}\n".encode())
    chapters = chapters_of(root)
    files = [*Path(__file__).parent.glob("*.py"), *(root / "helpers").rglob("*.py"), *chapters]
    files += [path for chapter in chapters for path in chapter.parent.rglob("*.svg")]
    files += sorted(cache.rglob("*.ipynb"))
    for file in sorted({file for file in files if file.is_file()}):
        digest.update(file.name.encode() + b"\0" + sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def build(root: Path, outdir: Path, runtime_url_path: str) -> None:
    """Build JupyterLite into `<outdir>/lite/`, unless it is there and nothing has changed.

    Args:
        root: the book's folder, with `_toc.yml`, `helpers/` and `_build/`.
        outdir: the folder of the built book.
        runtime_url_path: the runtime's address below the site's root, `_runtime/<digest>/`.

    Raises:
        LiteNotBuilt: a package is missing, or `jupyter lite build` failed.
    """
    runtime_path = runtime_url_path.strip("/")
    cache = root / "_build" / ".jupyter_cache"
    target = outdir / FOLDER
    if not (outdir / runtime_path / LOCK).is_file():
        raise LiteNotBuilt(
            f"There is no Python in {outdir / runtime_path} for JupyterLite to start. Build the "
            "book first: make book"
        )
    try:
        now = fingerprint(root, cache, runtime_path)
    except metadata.PackageNotFoundError as error:
        raise LiteNotBuilt(
            f"JupyterLite needs the package {error.name}, which is not in this environment. "
            "Run: python -m pip install -r requirements.txt"
        ) from error
    note = target / NOTE
    if note.is_file() and note.read_text("utf-8") == now:
        return
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        _run_lite(root, cache, Path(scratch))
        built = Path(scratch, "out")
        _prune(built)
        _run_past_expected_errors(built)
        _configure(root, outdir, built, runtime_path)
        shutil.copytree(built, target)
    note.write_text(now, "utf-8")


def _run_lite(root: Path, cache: Path, folder: Path) -> None:
    (folder / "contents").mkdir()
    write_contents(root, cache, folder / "contents")
    config = {
        "lite_dir": os.fspath(folder),
        "output_dir": os.fspath(folder / "out"),
        "contents": ["contents"],
        "apps": ["notebooks"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "ignore_sys_prefix": ["federated_extensions", "translation"],
        "federated_extensions": [os.fspath(path) for path in extension_folders()],
    }
    (folder / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": config}))
    done = subprocess.run(
        [sys.executable, "-m", "jupyterlite_core", "build"],
        cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False,
        env={**os.environ, "PYTHONUTF8": "1", "JUPYTER_NO_CONFIG": "1"},
    )  # fmt: skip
    if done.returncode or not (folder / "out" / "notebooks" / "index.html").is_file():
        raise LiteNotBuilt(
            "JupyterLite was not built; its last words were:\n"
            + "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        )


def _prune(built: Path) -> None:
    for pattern in UNUSED:
        for path in built.glob(pattern):
            path.unlink()


def _run_past_expected_errors(built: Path) -> None:
    """Let "Run all" go on after a cell that is meant to fail, as it does in JupyterLab.

    JupyterLab sends `stop_on_error: false` with a cell tagged `raises-exception` (Jupyter messaging
    protocol, "Execute"). JupyterLite 0.8 throws away every waiting cell after any error, unless its
    reply says that the reader interrupted it; here the reply says so for these cells.
    """
    changed = 0
    for path in (built / "build").glob("*.js"):
        text = path.read_text("utf-8")
        if "execute_reply" in text:
            instead = r'\1,metadata:!1===\2.content.stop_on_error?{cause:"interrupt"}:{}}'
            text, count = _REPLY.subn(instead, text)
            if count:
                path.write_text(text, "utf-8")
                changed += count
    if changed != 1:
        raise LiteNotBuilt(
            f"This version of JupyterLite ({metadata.version('jupyterlite-core')}) replies to cells "
            "in another way, and a cell that is meant to fail would end Run all. Install the version "
            "that requirements.lock names, or mend live_book/lite/_build.py."
        )


def _configure(root: Path, outdir: Path, built: Path, runtime_path: str) -> None:
    """Write the settings that a reader's browser loads; addresses are relative to the site."""
    wheels = {f"{WHEELS}/{path.name}": path for path in (built / WHEELS).glob("*.whl")}
    wheels[f"{WHEELS}/{SETTINGS}"] = write_settings_wheel(built / WHEELS)
    preloaded = write_lock(
        outdir / runtime_path, built / LOCK, f"../{runtime_path}/", wheels,
        sorted((root / "helpers").rglob("*.py")),
    )  # fmt: skip
    path = built / "jupyter-lite.json"
    settings: dict[str, Any] = json.loads(path.read_text("utf-8"))
    config = settings["jupyter-config-data"]
    config["appName"] = "Notebook"
    # lite/ itself has nothing to show, so its index leads to the book
    config["appUrl"] = "./../"
    config["exposeAppInBrowser"] = True  # as `jupyterapp`; the tests read the notebook through it
    config["disabledExtensions"] = list(DISABLED)
    plugins = config.setdefault("litePluginSettings", {})
    kernel = plugins.setdefault(f"{KERNEL_EXTENSION}:kernel", {})
    kernel |= {
        "pyodideUrl": f"./../{runtime_path}/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"lockFileURL": f"./{LOCK}", "packages": [*preloaded, SETTINGS_NAME]},
    }
    path.write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
