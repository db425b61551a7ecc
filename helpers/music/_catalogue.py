"""The songs of the service, read from ``catalogue.json`` beside this file.

Every entry of that file says under ``source`` where its melody and its facts were read.
"""

from __future__ import annotations

import json
from importlib.resources import files

from ._song import Song, parse_melody


def _load() -> tuple[Song, ...]:
    entries = json.loads(files(__package__).joinpath("catalogue.json").read_text("utf-8"))
    songs = (
        Song(
            **{
                **entry,
                "melody": parse_melody(entry["melody"]),
                "aliases": tuple(entry["aliases"]),
            }
        )
        for entry in entries
    )
    return tuple(sorted(songs, key=lambda song: (song.title.casefold(), song.id)))


SONGS: tuple[Song, ...] = _load()
"""Every song of the catalogue, sorted by title."""
