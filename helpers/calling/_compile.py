"""Makes Python of a .proto file, with protoc as grpcio-tools brings it."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from .._told import Told

MUSIC_PROTO = Path(__file__).parent / "music.proto"
"""The functions of the music service, and the messages that they take and give."""

LONGEST = 60  # seconds that protoc may take; it decides only when one that hangs is given up

_made: dict[str, tuple[str, tuple[ModuleType, ModuleType]]] = {}  # by name: the text, the modules
_lock = threading.Lock()


class ProtoError(Told, ValueError):
    """protoc can't make Python of this text, or this Python process has another one of its name."""


def compile_proto(source: Path | str, name: str = "") -> tuple[ModuleType, ModuleType]:
    """Make two modules of a .proto file, and import them.

    The same text gives the same modules again. A process keeps what it once knows of a name, so a
    changed text needs another name and another ``package``, or a new process.

    Args:
        source: the file, or its text.
        name: of the file, without ``.proto``, where `source` is a text; small letters, digits, and
            underscores.

    Returns:
        ``NAME_pb2``, with a class for each message, and ``NAME_pb2_grpc``, with the service: a Stub
        for the client, and a Servicer for the server to build on.

    Raises:
        ProtoError: the text is not correct, with protoc's own words; or its name is taken.
        OSError: the file can't be read.
    """
    if isinstance(source, Path):
        source, name = source.read_text("utf-8"), name or source.stem
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ProtoError(f"A .proto needs a name such as 'music', and {name!r} is none.")
    with _lock:
        known, modules = _made.get(name, ("", None))
        if modules and known == source:
            return modules
        if modules or f"{name}_pb2" in sys.modules:
            raise ProtoError(
                f"This Python knows another {name}.proto already. Restart the kernel, or give this "
                "one another name and another package."
            )
        modules = _compile(source, name)
        _made[name] = source, modules
        return modules


def _compile(source: str, name: str) -> tuple[ModuleType, ModuleType]:
    with TemporaryDirectory(prefix="proto-") as folder:
        Path(folder, f"{name}.proto").write_text(source, "utf-8")
        options = [f"-I{folder}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
        done = subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", *options, f"{name}.proto"],
            capture_output=True,
            text=True,
            timeout=LONGEST,
            cwd=folder,
        )
        if done.returncode:
            said = done.stderr.replace(f"{folder}{os.sep}", "").strip()
            raise ProtoError(f"protoc says: {said}")
        return _imported(folder, f"{name}_pb2"), _imported(folder, f"{name}_pb2_grpc")


def _imported(folder: str, name: str) -> ModuleType:
    """The module, from a folder that will soon be gone; what it was made of stays readable."""
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(name)
    except TypeError as error:  # another file has defined the same names in this process
        sys.modules.pop(name, None)
        raise ProtoError(
            "This Python knows another service of this package already. Restart the kernel, or give "
            "this one another package."
        ) from error
    finally:
        sys.path.remove(folder)
    module.SOURCE = Path(folder, f"{name}.py").read_text("utf-8")  # type: ignore[attr-defined]
    return module
