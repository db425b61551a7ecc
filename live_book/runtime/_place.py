"""Puts the gathered folder onto the site."""

from __future__ import annotations

import shutil
from pathlib import Path

from ._errors import RuntimeNotGathered
from ._files import link_or_copy, settle, unfinished

FOLDER = "_runtime"


def place(runtime: Path, outdir: Path) -> str:
    """Put a gathered folder into `<outdir>/_runtime/<digest>/`, and remove other digests there.

    Returns:
        Its address below the site's root: `_runtime/<digest>/`.

    Raises:
        RuntimeNotGathered: the folder can't be written.
    """
    parent = outdir / FOLDER
    target = parent / runtime.name
    try:
        if not target.is_dir():
            with unfinished(parent) as folder:
                for file in runtime.iterdir():
                    link_or_copy(file, folder / file.name)
                settle(folder, target)
        for other in parent.iterdir():
            if other != target:
                shutil.rmtree(other, ignore_errors=True)
    except OSError as error:
        raise RuntimeNotGathered(
            f"Python for the page could not be put into {parent} ({error}); check that there is "
            "room on the disk and that the folder is yours, and build again."
        ) from error
    return f"{FOLDER}/{runtime.name}/"
