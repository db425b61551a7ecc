"""The catalogue as files that a program in any language can read.

songs.json has every song but its melody, in the order of the ids; the folder audio has what the
songs sound like. All five applications read the same export.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from .. import music
from .._progress import ProgressBar
from .._recipes import cache_folder
from ._frameworks import apps_folder

FIELDS = ("id", "title", "composer", "year", "genre")
_MADE_FROM = "made-from.txt"


def export(folder: Path | None = None) -> Path:
    """Write the catalogue with all sounds, unless it is there; takes some seconds, once.

    Args:
        folder: where to; None means chapters/apps/data, where the applications look by themselves
            (or the cache, if the project's folder can't be written).

    Returns:
        The folder.
    """
    from filelock import FileLock

    folder = (folder or _usual_folder()).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    if _is_fresh(folder):
        return folder
    locks = cache_folder()
    locks.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    with FileLock(locks / f"export-{name}.lock"):
        if not _is_fresh(folder):
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".data-") as work:
                made = Path(work) / "data"
                write(made, (song.id for song in music.SONGS))
                (made / _MADE_FROM).write_text(_digest(), "utf-8")
                shutil.rmtree(folder, ignore_errors=True)
                made.rename(folder)
    return folder


def write(folder: Path, with_sound: Iterable[str]) -> None:
    """Write songs.json, and the sound of some songs.

    Args:
        folder: where to; made if it is not there.
        with_sound: the ids of songs whose sound is written too.
    """
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    songs = sorted(music.SONGS, key=lambda song: song.id)
    listed = [{name: getattr(song, name) for name in FIELDS} for song in songs]
    text = json.dumps(listed, ensure_ascii=False, indent=1)
    (folder / "songs.json").write_text(text + "\n", "utf-8")
    wanted = set(with_sound)
    bar = ProgressBar("Songs rendered for the applications", len(wanted))
    for number, song in enumerate((song for song in songs if song.id in wanted), 1):
        (folder / "audio" / f"{song.id}.wav").write_bytes(music.render_wav(song))
        bar.show(number)
    bar.end(len(wanted))


def _usual_folder() -> Path:
    apps = apps_folder()
    return apps / "data" if os.access(apps, os.W_OK) else cache_folder() / "music-data"


def _is_fresh(folder: Path) -> bool:
    try:
        return (folder / _MADE_FROM).read_text("utf-8") == _digest()
    except OSError:
        return False


def _digest() -> str:
    """Differs if the songs or the synthesiser do."""
    source = Path(music.__file__).parent
    digest = hashlib.sha256(repr(FIELDS).encode())
    for file in sorted((*source.glob("*.json"), *source.glob("_s*.py"))):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()
