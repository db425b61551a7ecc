"""The contract of `helpers.stores.Store`, kept by all five engines.

All of it is in one file, so that the slow servers start once.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from helpers.music import SONGS, Listen, listening_events
from helpers.stores import Store, StoreError, load
from tests.stores.engines import counted
from tests.stores.model import model_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
INJECTIONS = (
    "'; DROP TABLE songs; --",
    '" OR 1=1 --',
    "$where",
    "%s %(id)s :id ? {0}",
    "a' UNION SELECT * FROM listens --",
    "\\",
    "Für Elise / 月光 \U0001f3b9",
)


def song(song_id: str = "a-song", **changes: object) -> dict:
    base = SONGS[0].as_dict()
    return {**base, "id": song_id, **changes}


def listen(number: int = 1, song_id: str = "a-song", **changes: object) -> Listen:
    fields = {"listener": "ada", "at": AT, "seconds": 30, **changes}
    return Listen(id=number, song_id=song_id, **fields)


def test_it_is_a_store(store):
    assert isinstance(store, Store)


# --- songs


def test_a_song_comes_back_as_it_was(store):
    store.add(*SONGS)
    for one in SONGS:
        assert store.get(one.id) == one.as_dict()


def test_an_unknown_song_is_none(store):
    assert store.get("no-such-song") is None
    store.add(SONGS[0])
    assert store.get("no-such-song") is None


def test_a_new_store_is_empty(store):
    assert (store.find(), store.top(), store.plays("fur-elise")) == ([], [], 0)


def test_nothing_may_be_added_and_recorded(store):
    store.add()
    store.record()
    assert (store.find(), store.top()) == ([], [])


def test_find_without_a_field_gives_all_songs_sorted(store):
    store.add(*reversed(SONGS))
    assert store.find() == sorted((one.as_dict() for one in SONGS), key=lambda one: one["id"])


@pytest.mark.parametrize("name", ["id", "title", "composer", "year", "key", "tempo", "genre"])
def test_find_compares_every_field(store, name):
    store.add(*SONGS)
    for value in sorted({getattr(one, name) for one in SONGS})[:5]:
        wanted = sorted(one.id for one in SONGS if getattr(one, name) == value)
        assert [one["id"] for one in store.find(**{name: value})] == wanted


def test_find_wants_all_fields_to_match(store):
    store.add(*SONGS)
    wanted = [s.id for s in SONGS if s.composer == "Traditional" and s.key == "G major"]
    assert len(wanted) > 1
    found = store.find(composer="Traditional", key="G major")
    assert [one["id"] for one in found] == sorted(wanted)
    assert store.find(id=wanted[0], composer="Nobody") == []


def test_the_same_id_again_takes_the_place_of_the_old(store):
    store.add(song(composer="Old"), song("other", composer="Old"))
    store.add(song(composer="New", year=1801))
    assert store.get("a-song") == song(composer="New", year=1801)
    assert [one["id"] for one in store.find(composer="Old")] == ["other"]
    assert [one["id"] for one in store.find(composer="New")] == ["a-song"]
    assert len(store.find()) == 2


def test_of_two_with_the_same_id_in_a_call_the_later_counts(store):
    store.add(song(title="First"), song(title="Second"))
    assert [one["title"] for one in store.find()] == ["Second"]


def test_a_song_without_a_melody(store):
    store.add(song(melody=[]))
    assert store.get("a-song")["melody"] == []


def test_rests_and_odd_beats_stay(store):
    melody = [{"pitch": None, "beats": 1 / 3}, {"pitch": "A4", "beats": 2}]
    store.add(song(melody=melody))
    assert store.get("a-song")["melody"] == melody


@pytest.mark.parametrize("year", [-(2**31), -1, 0, 2**31 - 1])
def test_whole_numbers_of_32_bits(store, year):
    store.add(song(year=year))
    assert store.get("a-song")["year"] == year
    assert store.find(year=year) == [song(year=year)]


def test_composers_that_begin_alike_are_different(store):
    store.add(song("a", composer="Bach"), song("b", composer="Bach, C. P. E."))
    assert [one["id"] for one in store.find(composer="Bach")] == ["a"]


def test_text_is_found_in_its_own_case_only(store):
    store.add(song("Song"), song("song"))
    assert [one["id"] for one in store.find(id="song")] == ["song"]
    assert [one["id"] for one in store.find()] == ["Song", "song"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_injections_are_only_text(store, text):
    whole = song(text, title=text, composer=text, key=text, genre=text)
    store.add(*SONGS, whole)
    store.record(listen(1, text, listener=text))
    assert store.get(text) == whole
    for name in ("id", "title", "composer", "key", "genre"):
        assert store.find(**{name: text}) == [whole]
    assert len(store.find()) == len(SONGS) + 1
    assert (store.plays(text), store.top()) == (1, [(text, 1)])


def test_what_is_given_is_not_changed_and_not_kept(store):
    mine = song()
    store.add(mine)
    assert mine == song()
    mine["melody"].append({"pitch": "A4", "beats": 1})
    store.get("a-song")["title"] = "Changed"
    assert store.get("a-song") == song()


# --- listens


def test_every_field_of_a_listen_stays(engine, store):
    mine = [
        listen(0, seconds=0),
        listen(2**63 - 1, seconds=2**31 - 1),
        listen(5, at=datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        listen(7, at=datetime(2999, 1, 1, tzinfo=UTC), listener="für 月"),
    ]
    store.record(*mine)
    assert engine.recorded(store) == sorted(mine, key=lambda one: one.id)


def test_a_time_elsewhere_is_the_same_time(engine, store):
    store.record(listen(at=AT.astimezone(timezone(timedelta(hours=5, minutes=30)))))
    assert engine.recorded(store) == [listen()]


def test_plays_and_top_count(store):
    events = list(listening_events(700))
    store.record(*events)
    counts = counted(events)
    assert store.top(len(SONGS)) == counts
    assert store.top() == counts[:10]
    assert (store.top(1), store.top(0)) == (counts[:1], [])
    for song_id, plays in (*counts[:3], *counts[-3:]):
        assert store.plays(song_id) == plays


def test_of_equal_plays_the_smaller_id_is_first(store):
    ids = ["b", "a", "é", "Z", "a-b", "a0"]
    store.record(*(listen(number, one) for number, one in enumerate(ids)))
    assert store.top() == [(one, 1) for one in sorted(ids)]
    assert store.top(2) == [(one, 1) for one in sorted(ids)[:2]]


def test_the_same_listen_again_changes_nothing(engine, store):
    events = list(listening_events(60))
    store.record(*events[:40])
    store.record(*events[:40])
    store.record(*events[20:], *events[:10], events[0])
    assert engine.recorded(store) == events
    assert store.top(100) == counted(events)


def test_a_listen_twice_in_one_call_counts_once(store):
    store.record(listen(), listen(2), listen(), listen())
    assert store.plays("a-song") == 2


def test_a_listen_may_name_a_song_that_is_not_in_the_catalogue(store):
    store.record(listen())
    assert (store.plays("a-song"), store.get("a-song")) == (1, None)


def test_songs_and_plays_stay_apart(store):
    store.record(listen())
    store.add(song())
    store.add(song(title="Another"))
    assert store.plays("a-song") == 1


def test_what_is_stored_is_there_for_the_next(engine, store):
    events = list(listening_events(50))
    store.add(*SONGS)
    store.record(*events)
    store.close()
    with engine.again() as later:
        assert later.find() == sorted((one.as_dict() for one in SONGS), key=lambda s: s["id"])
        assert engine.recorded(later) == events
        later.record(*events)
        assert later.top(100) == counted(events)


def test_several_threads_may_use_one_store(store):
    events = list(listening_events(240))
    failed = []

    def work(mine: list[Listen]) -> None:
        try:
            for start in range(0, len(mine), 10):
                store.record(*mine[start : start + 10])
                store.top(3)
        except BaseException as error:
            failed.append(error)

    # every listen is sent by two of the four threads
    parts = (events[:120], events[120:], events[::2], events[1::2])
    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert store.top(100) == counted(events)


# --- what is refused


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"id": 7}, TypeError, "id is text, not 7"),
        ({"id": ""}, ValueError, "id is empty"),
        ({"title": None}, TypeError, "title is text"),
        ({"title": {"$ne": None}}, TypeError, "title is text"),
        ({"composer": b"Bach"}, TypeError, "composer is text"),
        ({"composer": "a\0b"}, ValueError, "composer holds a NUL"),
        ({"genre": "\ud800"}, ValueError, "genre holds half a character"),
        ({"year": "1810"}, TypeError, "year is a whole number, not '1810'"),
        ({"year": True}, TypeError, "year is a whole number"),
        ({"year": 2**31}, ValueError, "year is from -2147483648 to 2147483647"),
        ({"tempo": 1.5}, TypeError, "tempo is a whole number"),
        ({"melody": "A4"}, TypeError, "melody is a list"),
        ({"melody": ["A4"]}, TypeError, r"melody\[0\] is a dictionary"),
        ({"melody": [{"pitch": "A4"}]}, ValueError, r"melody\[0\] has the fields"),
        ({"melody": [{"pitch": 4, "beats": 1}]}, TypeError, r"melody\[0\]: pitch is text"),
        ({"melody": [{"pitch": "A4", "beats": "1"}]}, TypeError, r"melody\[0\]: beats is a"),
        ({"melody": [{"pitch": "A4", "beats": float("nan")}]}, ValueError, "beats is more"),
        ({"melody": [{"pitch": "A4", "beats": 0}]}, ValueError, "beats is more than 0"),
        ({"likes": 3}, ValueError, "no field 'likes'"),
    ],
)
def test_a_wrong_song_is_refused_and_the_rest_of_the_call_too(store, fields, kind, words):
    with pytest.raises(kind, match=words):
        store.add(song("good"), song(**fields))
    assert store.find() == []


def test_a_song_lacks_a_field(store):
    short = song()
    del short["tempo"]
    with pytest.raises(ValueError, match="has no tempo"):
        store.add(short)
    with pytest.raises(TypeError, match="a song is a Song or a dictionary"):
        store.add("fur-elise")


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"lyrics": "la"}, ValueError, "no field 'lyrics'"),
        ({"id; DROP TABLE songs": "x"}, ValueError, "no field 'id; DROP"),
        ({"$where": "true"}, ValueError, "no field"),
        ({"melody": []}, ValueError, "melody cannot be searched"),
        ({"composer": {"$ne": None}}, TypeError, "composer is text, not {"),
        ({"composer": ["Bach"]}, TypeError, "composer is text"),
        ({"year": "1810"}, TypeError, "year is a whole number"),
        ({"year": None}, TypeError, "year is a whole number"),
    ],
)
def test_a_wrong_search_is_refused(store, fields, kind, words):
    store.add(song())
    with pytest.raises(kind, match=words):
        store.find(**fields)


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        ({"number": -1}, ValueError, "id is from 0"),
        ({"number": 2**63}, ValueError, "id is from 0"),
        ({"number": "1"}, TypeError, "id is a whole number"),
        ({"song_id": None}, TypeError, "song_id is text"),
        ({"song_id": "a\0"}, ValueError, "song_id holds a NUL"),
        ({"listener": ""}, ValueError, "listener is empty"),
        ({"seconds": -1}, ValueError, "seconds is from 0"),
        ({"seconds": 1.5}, TypeError, "seconds is a whole number"),
        ({"at": "2026-01-01"}, TypeError, "at is a datetime"),
        ({"at": datetime(2026, 1, 1)}, ValueError, "at has no time zone"),
        ({"at": AT + timedelta(microseconds=1)}, ValueError, "whole milliseconds"),
        ({"at": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, ValueError, "years"),
    ],
)
def test_a_wrong_listen_is_refused_and_the_rest_of_the_call_too(store, wrong, kind, words):
    with pytest.raises(kind, match=words):
        store.record(listen(7), listen(**wrong))
    assert store.top() == []


def test_other_wrong_arguments_are_named(store):
    with pytest.raises(TypeError, match="listens: a Listen each"):
        store.record({"id": 1})
    for method in (store.get, store.plays):
        with pytest.raises(TypeError, match="song_id is text, not None"):
            method(None)
    with pytest.raises(TypeError, match="count is a whole number"):
        store.top("10")
    with pytest.raises(ValueError, match="count is from 0"):
        store.top(-1)


HUGE = 17_000_000  # characters: more than MongoDB's and Cassandra's largest


def test_a_giant_song_is_kept_whole_or_refused_with_the_engines_reason(engine, store):
    store.add(song("small"))
    giant = song("giant", title="x" * HUGE)
    reasons = {
        "mongo": r"16 MB .16,777,216 bytes. at most\.\nMongoDB says: ",
        "cassandra": r"The song is too large: .*\nCassandra says: .*exceeds allowed maximum",
    }
    if engine.name in reasons:
        with pytest.raises(StoreError, match=reasons[engine.name]) as caught:
            store.add(giant)
        assert len(str(caught.value)) < 600, "the message must not hold the song"
        assert caught.value.__cause__ is not None
        assert store.get("giant") is None
    else:
        store.add(giant)
        assert store.get("giant") == giant
    assert store.get("small") == song("small")
    store.add(song("after"))
    assert [one["id"] for one in store.find(title=SONGS[0].title)] == ["after", "small"]


def test_many_songs_in_a_call_and_all_of_them_again(engine, store):
    many = [song(f"song {number:03}", tempo=number) for number in range(250)]
    for _ in range(2):
        store.add(*many)
    assert store.find() == many


def test_a_song_too_large_for_one_batch(engine, store):
    """Cassandra puts a song into two tables at once, and that has a limit of its own."""
    large = song("large", title="x" * 100_000)
    if engine.name == "cassandra":
        with pytest.raises(
            StoreError, match=r"a batch has 50 KiB at most .*\nCassandra says: .*Batch too large"
        ):
            store.add(large)
        assert store.get("large") is None
    else:
        store.add(large)
        assert store.get("large") == large


def test_a_giant_key(engine, store):
    """A text by which the engine orders its rows may be shorter than others."""
    composer = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(30_000))
    giant = song("giant", composer=composer)
    if engine.name in ("postgres", "cassandra"):
        with pytest.raises(StoreError, match=r"(PostgreSQL|Cassandra) says: "):
            store.add(song("good"), giant)
        assert store.get("giant") is None
    else:
        store.add(giant)
        assert store.find(composer=composer) == [giant]


def test_a_closed_store_says_so(store):
    store.close()
    store.close()
    for call in (store.find, store.top, lambda: store.get("a"), lambda: store.record(listen())):
        with pytest.raises(StoreError, match="is closed"):
            call()
    assert "closed" in repr(store)


# --- against a dictionary


def test_it_is_a_dictionary_with_a_disk(engine):
    limits = settings(
        max_examples=6 if engine.slow else 40,
        stateful_step_count=15 if engine.slow else 25,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(model_of(engine), settings=limits)


# --- many


@pytest.mark.slow
def test_a_hundred_thousand_events(engine, store):
    events = list(listening_events(100_000))
    assert load(store, iter(events), batch=2000) == len(events)
    counts = counted(events)
    assert store.top(len(SONGS)) == counts
    assert store.plays(counts[0][0]) == counts[0][1]
    assert load(store, events[-3000:]) == 3000
    assert store.top(3) == counts[:3]
