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

# straight, typographic, and the letter in Hawaiian names such as Liliʻuokalani
_APOSTROPHES = "'\u2018\u2019\u02bb\u02bc"
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
    | dict.fromkeys(_APOSTROPHES, "")
)
_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class SongNotFound(LookupError):
    """No song goes by that name.

    Attributes:
        suggestions: the titles that come nearest, best first.
    """

    def __init__(self, name: str, suggestions: tuple[str, ...]) -> None:
        self.suggestions = suggestions
        shown = name if len(name) <= 60 else name[:60] + "…"
        nearest = ", ".join(suggestions)
        where = f"The nearest titles are: {nearest}." if suggestions else "There are no songs."
        super().__init__(f"No song is called {shown!r}. {where}")


def fold(text: str) -> str:
    """Reduce a name to what matters in a search: plain lower-case letters, digits, single blanks.

    Follows Unicode's compatibility decomposition (NFKD, Unicode Standard Annex 15) and then drops
    the combining marks, so that "Für Élise" and "fur elise" are the same. The outcome has at most
    ``LONGEST_NAME`` characters, also where one character stands for several ("㎨").
    """
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST_NAME])
    base = "".join(c for c in decomposed if not unicodedata.category(c).startswith("M"))
    plain = base.lower().translate(_LETTERS)
    words = "".join(c if c in _ALPHABET else " " for c in plain).split()
    return " ".join(words)[:LONGEST_NAME].strip()


def slips(a: str, b: str) -> int:
    """How many slips turn one text into the other.

    A slip is a letter too many, a letter missing, a wrong letter, or two neighbours swapped: the
    optimal string alignment distance (a Damerau-Levenshtein distance in which no stretch of text
    is edited twice).

    The textbook fills a table of ``len(a)`` times ``len(b)`` numbers. Neighbours in it differ by
    at most one, so a whole column fits into a few integers, a bit for each letter of ``a``, and
    is calculated at once: ``len(b)`` steps (Heikki Hyyrö, "A Bit-Vector Algorithm for Computing
    Levenshtein and Damerau Edit Distances", Nordic Journal of Computing 10, 2003).
    """
    if not a:
        return len(b)
    where: dict[str, int] = {}
    for i, letter in enumerate(a):
        where[letter] = where.get(letter, 0) | 1 << i
    everywhere, bottom = (1 << len(a)) - 1, 1 << (len(a) - 1)
    # bits of one column: one more, one less than the row above; the same as up and to the left
    more, less, same, matched_before = everywhere, 0, 0, 0
    distance = len(a)
    for letter in b:
        matched = where.get(letter, 0)
        swapped = ((~same & matched) << 1) & matched_before
        same = (((matched & more) + more) ^ more) | matched | less | swapped
        # the same two against the column to the left
        grown, shrunk = less | ~(same | more), same & more
        distance += bool(grown & bottom) - bool(shrunk & bottom)
        grown, shrunk = grown << 1 | 1, shrunk << 1
        more, less = (shrunk | ~(same | grown)) & everywhere, grown & same & everywhere
        matched_before = matched
    return distance


def allowed_slips(length: int) -> int:
    """How many slips a name of so many letters may have: none below 4, then one in every five."""
    return 0 if length < 4 else 1 + length // 5 if length < 20 else 5


_fold_of_song = lru_cache(maxsize=4096)(fold)  # what songs say of themselves comes again and again


def _names(song: Song) -> list[str]:
    return [_fold_of_song(name) for name in (song.title, *song.aliases)]


def _slips_in_words(words: list[str], of_name: list[str]) -> int | None:
    """Slips between each word and the nearest of a name; ``None`` if a word has too many."""
    total = 0
    for word in words:
        if word in of_name:
            continue
        most = allowed_slips(len(word))
        of_like_length = (w for w in of_name if most and abs(len(w) - len(word)) <= most)
        fewest = min((slips(word, other) for other in of_like_length), default=most + 1)
        if fewest > most:
            return None
        total += fewest
    return total


def _rank(query: str, song: Song) -> tuple[int, int, int] | None:
    """How well a song fits, smaller is better; ``None`` if it does not fit at all.

    First comes how the name fits (0 the same, 1 the same words or some of them, 2 a few slips in
    the whole, 3 a few slips in its words), then how far off it is, then how much longer it is.
    """
    ranks = []
    words = query.split()
    composer = set(_fold_of_song(song.composer).split())
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
        in_words = _slips_in_words(words, of_name)
        if in_words is not None:
            ranks.append((3, in_words, longer))
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
    _check_text(name)
    songs = tuple(songs)
    query = fold(name)
    ranked = [(rank, song) for song in songs if query and (rank := _rank(query, song))]
    if ranked:
        return min(ranked, key=lambda pair: pair[0])[1]
    raise SongNotFound(name, _nearest_titles(query, songs))


def _check_text(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"A song's name is text (str), and this is {type(name).__name__}.")


def _nearest_titles(query: str, songs: tuple[Song, ...]) -> tuple[str, ...]:
    def distance(song: Song) -> float:
        return min(slips(query, name) / max(len(query), len(name), 1) for name in _names(song))

    return tuple(song.title for song in sorted(songs, key=distance)[:3])


def search_songs(text: str, songs: Iterable[Song] = SONGS) -> list[Song]:
    """All songs that have every word of the text in their title, other names, composer or genre.

    A word fits when one of the song's words begins with it, so "beet" finds Beethoven. An empty
    text fits every song. The order of ``songs`` is kept.

    Raises:
        TypeError: what to look for is not text.
    """
    _check_text(text)
    words = fold(text).split()
    if text.strip() and not words:
        return []

    def fits(song: Song) -> bool:
        about = (*_names(song), _fold_of_song(song.composer), _fold_of_song(song.genre))
        have = " ".join(about).split()
        return all(any(other.startswith(word) for other in have) for word in words)

    return [song for song in songs if fits(song)]
