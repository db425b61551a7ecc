"""Files: hashes, links, and folders that appear whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".unfinished-"
_FORGOTTEN_AFTER = 3600  # seconds; no build takes as long


def sha256(file: Path) -> str:
    """A file's SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def integrity(file: Path) -> str:
    """A file's hash as npm writes it: `sha512-` and base64 (Subresource Integrity, section 3.1)."""
    return "sha512-" + base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()


def link_or_copy(source: Path, target: Path) -> None:
    """Put a file in a second place: a hard link where the disk can, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def unfinished(parent: Path) -> Iterator[Path]:
    """A new folder in `parent` to build something in; gone afterwards unless it was renamed.

    What a killed build left there an hour ago or earlier is removed first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f"{_UNFINISHED}*"):
        if _age(old) > _FORGOTTEN_AFTER:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settle(folder: Path, target: Path) -> None:
    """Give a finished folder its name; if another build was faster, its folder stays."""
    folder.chmod(0o755)  # mkdtemp's folders are for their owner only, and a web server may read it
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _age(path: Path) -> float:
    """Seconds since a change; 0 if another build removed or renamed it in the same moment."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0
