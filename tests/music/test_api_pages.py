"""The list of songs, a page at a time, also while songs come and go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .support import (
    NEW_SONG,
    always_the_same,
    make_client,
    make_song,
)


def pages(ask, address):
    while address:
        response = ask("GET", address)
        assert response.status_code == 200
        answer = response.json()
        link = response.headers.get("link")
        assert link == (f'<{answer["next"]}>; rel="next"' if answer["next"] else None)
        yield [item["id"] for item in answer["items"]]
        address = answer["next"]


def many(count):
    return [make_song(f"s{n}", f"Title {n:03d}", genre="ab"[n % 2]) for n in range(count)]


@pytest.mark.parametrize(("count", "limit"), [(0, 1), (1, 1), (7, 1), (7, 3), (6, 3), (7, 100)])
def test_following_next_visits_every_song_once_in_order(count, limit):
    seen = list(pages(make_client(songs=many(count)), f"/songs?limit={limit}"))
    assert [song for page in seen for song in page] == [f"s{n}" for n in range(count)]
    assert all(len(page) == limit for page in seen[:-1])
    assert len(seen) == max(1, -(-count // limit))


def test_next_keeps_what_was_asked_for():
    ask = make_client(songs=many(10))
    assert list(pages(ask, "/songs?genre=a&limit=2&q=title")) == [
        ["s0", "s2"],
        ["s4", "s6"],
        ["s8"],
    ]


def test_songs_of_one_title_are_all_visited():
    ask = make_client(songs=[make_song(f"s{n}", "The same") for n in range(5)])
    assert list(pages(ask, "/songs?limit=2")) == [["s0", "s1"], ["s2", "s3"], ["s4"]]


@pytest.mark.parametrize("letter", ["я", "🎵", "ﬃ", "ΐ", '"', "é"])
def test_next_works_after_the_longest_titles(letter):
    ask = make_client(songs=[])
    for n in range(3):
        added = ask("PUT", f"/songs/{'x' * 199}{n}", json={**NEW_SONG, "title": letter * 200})
        assert added.status_code == 201
    assert [len(page) for page in pages(ask, "/songs?limit=1")] == [1, 1, 1]


@settings(always_the_same, max_examples=30)
@given(st.data())
def test_pages_stay_right_while_songs_come_and_go(data):
    titles = st.integers(0, 40)
    there = data.draw(st.sets(titles, min_size=1))
    ask = make_client(songs=[make_song(f"s{n:02d}", f"Song {n:02d}") for n in there])
    stayed, seen = set(there), []
    for page in pages(ask, "/songs?limit=3"):
        seen += page
        if page and data.draw(st.booleans()):
            # the song that the cursor stands on, so the hardest to lose
            ask("DELETE", f"/songs/{page[-1]}")
            stayed.discard(int(page[-1][1:]))
        for n in data.draw(st.lists(titles, max_size=3)):
            if ask("DELETE", f"/songs/s{n:02d}").status_code == 404:
                ask("PUT", f"/songs/s{n:02d}", json={**NEW_SONG, "title": f"Song {n:02d}"})
            stayed.discard(n)
    assert seen == sorted(set(seen))  # in order, none twice
    assert {f"s{n:02d}" for n in stayed} <= set(seen)  # none that was there all the time is missed


@pytest.mark.parametrize("cursor", ["", "x", "WyJhIl0", "é", "WyJhIiwgImIiXQ==x", "a" * 3000])
def test_a_forged_cursor_is_422(ask, cursor):
    response = ask("GET", "/songs", params={"cursor": cursor})
    assert response.status_code == 422
    assert response.json()["errors"][0]["query"] == "cursor"
