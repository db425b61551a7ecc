"""Find a song by its name, the way people type names.

Case, accents and punctuation do not matter, words may be missing, and a few slips of the
fingers are forgiven. The widget in chapter 1 follows the same rules in JavaScript; a test holds
the two together.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from ._catalogue import SONGS
from ._song import Song

LONGEST_NAME = 100
"""A longer name is cut here before it is compared, so that a search takes bounded time."""

_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


class SongNotFound(LookupError):
    """No song goes by that name.

    Attributes:
        suggestions: the titles that come nearest, best first.
    """

    def __init__(self, name: str, suggestions: tuple[str, ...]) -> None:
        self.suggestions = suggestions
        shown = name if len(name) <= 60 else name[:60] + "…"
        nearest = ", ".join(suggestions)
        super().__init__(f"No song is called {shown!r}. The nearest titles are: {nearest}.")


def fold(text: str) -> str:
    """Reduce a name to what matters in a search: plain lower-case letters, digits, single blanks.

    Follows Unicode's compatibility decomposition (NFKD, Unicode Standard Annex 15) and then drops
    the combining marks, so that "Für Élise" and "fur elise" are the same.
    """
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST_NAME])
    base = "".join(c for c in decomposed if not unicodedata.category(c).startswith("M"))
    plain = (
        base.lower()
        .translate(_LETTERS)
        .replace("'", "")
        .replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    )
    return " ".join("".join(c if c in _ALPHABET else " " for c in plain).split())


_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def slips(a: str, b: str) -> int:
    """How many slips turn one text into the other.

    A slip is a letter too many, a letter missing, a wrong letter, or two neighbours swapped: the
    optimal string alignment distance (a Damerau-Levenshtein distance in which no stretch of text
    is edited twice). Costs ``len(a) * len(b)`` steps.
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def allowed_slips(length: int) -> int:
    """How many slips a name of so many letters may have: none below 4, then one in every five."""
    return 0 if length < 4 else 1 + length // 5 if length < 20 else 5


@lru_cache(maxsize=4096)
def _names(song: Song) -> tuple[str, ...]:
    return tuple(fold(name) for name in (song.title, *song.aliases))


def _rank(query: str, song: Song) -> tuple[int, int, int] | None:
    """How well a song fits, smaller is better; ``None`` if it does not fit at all.

    First comes how the name fits (0 the same, 1 the same words or some of them, 2 a few slips in
    the whole, 3 a few slips in its words), then how far off it is, then how much longer it is.
    """
    ranks = []
    words = query.split()
    composer = set(fold(song.composer).split())
    for name in _names(song):
        of_name = name.split()
        longer = abs(len(name) - len(query))
        if query == name:
            return (0, 0, 0)
        known = {word for word in words if word in of_name}
        if known and len(query) >= 3 and all(w in known or w in composer for w in words):
            ranks.append((1, len(set(of_name) - known), longer))
        if longer <= allowed_slips(len(query)):
            distance = slips(query, name)
            if distance <= allowed_slips(len(query)):
                ranks.append((2, distance, longer))
        nearest = [min(slips(word, other) for other in of_name) for word in words]
        if all(n <= allowed_slips(len(w)) for n, w in zip(nearest, words, strict=True)):
            ranks.append((3, sum(nearest), longer))
    return min(ranks, default=None)


def find_song(name: str, songs: Iterable[Song] = SONGS) -> Song:
    """The song that goes by this name.

    Args:
        name: a title or another name of the song, as a person would type it.
        songs: where to look; the catalogue unless you say otherwise.

    Raises:
        SongNotFound: nothing comes near; it carries the nearest titles.
        TypeError: the name is not text.

    >>> find_song("fur elise").title
    'Für Elise'
    """
    if not isinstance(name, str):
        raise TypeError(f"A song's name is text (str), and this is {type(name).__name__}.")
    songs = tuple(songs)
    query = fold(name)
    ranked = [(rank, song) for song in songs if query and (rank := _rank(query, song))]
    if ranked:
        return min(ranked, key=lambda pair: pair[0])[1]
    raise SongNotFound(name, _nearest_titles(query, songs))


def _nearest_titles(query: str, songs: tuple[Song, ...]) -> tuple[str, ...]:
    def distance(song: Song) -> float:
        return min(slips(query, name) / max(len(query), len(name), 1) for name in _names(song))

    return tuple(song.title for song in sorted(songs, key=distance)[:3])


def search_songs(text: str, songs: Iterable[Song] = SONGS) -> list[Song]:
    """All songs that have every word of the text in their title, other names, composer or genre.

    A word fits when one of the song's words begins with it, so "beet" finds Beethoven. An empty
    text fits every song. The order of ``songs`` is kept.
    """
    words = fold(text).split()
    if text.strip() and not words:
        return []

    def fits(song: Song) -> bool:
        have = " ".join((*_names(song), fold(song.composer), fold(song.genre))).split()
        return all(any(other.startswith(word) for other in have) for word in words)

    return [song for song in songs if fits(song)]
