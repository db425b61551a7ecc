"""The wheels that are made here: the course's helpers, and stubs for what is left out."""

from __future__ import annotations

import ast
import io
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from helpers._recipes import files_of

from ._errors import RuntimeNotGathered
from ._pins import Pins, Wheel

COURSE = "backend-fundamentals"
KERNEL = "page-kernel"
_KERNEL_MODULE = "page_kernel/"
_STUB_VERSION = "99"  # no package that asks for a version asks for a newer one
_EXPORTED = "data/"  # beside the applications: made by `python -m helpers.frameworks`
_PACKED = (
    ("helpers", "helpers"),
    ("helpers/frameworks/apps", "chapters/apps"),
    ("page_kernel", "live_book/page_kernel"),
)


def sources(root: Path) -> dict[str, bytes]:
    """The files that readers import, by their path inside the wheel.

    They are read once, so that the digest names what was packed even while somebody edits them.
    """
    found = {}
    for package, folder in _PACKED:
        for path in files_of(root / folder):
            if not path.startswith(_EXPORTED):
                found[f"{package}/{path}"] = (root / folder / path).read_bytes()
    return found


def course_version(root: Path) -> str:
    """The version that the project's `pyproject.toml` names."""
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def course_wheels(files: dict[str, bytes], version: str, pins: Pins) -> list[tuple[Wheel, bytes]]:
    """The wheel of `helpers`, which is loaded when it is imported, and that of `page_kernel`.

    Each depends on the core packages that its modules import, at their top or inside a function;
    an on-demand package is not a dependency, or every page would load it.

    Raises:
        RuntimeNotGathered: a module has a syntax error.
    """
    kernel = {name: data for name, data in files.items() if name.startswith(_KERNEL_MODULE)}
    helpers = {name: data for name, data in files.items() if name not in kernel}
    made = [_wheel(COURSE, version, helpers, _depends(helpers, pins), kernel=False)]
    if kernel:
        made.append(_wheel(KERNEL, version, kernel, _depends(kernel, pins), kernel=True))
    return made


def _depends(files: dict[str, bytes], pins: Pins) -> list[str]:
    provider = {name: wheel.name for wheel in pins.wheels if wheel.core for name in wheel.imports}
    modules = {name: data for name, data in files.items() if name.endswith(".py")}
    imported = {top for name, data in modules.items() for top in imported_tops(name, data)}
    return sorted({provider[top] for top in imported if top in provider})


def stub_wheel(name: str) -> tuple[Wheel, bytes]:
    """A package whose import raises ImportError; the name is known, so nothing asks for it."""
    module = name.replace("-", "_")
    text = f'raise ImportError("{name} is left out of the page: Python here works without it")\n'
    return _wheel(name, _STUB_VERSION, {f"{module}/__init__.py": text.encode()}, [], kernel=True)


def _wheel(
    name: str, version: str, files: dict[str, bytes], depends: list[str], kernel: bool
) -> tuple[Wheel, bytes]:
    escaped = name.replace("-", "_")
    info = f"{escaped}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in depends)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    kind = "Wheel-Version: 1.0\nGenerator: live_book\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    extra = {"METADATA": metadata, "WHEEL": kind, "RECORD": ""}
    content = {**files, **{f"{info}/{file}": text.encode() for file, text in extra.items()}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # not compressed: it is packed again
        for path in sorted(content):
            archive.writestr(zipfile.ZipInfo(path), content[path])
    tops = sorted({path.split("/")[0] for path in files})
    file = f"{escaped}-{version}-py3-none-any.whl"
    return Wheel(name, version, file, "", tops, depends, kernel, True), buffer.getvalue()


def imported_tops(name: str, source: bytes) -> Iterator[str]:
    """The first part of every name that a module imports from elsewhere, also in functions."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise RuntimeNotGathered(
            f"{name} can't be packed for the page, because it is not correct Python ({error}); "
            "correct it and build again."
        ) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.split(".")[0]
