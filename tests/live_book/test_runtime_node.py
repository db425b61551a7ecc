"""Python of the gathered runtime, started in Node: what it can import, and what it can't."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from live_book.runtime import gather
from live_book.runtime._pin import page_environment

ROOT = Path(__file__).resolve().parents[2]

BOOT = """
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
globalThis.fetch = () => { throw new Error("the test has no network"); };
const folder = process.argv[2];
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: folder });
const errors = [];
const quiet = { messageCallback: () => {}, errorCallback: (text) => errors.push(text) };
"""

BY_PACKAGE = (
    BOOT
    + """
await python.loadPackage("fastapi", quiet);
const fastapi = python.runPython("import fastapi; fastapi.__version__");
const loaded = Object.keys(python.loadedPackages);
await python.loadPackagesFromImports("from helpers import serve\\nimport sqlalchemy", quiet);
python.runPython("import helpers, sqlalchemy");
const later = Object.keys(python.loadedPackages);
let tkinter;
try { python.runPython("import tkinter"); } catch (error) { tkinter = error.message; }
console.log(JSON.stringify({ fastapi, loaded, errors, later, tkinter }));
"""
)

BY_HAND = (
    BOOT
    + """
const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
const site = python.runPython("import site; site.getsitepackages()[0]");
for (const one of Object.values(manifest.packages)) {
  if (!one.core) continue;
  const bytes = new Uint8Array(readFileSync(join(folder, one.file)));
  python.unpackArchive(bytes, "wheel", { extractDir: site });
}
python.globals.set("names", python.toPy(process.argv.slice(4)));
console.log(python.runPython(readFileSync(process.argv[3], "utf8")));
"""
)

ASK = """
import importlib, inspect, json, os, platform, sys, traceback, warnings
warnings.simplefilter("ignore")
answers = {"failed": {}}
for name in names:
    try:
        importlib.import_module(name)
    except ImportError as error:
        answers["failed"][name] = "".join(traceback.format_exception_only(error))

answers["environment"] = {
    "implementation_name": sys.implementation.name,
    "os_name": os.name,
    "platform_machine": platform.machine(),
    "platform_python_implementation": platform.python_implementation(),
    "platform_system": platform.system(),
    "python_full_version": platform.python_version(),
    "python_version": ".".join(platform.python_version_tuple()[:2]),
    "sys_platform": sys.platform,
}

from helpers.music import render_wav
try:
    render_wav(None)
except AttributeError:
    answers["traceback"] = traceback.format_exc()
answers["source"] = inspect.getsource(render_wav.__wrapped__)

from pygments.lexers import get_all_lexers, get_lexer_by_name, find_lexer_class
from pygments.util import ClassNotFound
answers["lexers"] = [row[0] for row in get_all_lexers() if find_lexer_class(row[0]) is None]
try:
    get_lexer_by_name("fortran")
except ClassNotFound as error:
    answers["unknown"] = str(error)
answers["json"] = type(get_lexer_by_name("json")).__name__

import IPython.lib.lexers
from IPython.core.interactiveshell import InteractiveShell
from wcwidth import wcswidth
answers["width"] = wcswidth("é音")
answers["compiled"] = importlib.import_module("asyncio.tasks").__file__

from pydantic import BaseModel
from fastapi import FastAPI
app = FastAPI()
class Song(BaseModel):
    title: str
    seconds: float | None = None
@app.post("/songs")
async def add(song: Song) -> Song: return song
answers["openapi"] = sorted(app.openapi()["components"]["schemas"])
json.dumps(answers)
"""


def in_node(folder: Path, script: str, *arguments: str) -> dict:
    if not shutil.which("node"):
        pytest.skip("Node is not here; it stands in for the browser")
    file = folder / "script.mjs"
    file.write_text(script, "utf-8")
    done = subprocess.run(
        ["node", str(file), *arguments], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def runtime() -> Path:
    return gather(ROOT)


@pytest.fixture(scope="module")
def core_names(runtime: Path) -> list[str]:
    packages = json.loads((runtime / "manifest.json").read_text("utf-8"))["packages"]
    return [name for one in packages.values() if one["core"] for name in one["imports"]]


@pytest.fixture(scope="module")
def answers(runtime: Path, core_names: list[str], tmp_path_factory) -> dict:
    """What the page's Python says, with the core packages in it."""
    folder = tmp_path_factory.mktemp("node")
    ask = folder / "ask.py"
    ask.write_text(ASK, "utf-8")
    names = [*core_names, "tkinter", "multiprocessing", "unittest.mock", "sqlite3", "ssl"]
    names += ["uvicorn.protocols.http.h11_impl"]
    return in_node(folder, BY_HAND, str(runtime), str(ask), *names)


def test_every_core_name_can_be_imported_and_nothing_else(answers, core_names):
    assert set(core_names) > {"IPython", "fastapi", "httpx", "anywidget", "helpers", "jedi"}
    # IPython imports matplotlib_inline only for `%matplotlib`, and that imports matplotlib
    assert set(answers["failed"]) == {"jedi", "tkinter", "matplotlib_inline"}


def test_what_is_left_out_says_so(answers):
    assert answers["failed"]["jedi"].startswith("ImportError: jedi is left out of the page")
    assert "No module named 'tkinter'" in answers["failed"]["tkinter"]


def test_tracebacks_and_questions_show_the_helpers_source(answers):
    assert "song.melody" in answers["traceback"]
    assert "def render_wav(song: Song) -> bytes:" in answers["source"]


def test_the_standard_library_is_compiled(answers):
    assert answers["compiled"].endswith("python314.zip/asyncio/tasks.pyc")


def test_the_kept_lexers_work_and_the_others_are_unknown(answers):
    assert answers["lexers"] == []
    assert "fortran" in answers["unknown"]
    assert answers["json"] == "JsonLexer"


def test_what_was_cut_is_not_missed(answers):
    assert answers["width"] == 3  # é is one column wide, 音 is two
    assert {"Song", "HTTPValidationError"} <= set(answers["openapi"])


def test_markers_are_judged_as_the_page_would(answers):
    expected = page_environment(answers["environment"]["python_full_version"])
    assert {name: expected[name] for name in answers["environment"]} == answers["environment"]


def test_packages_load_from_the_lock_file_without_network(runtime, tmp_path):
    """As JupyterLite loads them: by name, and by what a cell imports."""
    loaded = in_node(tmp_path, BY_PACKAGE, str(runtime))
    pins = json.loads((ROOT / "live_book/runtime/pins.json").read_text("utf-8"))["wheels"]
    assert loaded["fastapi"] == next(one["version"] for one in pins if one["name"] == "fastapi")
    assert {"starlette", "pydantic-core"} <= set(loaded["loaded"])
    assert "sqlalchemy" not in loaded["loaded"]
    assert {"backend-fundamentals", "uvicorn", "sqlalchemy"} <= set(loaded["later"])
    assert loaded["errors"] == []
    assert "'tkinter' is removed" in loaded["tkinter"]
    assert "browser limitations" in loaded["tkinter"]
