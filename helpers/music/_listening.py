"""Who listened to what, and when: the stream of events that the database chapters store and count.

The events are made up, by a seeded generator, so that everybody has the same ones. Songs differ in
popularity as they do in life: by Zipf's law the second most popular song is heard half as often as
the first, the third a third as often (G. K. Zipf, Human Behavior and the Principle of Least Effort,
1949).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from ._catalogue import SONGS

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_PAUSE = 120_000  # milliseconds from one event to the next, on average
_NEVER_PLAYED = 6  # songs of the catalogue that nobody wants to hear
_NAMES = """
ada alan barbara claude dorothy edsger frances grace hedy john katherine ken leslie lynn margaret
niklaus radia shafi tim vint
""".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Listen:
    """One time that somebody heard a song.

    Attributes:
        id: 1, 2, 3, ... in the order of the events.
        listener: who, such as ``"ada"``.
        song_id: what: the id of a song in the catalogue.
        at: when it began, in UTC, in whole milliseconds.
        seconds: how long it was heard.
    """

    id: int
    listener: str
    song_id: str
    at: datetime
    seconds: int


def listening_events(count: int, *, seed: int = 1, listeners: int = 50) -> Iterator[Listen]:
    """Make up events, one after the other, in order of time. The same seed gives the same events.

    Args:
        count: how many.
        seed: of the random numbers. The first events are the same whatever the count.
        listeners: how many people listen; some are more eager than others.

    Raises:
        ValueError: `count` is negative, or there are no listeners.
    """
    if count < 0:
        raise ValueError(f"count says how many events you want: 0 or more, not {count}.")
    if listeners < 1:
        raise ValueError(f"listeners says how many people listen: 1 or more, not {listeners}.")
    return _events(count, seed, listeners)


def _events(count: int, seed: int, listeners: int) -> Iterator[Listen]:
    chance = random.Random(seed)
    songs = [song.id for song in SONGS]
    chance.shuffle(songs)
    songs = songs[: len(songs) - _NEVER_PLAYED]
    people = [_name(number) for number in range(listeners)]
    song_weights = list(accumulate(1 / rank for rank in range(1, len(songs) + 1)))
    people_weights = list(accumulate(1 / (rank + 5) for rank in range(1, listeners + 1)))
    at = _BEGIN
    for number in range(1, count + 1):
        at += timedelta(milliseconds=1 + round(chance.expovariate(1 / _PAUSE)))
        (song,) = chance.choices(songs, cum_weights=song_weights)
        (person,) = chance.choices(people, cum_weights=people_weights)
        yield Listen(number, person, song, at, chance.randint(5, 240))


def _name(number: int) -> str:
    again, place = divmod(number, len(_NAMES))
    return _NAMES[place] + (str(again + 1) if again else "")
