"""Rewrites a wheel, or the zip of the standard library, for the page.

Sources become compiled code, and what no page can use goes. The result depends on nothing but the
input: names sorted, one date, one compression. This file stands alone, because it also runs inside
Pyodide: only the same Python can compile for it.
"""

from __future__ import annotations

import ast
import base64
import fnmatch
import hashlib
import importlib.util
import json
import re
import warnings
import zipfile
from importlib._bootstrap_external import _code_to_hash_pyc
from types import CodeType
from typing import Any

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold
_TEST_FOLDERS = {"test", "tests"}
_FRONT_END_FOLDERS = {"labextension", "nbextension"}  # files for a Jupyter server
_NOT_FOR_RUNNING = (".pyi", ".pyx", ".pxd", ".js.map")
_PLACES = {"wheel": "/lib/python3.14/site-packages/", "library": "/lib/python314.zip/"}


def repack(source: str, target: str, rules: str, compiled: bool = True) -> None:
    """Rewrite the zip `source` as the zip `target`.

    `rules` is a JSON object: `kind` is "wheel" or "library"; `keep_sources` says whether the
    sources stay, beside the compiled code; `keep_tests` whether folders called "test" or "tests"
    do; `leave_out` are patterns of files (as in fnmatch); `lexers` (optional) names the modules of `pygments.lexers` to keep.
    """
    asked = json.loads(rules)
    with zipfile.ZipFile(source) as archive:
        files = {one.filename: archive.read(one) for one in archive.infolist() if not one.is_dir()}
    unused = [pattern for pattern in asked["leave_out"] if not fnmatch.filter(files, pattern)]
    if unused:
        raise ValueError(f"nothing to leave out is called {', '.join(unused)}")
    files = {name: data for name, data in files.items() if _useful(name, asked)}
    if asked.get("lexers"):
        _keep_lexers(files, set(asked["lexers"]))
    if compiled:
        files = _compile_all(files, _PLACES[asked["kind"]], asked["keep_sources"])
    if asked["kind"] == "wheel":
        _write_record(files)
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name], compresslevel=9)


def _useful(name: str, asked: dict[str, Any]) -> bool:
    parts = name.split("/")
    if "__pycache__" in parts or name.endswith(_NOT_FOR_RUNNING):
        return False
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in asked["leave_out"]):
        return False
    if asked["kind"] == "library":
        return True
    inner = set(parts[1:-1])
    if parts[0].endswith(".data"):
        return bool(inner & {"purelib", "platlib"})
    tests = set() if asked["keep_tests"] else _TEST_FOLDERS
    return not inner & (tests | _FRONT_END_FOLDERS)


def _compile_all(files: dict[str, bytes], place: str, keep_sources: bool) -> dict[str, bytes]:
    result = {}
    for name, data in files.items():
        code = _compile(data, place + name) if name.endswith(".py") else None
        if code is None:
            result[name] = data
            continue
        # "unchecked": Python trusts it without looking at the source (PEP 552)
        binary = bytes(_code_to_hash_pyc(code, importlib.util.source_hash(data), False))
        if keep_sources:
            folder, _, file = name.rpartition("/")
            cached = f"__pycache__/{file[:-3]}.cpython-314.pyc"
            result[f"{folder}/{cached}" if folder else cached] = binary
            result[name] = data
        else:
            result[name + "c"] = binary
    return result


_held: list[object] = []


def _compile(source: bytes, file: str) -> CodeType | None:
    """The code of a module, or None for a file that is not Python (a template, say)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(source, file, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):
        return None
    # `marshal` marks each object that somebody else holds too, so its output would depend on which
    # names other modules use. Holding every name once more makes them all alike.
    _held.clear()
    _hold(code)
    return code


def _hold(thing: object) -> None:
    if isinstance(thing, CodeType):
        _hold((thing.co_name, thing.co_qualname, thing.co_filename, thing.co_consts))
        _hold((thing.co_names, thing.co_varnames, thing.co_freevars, thing.co_cellvars))
    elif isinstance(thing, tuple | frozenset):
        for part in thing:
            _hold(part)
    elif isinstance(thing, slice):
        _hold((thing.start, thing.stop, thing.step))
    _held.append(thing)


def _write_record(files: dict[str, bytes]) -> None:
    """List the files with their hashes (binary distribution format: the file RECORD)."""
    record = next(name for name in files if re.fullmatch(r"[^/]+\.dist-info/RECORD", name))
    for signature in (".jws", ".p7s"):
        files.pop(record + signature, None)
    lines = []
    for name in sorted(files):
        if name != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest())
            lines.append(f"{name},sha256={digest.rstrip(b'=').decode()},{len(files[name])}\n")
    files[record] = "".join([*lines, f"{record},,\n"]).encode()


def _keep_lexers(files: dict[str, bytes], wanted: set[str]) -> None:
    """Drop Pygments' other lexers, from its table of names too, so that it says ClassNotFound."""
    folder = "pygments/lexers/"
    modules = {name[len(folder) : -3]: name for name in files if name.startswith(folder)}
    unknown = wanted - modules.keys()
    if unknown:
        raise ValueError(f"pygments has no lexer module named {', '.join(sorted(unknown))}")
    table = files[modules["_mapping"]].decode()
    start = table.index("LEXERS = {")
    end = table.index("\n}\n", start) + 3
    lexers = ast.literal_eval(table[start:end].partition("=")[2].strip())
    homes = {name: row[0].rpartition(".")[2] for name, row in lexers.items()}

    keep, waiting = {"__init__", "_mapping"}, list(wanted)
    while waiting:
        module = waiting.pop()
        if module in modules and module not in keep:
            keep.add(module)
            waiting += _sibling_lexers(files[modules[module]], homes)
    for module, name in modules.items():
        if module not in keep:
            del files[name]
    kept = {name: row for name, row in lexers.items() if homes[name] in keep}
    files[modules["_mapping"]] = f"{table[:start]}LEXERS = {kept!r}\n{table[end:]}".encode()


def _sibling_lexers(source: bytes, homes: dict[str, str]) -> list[str]:
    """Which modules of `pygments.lexers` a module imports, by name or by a lexer in them."""
    package, found = "pygments.lexers", []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            found += [homes.get(alias.name, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            found.append(node.module.removeprefix(f"{package}."))
    return found
