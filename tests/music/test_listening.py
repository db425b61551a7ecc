"""The stream of listening events: the same for everybody, in order, and popular as songs are."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from itertools import islice, pairwise

import pytest

from helpers.music import SONGS, listening_events

MANY = list(listening_events(100_000))


def test_the_same_seed_gives_the_same_events():
    assert list(listening_events(1000)) == MANY[:1000]
    assert list(islice(listening_events(10**9), 1000)) == MANY[:1000], "as many as are taken"
    assert list(listening_events(1000, seed=2)) != MANY[:1000]
    assert list(listening_events(0)) == []


def test_events_are_in_order():
    assert [listen.id for listen in MANY] == list(range(1, len(MANY) + 1))
    assert all(a.at < b.at for a, b in pairwise(MANY))
    assert all(listen.at.tzinfo is UTC and listen.at.microsecond % 1000 == 0 for listen in MANY)
    assert {listen.seconds for listen in MANY} == set(range(5, 241))


def test_popularity_is_as_zipf_says():
    """The most played song is played twice as often as the second, ten times as the tenth."""
    plays = [count for _, count in Counter(listen.song_id for listen in MANY).most_common()]
    for rank in (2, 3, 5, 10):
        assert plays[0] / plays[rank - 1] == pytest.approx(rank, rel=0.1)


def test_some_songs_are_never_played_and_all_are_in_the_catalogue():
    heard = {listen.song_id for listen in MANY}
    everything = {song.id for song in SONGS}
    assert heard < everything
    assert len(everything - heard) == 6


def test_listeners():
    names = {listen.listener for listen in MANY}
    assert len(names) == 50
    assert {"ada", "ada2", "vint"} <= names
    assert {listen.listener for listen in listening_events(50, listeners=1)} == {"ada"}


@pytest.mark.parametrize("words", [{"count": -1}, {"count": 1, "listeners": 0}])
def test_numbers_that_make_no_sense(words):
    with pytest.raises(ValueError, match="or more, not"):
        listening_events(**words)
