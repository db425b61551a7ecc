"""The gathered runtime: its size, its hashes, and what happens when something is missing."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from live_book.runtime import RuntimeNotGathered, gather, place
from live_book.runtime import _jobs as jobs

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "live_book" / "runtime"
DOWNLOADS = ROOT / ".cache" / "live_book" / "downloads"
LIMIT = 25_000_000  # bytes: what the issue allows the site to spend on Python
SMALL = {"idna", "h11", "comm"}  # enough to try out what does not depend on the package


@pytest.fixture(scope="session")
def runtime() -> Path:
    """The whole runtime, gathered once into the checkout's own cache."""
    return gather(ROOT)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh copy of what is packed, with nothing gathered yet."""
    return copy_checkout(tmp_path / "checkout")


@pytest.fixture
def small_pins(tmp_path: Path, runtime: Path) -> Path:
    """Pins of three small wheels, which are in the checkout's downloads."""
    pins = json.loads((PACKAGE / "pins.json").read_text("utf-8"))
    pins["wheels"] = [wheel for wheel in pins["wheels"] if wheel["name"] in SMALL]
    return write_json(tmp_path / "pins.json", pins)


def copy_checkout(folder: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("helpers", "live_book/page_kernel"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def write_json(file: Path, content: object) -> Path:
    file.write_text(json.dumps(content), "utf-8")
    return file


def only_node(folder: Path) -> Path:
    """A folder for PATH with Node in it, and no npm."""
    folder.mkdir()
    (folder / "node").symlink_to(shutil.which("node"))
    return folder


def without_network(folder: Path) -> dict[str, str]:
    """Settings with which pip and npm reach nothing."""
    return {
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull,
        "npm_config_offline": "true", "npm_config_cache": str(folder / "npm"),
    }  # fmt: skip


def contents(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def one_sentence(error: pytest.ExceptionInfo[RuntimeNotGathered]) -> str:
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text
    assert not re.search(r"[.!?] [A-Z]", text), text
    assert "build again" in text or "run this again" in text
    return text


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text("utf-8"))


def test_core_fits_into_25_megabytes(runtime):
    manifest = manifest_of(runtime)
    core = sum(manifest["files"].values()) + (runtime / "manifest.json").stat().st_size
    core += sum(one["bytes"] for one in manifest["packages"].values() if one["core"])
    assert core <= LIMIT
    assert {"fastapi", "httpx", "anywidget"} <= core_imports(manifest)


def core_imports(manifest: dict) -> set[str]:
    return {name for one in manifest["packages"].values() if one["core"] for name in one["imports"]}


def test_the_folder_holds_what_it_lists_and_nothing_else(runtime):
    manifest = manifest_of(runtime)
    listed = dict(manifest["files"]) | {"manifest.json": (runtime / "manifest.json").stat().st_size}
    listed |= {one["file"]: one["bytes"] for one in manifest["packages"].values()}
    assert {file.name: file.stat().st_size for file in runtime.iterdir()} == listed


def test_the_lock_file_names_each_wheel_by_its_hash(runtime):
    lock = json.loads((runtime / "pyodide-lock.json").read_text("utf-8"))
    packages = lock["packages"]
    assert {one["file_name"] for one in packages.values()} == {
        p.name for p in runtime.glob("*.whl")
    }
    for one in packages.values():
        data = (runtime / one["file_name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == one["sha256"], one["name"]
        assert set(one["depends"]) <= packages.keys(), one["name"]


def test_wheels_list_their_files_with_the_right_hashes(runtime):
    for file in runtime.glob("*.whl"):
        with zipfile.ZipFile(file) as wheel:
            assert wheel.testzip() is None
            names = wheel.namelist()
            record = next(name for name in names if name.endswith(".dist-info/RECORD"))
            rows = [line.rsplit(",", 2) for line in wheel.read(record).decode().splitlines()]
            assert sorted(row[0] for row in rows) == sorted(names)
            for name, digest, size in rows:
                if name != record:
                    data = wheel.read(name)
                    expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
                    assert digest == "sha256=" + expected.decode().rstrip("="), name
                    assert int(size) == len(data)


def test_fetched_files_are_the_pinned_ones(runtime):
    pins = json.loads((PACKAGE / "pins.json").read_text("utf-8"))
    for wheel in pins["wheels"]:
        data = (DOWNLOADS / wheel["sha256"][:16] / wheel["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == wheel["sha256"]
    (tarball,) = DOWNLOADS.glob(f"*/pyodide-{pins['pyodide']}.tgz")
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == pins["integrity"]


def test_helpers_keep_their_sources_and_their_data(runtime):
    (wheel,) = runtime.glob("backend_fundamentals-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for file in (ROOT / "helpers").rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            assert file.relative_to(ROOT).as_posix() in names
    assert "helpers/__pycache__/__init__.cpython-314.pyc" in names
    assert not any(name.startswith("live_book/") for name in names)


def test_the_applications_of_chapter_9_are_there_with_their_tests(runtime):
    (wheel,) = runtime.glob("backend_fundamentals-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = "helpers/frameworks/apps/"
    for path in (
        "openapi.yaml",
        "flask/app.py",
        "spring_boot/src/test/java/music/SongControllerTest.java",
    ):
        assert inside + path in names
    made_by_tools = ("/node_modules/", "/target/", f"{inside}data/", ".sqlite3")
    assert not [name for name in names if any(part in name for part in made_by_tools)]


def test_of_a_wheel_for_another_platform_only_the_python_is_there(runtime):
    from live_book.runtime._pins import read_packages

    for name in read_packages()["foreign"]:
        (wheel,) = runtime.glob(f"{name}-*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        assert not [one for one in names if one.endswith((".so", ".pyd", ".c"))]
        assert any(one.endswith(".pyc") for one in names)


def test_djangos_test_client_is_there_and_its_admin_site_is_not(runtime):
    (wheel,) = runtime.glob("django-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "django/test/client.pyc" in names
    assert not [name for name in names if name.startswith("django/contrib/admin/")]


def test_gathering_again_does_nothing(runtime, monkeypatch):
    monkeypatch.setattr("live_book.runtime._gather._build", None)
    said = []
    assert gather(ROOT, say=said.append) == runtime
    assert said == []


def test_new_helpers_need_no_network(runtime, checkout, tmp_path):
    (checkout / "helpers" / "new_block.py").write_text('"""New."""\n', "utf-8")
    environment = {**os.environ, **without_network(tmp_path), "PYTHONPATH": str(ROOT)}
    environment["PATH"] = str(only_node(tmp_path / "bin"))
    code = (
        "import sys; from pathlib import Path; from live_book.runtime import gather\n"
        "print(gather(Path(sys.argv[1]), downloads=Path(sys.argv[2])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(checkout), str(DOWNLOADS)],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Gathering Python for the page (once): " in done.stdout
    made = Path(done.stdout.splitlines()[-1])
    assert made.name != runtime.name
    assert contents(made).keys() == contents(runtime).keys()
    (wheel,) = made.glob("backend_fundamentals-*.whl")
    assert "helpers/new_block.py" in zipfile.ZipFile(wheel).namelist()


@pytest.mark.slow
def test_two_checkouts_give_the_same_bytes(runtime, checkout, small_pins, tmp_path):
    """Also compiled anew by another process, and alone instead of among forty others."""
    anew = tmp_path / "anew" / "downloads"  # what is compiled is kept beside it
    anew.parent.mkdir()
    anew.symlink_to(DOWNLOADS, target_is_directory=True)
    first = gather(checkout, pins_file=small_pins, downloads=anew)
    other = copy_checkout(tmp_path / "other")
    second = gather(other, pins_file=small_pins, downloads=DOWNLOADS)
    assert first.name == second.name
    assert contents(first) == contents(second)
    whole = contents(runtime)
    for name, digest in contents(first).items():
        if name.startswith(("python_stdlib", "h11", "idna", "comm", "jedi")):
            assert digest == whole[name], name


def test_a_wheel_with_another_hash_is_refused(checkout, small_pins, tmp_path, monkeypatch):
    pins = json.loads(small_pins.read_text("utf-8"))
    wheel = next(wheel for wheel in pins["wheels"] if wheel["name"] == "idna")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    shutil.copy(DOWNLOADS / wheel["sha256"][:16] / wheel["file"], shelf)
    wheel["sha256"] = "0" * 64
    for name, value in {**without_network(tmp_path), "PIP_FIND_LINKS": str(shelf)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeNotGathered) as error:
        gather(checkout, pins_file=write_json(small_pins, pins), downloads=DOWNLOADS)
    text = one_sentence(error)
    assert "idna" in text and "hash differs" in text
    assert not (DOWNLOADS / ("0" * 16)).exists()
    assert list((checkout / ".cache" / "live_book" / "runtime").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a shell script")
def test_another_pyodide_is_refused(checkout, small_pins, tmp_path, monkeypatch):
    npm = only_node(tmp_path / "bin") / "npm"
    npm.write_text('#!/bin/sh\necho no > "$4/pyodide-1.tgz"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/bin")
    with pytest.raises(RuntimeNotGathered) as error:
        gather(checkout, pins_file=small_pins, downloads=tmp_path / "empty" / "downloads")
    assert "npm" in one_sentence(error) and "hash differs" in str(error.value)


def test_without_network_one_sentence_says_so(checkout, small_pins, tmp_path, monkeypatch):
    for name, value in without_network(tmp_path).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeNotGathered) as error:
        gather(checkout, pins_file=small_pins, downloads=tmp_path / "empty" / "downloads")
    assert "npm could not fetch pyodide" in one_sentence(error)
    assert "check the network connection" in str(error.value)

    pyodide = next(DOWNLOADS.glob("*/pyodide-*.tgz"))
    kept = tmp_path / "kept" / "downloads"
    shutil.copytree(pyodide.parent, kept / pyodide.parent.name)
    with pytest.raises(RuntimeNotGathered) as error:
        gather(checkout, pins_file=small_pins, downloads=kept)
    assert "pip could not fetch" in one_sentence(error)


def test_without_node_the_page_gets_sources(checkout, small_pins, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("live_book.runtime._node._from_package", lambda *places: [])
    made = gather(checkout, pins_file=small_pins, downloads=DOWNLOADS)
    assert "install Node" in capsys.readouterr().err
    with zipfile.ZipFile(next(made.glob("h11-*.whl"))) as wheel:
        assert "h11/_connection.py" in wheel.namelist()
        assert not any(name.endswith(".pyc") for name in wheel.namelist())
    assert "asyncio/__init__.py" in zipfile.ZipFile(made / "python_stdlib.zip").namelist()


def test_without_npm_one_sentence_says_what_to_install(checkout, small_pins, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("live_book.runtime._node._from_package", lambda *places: [])
    with pytest.raises(RuntimeNotGathered) as error:
        gather(checkout, pins_file=small_pins, downloads=tmp_path / "downloads")
    assert "npm is missing; install Node, or run" in one_sentence(error)


def test_an_interrupted_build_leaves_nothing(checkout, small_pins, monkeypatch):
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "link_or_copy", interrupted)
        with pytest.raises(KeyboardInterrupt):
            gather(checkout, pins_file=small_pins, downloads=DOWNLOADS)
    folder = checkout / ".cache" / "live_book" / "runtime"
    assert list(folder.iterdir()) == []
    made = gather(checkout, pins_file=small_pins, downloads=DOWNLOADS)
    assert list(folder.iterdir()) == [made]


def test_a_damaged_folder_is_made_anew(checkout, small_pins):
    made = gather(checkout, pins_file=small_pins, downloads=DOWNLOADS)
    before = contents(made)
    (made / "pyodide.mjs").unlink()
    assert gather(checkout, pins_file=small_pins, downloads=DOWNLOADS) == made
    assert contents(made) == before


def test_two_builds_at_once(checkout, small_pins):
    code = (
        "import sys; from pathlib import Path; from live_book.runtime import gather\n"
        "root, pins, downloads = map(Path, sys.argv[1:])\n"
        "print(gather(root, pins_file=pins, downloads=downloads))"
    )
    command = [sys.executable, "-c", code, str(checkout), str(small_pins), str(DOWNLOADS)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    made = {process.communicate()[0].splitlines()[-1] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(made) == 1
    folder = Path(made.pop())
    assert list(folder.parent.iterdir()) == [folder]


def test_place_puts_one_runtime_onto_the_site(runtime, tmp_path):
    old = tmp_path / "_runtime" / "0123456789ab"
    old.mkdir(parents=True)
    (old / "manifest.json").write_text("{}")
    for _ in range(2):
        assert place(runtime, tmp_path) == f"_runtime/{runtime.name}/"
        assert [one.name for one in (tmp_path / "_runtime").iterdir()] == [runtime.name]
        assert contents(tmp_path / "_runtime" / runtime.name) == contents(runtime)


def test_place_says_why_it_can_not(runtime, tmp_path):
    (tmp_path / "_runtime").write_text("a file where the folder belongs")
    with pytest.raises(RuntimeNotGathered) as error:
        place(runtime, tmp_path)
    one_sentence(error)


def test_a_helper_with_a_syntax_error_is_named(checkout, small_pins):
    (checkout / "helpers" / "broken.py").write_text("def (:\n")
    with pytest.raises(RuntimeNotGathered) as error:
        gather(checkout, pins_file=small_pins, downloads=DOWNLOADS)
    assert "helpers/broken.py" in one_sentence(error)
