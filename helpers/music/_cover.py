"""A picture for each song: its own melody as hills, drawn as SVG 1.1 in plain text."""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import escape
from zlib import crc32

from ._song import Song, midi_number

SIDE = 240  # of the square, in the units of the drawing
_LAYERS = ((0.42, 34), (0.58, 26), (0.76, 18))  # where a row of hills stands, and how dark it is
_DUSTY_SONGS_BEGIN = 1850  # older songs get a moon, newer ones a sun


def render_cover(song: Song) -> str:
    """A song's cover, as the text of an SVG picture: the same song, the same text.

    The melody draws the hills, a high note a peak; the key and the id choose the colours. There
    is no writing in it, so it needs no font. Its title says what it shows, to screen readers too.
    Several covers may stand in one page of HTML: the ids inside are the song's own.

    Args:
        song: a song of the catalogue, or one that is made like those.
    """
    dice = crc32(song.id.encode())
    hue = dice % 360
    warm = (hue + 30 + (dice >> 9) % 60) % 360
    sky = f"sky-{song.id}"
    name = escape(f"Cover of {song.title}, by {song.composer}")
    hills = "\n".join(
        f'<path d="{_hills(song, SIDE * at, 20 + 12 * row)}" fill="hsl({hue},45%,{light}%)"/>'
        for row, (at, light) in enumerate(_LAYERS)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" role="img">\n'
        f"<title>{name}</title>\n"
        f'<defs><linearGradient id="{sky}" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="hsl({hue},60%,{_night(song)}%)"/>'
        f'<stop offset="1" stop-color="hsl({warm},75%,72%)"/></linearGradient></defs>\n'
        f'<rect width="{SIDE}" height="{SIDE}" fill="url(#{sky})"/>\n'
        f"{_light(song, dice)}\n{hills}\n{_notes(song)}\n</svg>\n"
    )


def _night(song: Song) -> int:
    """How light the sky is above, in per cent: darker in a minor key."""
    return 26 if song.key.endswith("minor") else 42


def _light(song: Song, dice: int) -> str:
    """A sun, or for older songs a crescent: a disc, and a bite out of it."""
    x, y = 50 + (dice >> 4) % 140, 38 + (dice >> 14) % 36
    if song.year >= _DUSTY_SONGS_BEGIN:
        return f'<circle cx="{x}" cy="{y}" r="20" fill="hsl(45,95%,84%)"/>'
    return (
        f'<path d="M{x} {y - 20}a20 20 0 1 0 20 20a15 15 0 1 1 -20 -20z" fill="hsl(48,70%,90%)"/>'
    )


def _points(song: Song) -> list[tuple[float, float]]:
    """Each note's place: how far through the melody it begins, and how high it is, both 0 to 1."""
    sounding = [midi_number(note.pitch) for note in song.melody if note.pitch]
    if not sounding:
        return []
    low, span = min(sounding), max(1, max(sounding) - min(sounding))
    whole, begun, points = sum(note.beats for note in song.melody), 0.0, []
    for note in song.melody:
        if note.pitch:
            middle = (begun + note.beats / 2) / whole
            points.append((middle, (midi_number(note.pitch) - low) / span))
        begun += note.beats
    return points


def _hills(song: Song, ground: float, height: float) -> str:
    """A closed path: from note to note in soft curves, and back along the lower edge."""
    points = [(SIDE * x, ground - height * (y - 0.5) * 2) for x, y in _points(song)]
    points = [(0.0, ground), *points, (float(SIDE), ground)]
    path = f"M0 {SIDE}L0 {ground:.0f}"
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (x0 + x1) / 2
        path += f"C{bend:.1f} {y0:.1f} {bend:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
    return f"{path}L{SIDE} {SIDE}z"


def _notes(song: Song) -> str:
    """The notes themselves, as a row of small lights at the bottom."""
    return "\n".join(
        f'<circle cx="{12 + 216 * x:.1f}" cy="{226 - 24 * y:.1f}" r="2.6" '
        f'fill="hsl(48,90%,88%)" fill-opacity="0.85"/>'
        for x, y in _points(song)
    )
