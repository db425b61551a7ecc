"""The widget of chapter 8: a song in nine formats, its sizes, and the bytes of one format, part by part.

The page encodes by itself, in ``format_bytes_codecs.js``, so that the widget is alive without Python.
``tests/widgets`` holds it against ``helpers.formats``, byte for byte.
"""

from __future__ import annotations

from dataclasses import replace

import anywidget
import traitlets

from helpers.music import Song, find_song

from ._module import module_text, read, without_comments

FORMATS = (
    "plain text", "CSV", "JSON", "XML", "MessagePack", "CBOR", "BSON", "Avro", "Protocol Buffers",
)  # fmt: skip
FEW = 4
"""Notes of the song that the widget begins with: more would need a screen of their own."""

CODECS = (
    "format_bytes_parts.js",
    "format_bytes_texts.js",
    "format_bytes_binary.js",
    "format_bytes_codecs.js",
)
"""The modules that write a song's bytes; the others show them."""

_MODULES = (
    "dom.js",
    "bytes.js",
    *CODECS,
    "format_bytes_song.js",
    "format_bytes_panel.js",
    "format_bytes.js",
)


class FormatBytes(anywidget.AnyWidget):
    """Edit a song, compare its sizes in nine formats, and point at the bytes of one.

    Args:
        song: a song, of which the first four notes are taken; *Für Elise* if it is left out.
        format: whose bytes are shown first: one of `FORMATS`.

    Attributes:
        format: whose bytes are shown.

    Raises:
        TypeError: the song is no `Song`.
        traitlets.TraitError: there is no such format.
    """

    _esm = without_comments(module_text(*_MODULES))
    _css = read("format_bytes.css")

    song = traitlets.Dict().tag(sync=True)
    format = traitlets.Enum(FORMATS, "JSON").tag(sync=True)

    def __init__(self, song: Song | None = None, *, format: str = "JSON") -> None:
        song = song or find_song("fur-elise")
        if not isinstance(song, Song):
            raise TypeError(f"FormatBytes takes a Song, and this is {type(song).__name__}.")
        short = replace(song, melody=song.melody[:FEW])
        super().__init__(song={**short.as_dict(), "aliases": list(song.aliases)}, format=format)
