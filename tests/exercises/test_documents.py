"""The small database of chapter 4's judges: it changes nothing, and answers like a real server."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pymongo
import pytest

from helpers.exercises._documents import NotUnderstood, matches, rank, updated, upserted
from helpers.exercises._pipelines import aggregate
from helpers.music import SONGS, listening_events
from helpers.programs import MongoDB, ProgramMissing
from tests.exercises.test_chapter_04_judges import LISTENERS, NOTES


def test_nothing_is_changed():
    document = {"_id": 1, "tags": ["a"], "inner": {"n": 1}}
    before = copy.deepcopy(document)
    updated(document, {"$push": {"tags": "b"}, "$inc": {"inner.n": 1}})
    upserted([document], {"_id": 1}, {"$set": {"inner.n": 9}})
    aggregate([document], [{"$unwind": "$tags"}, {"$group": {"_id": "$tags"}}])
    assert document == before


def test_true_is_no_number_and_text_is_none():
    assert rank(1) == rank(1.0)
    assert not matches({"a": 1}, {"a": True})
    assert not matches({"a": "7"}, {"a": {"$gte": 7}})
    both = {"_id": None, "all": {"$sum": "$a"}, "mean": {"$avg": "$a"}}
    grouped = aggregate([{"a": 3}, {"a": True}, {"a": "1"}], [{"$group": both}])
    assert grouped == [{"_id": None, "all": 3, "mean": 3}]
    with pytest.raises(NotUnderstood):
        aggregate([{"a": 1}], [{"$project": {"b": {"$toUpper": "$a"}}}])


# Against a real server.

SOME = [
    {"_id": 1, "a": 1, "b": {"c": 1, "d": "x"}, "l": [1, 2, 3], "n": [{"p": "C", "q": 1}]},
    {"_id": 2, "a": 1.5, "b": {"c": 2}, "l": [], "n": [{"p": "C", "q": 2}, {"p": "D", "q": 1}]},
    {"_id": 3, "a": "1", "b": {"d": "x", "c": 1}, "l": [3], "t": True},
    {"_id": 4, "a": None, "l": 3, "t": False, "d": datetime(2026, 1, 1, tzinfo=UTC)},
    {"_id": 5, "b": None, "n": [], "d": datetime(2026, 1, 2, tzinfo=UTC)},
]
QUERIES = [
    {}, {"a": 1}, {"a": 1.0}, {"a": "1"}, {"a": None}, {"t": True}, {"t": 1}, {"b.c": 1},
    {"b": {"c": 1, "d": "x"}}, {"b": {"c": 2}}, {"l": 3}, {"l": [3]}, {"l": {"$gt": 2}},
    {"l": {"$size": 3}}, {"l.0": 3}, {"l.1": 2}, {"n.p": "C"}, {"n.p": "C", "n.q": 2},
    {"n.0.p": "C"}, {"a": {"$gt": 1}}, {"a": {"$gte": 1, "$lt": 1.5}}, {"a": {"$lt": "2"}},
    {"a": {"$ne": 1}}, {"a": {"$in": [1, "1"]}}, {"a": {"$nin": [1, None]}}, {"l": {"$ne": 3}},
    {"a": {"$exists": True}}, {"a": {"$exists": False}}, {"l": {"$all": [1, 3]}},
    {"$or": [{"a": 1}, {"t": False}]}, {"$and": [{"l": 3}, {"t": True}]}, {"$nor": [{"l": 3}]},
    {"a": {"$not": {"$gt": 1}}}, {"b.d": {"$regex": "^x"}}, {"a": {"$eq": 1}},
    {"l": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, {"d": {"$gt": datetime(2026, 1, 1, tzinfo=UTC)}},
    {"nope": {"$ne": 1}}, {"b": None}, {"b.c": {"$exists": False}},
]  # fmt: skip
UPDATES = [
    {"$set": {"x": 1}}, {"$set": {"b.z": [1]}}, {"$unset": {"a": 1}}, {"$inc": {"k": 2}},
    {"$inc": {"b.c": 2}}, {"$push": {"l": 9}}, {"$push": {"l": {"$each": [8, 9]}}},
    {"$push": {"fresh": 9}}, {"$addToSet": {"l": 3}}, {"$addToSet": {"l": 4}}, {"$min": {"a": 0}},
    {"$max": {"a": 9}}, {"$set": {"l.0": 7}}, {"$set": {"a": 2}, "$inc": {"k": 1}},
]  # fmt: skip
PIPELINES = [
    [{"$group": {"_id": "$listener", "n": {"$sum": 1}}}, {"$sort": {"n": -1, "_id": 1}}],
    [{"$group": {"_id": "$song_id", "s": {"$sum": "$seconds"}}}, {"$sort": {"s": -1, "_id": 1}},
     {"$skip": 2}, {"$limit": 3}],
    [{"$group": {"_id": None, "s": {"$sum": "$seconds"}}}],
    [{"$group": {"_id": None, "n": {"$count": {}}}}],
    [{"$group": {"_id": {"l": "$listener", "d": "$day"}}}, {"$group": {"_id": "$_id.l",
     "days": {"$sum": 1}}}, {"$sort": {"days": 1, "_id": -1}}],
    [{"$match": {"seconds": {"$lt": 20}}}, {"$count": "short"}],
    [{"$sort": {"seconds": -1, "_id": 1}}, {"$limit": 4}, {"$project": {"seconds": 1}}],
    [{"$sort": {"_id": -1}}, {"$limit": 2}, {"$project": {"_id": 0, "at": 0}}],
    LISTENERS,
]  # fmt: skip


@pytest.fixture(scope="module")
def real():
    """A database in a real server, or a skip where there is none."""
    try:
        server = MongoDB()
    except ProgramMissing as error:
        pytest.skip(str(error))
    with server, pymongo.MongoClient(server.url, tz_aware=True) as client:
        client.drop_database("judges_4")
        yield client["judges_4"]
        client.drop_database("judges_4")


def answered(call):
    """What the server gives, or a skip where it says that it does not know the operator."""
    try:
        return call()
    except pymongo.errors.OperationFailure as error:
        if error.code in (238, 2) and any(
            word in str(error) for word in ("not implemented", "unknown operator")
        ):
            pytest.skip(str(error)[:80])
        raise


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_filters_fit_the_same_documents_as_in_a_real_server(real, query):
    if not real.some.find_one():
        real.some.insert_many(SOME)
    found = answered(lambda: [one["_id"] for one in real.some.find(query).sort("_id", 1)])
    assert [one["_id"] for one in SOME if matches(one, query)] == found


@pytest.mark.parametrize("update", UPDATES, ids=str)
def test_updates_do_the_same_as_in_a_real_server(real, update):
    real.changed.drop()
    real.changed.insert_one(SOME[0])
    answered(lambda: real.changed.update_one({"_id": 1}, update))
    assert updated(SOME[0], update) == real.changed.find_one()


def test_an_upsert_makes_the_same_document_as_a_real_server(real):
    query, update = {"s": "x", "count": {"$lt": 5}}, {"$inc": {"count": 1}, "$push": {"l": 1}}
    real.upserts.drop()
    here = []
    for _ in range(7):
        real.upserts.update_one(query, update, upsert=True)
        here = upserted(here, query, update)
    there = list(real.upserts.find({}, {"_id": 0}).sort("count", -1))
    assert sorted(here, key=lambda one: -one["count"]) == there
    assert [one["count"] for one in there] == [5, 2]


@pytest.mark.parametrize("pipeline", PIPELINES, ids=str)
def test_pipelines_give_the_same_as_a_real_server(real, pipeline):
    plays = [
        {"_id": one.id, "listener": one.listener, "song_id": one.song_id, "at": one.at,
         "seconds": one.seconds, "day": f"{one.at:%Y-%m-%d}"}
        for one in listening_events(300)
    ]  # fmt: skip
    if not real.plays.find_one():
        real.plays.insert_many(plays)
    assert aggregate(plays, pipeline) == answered(lambda: list(real.plays.aggregate(pipeline)))


def test_notes_are_counted_as_in_a_real_server(real):
    songs = [{"_id": one.id, "melody": one.as_dict()["melody"]} for one in SONGS]
    real.songs.drop()
    real.songs.insert_many(songs)
    assert aggregate(songs, NOTES) == list(real.songs.aggregate(NOTES))
