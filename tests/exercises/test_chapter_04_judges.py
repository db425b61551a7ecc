"""Chapter 4: what its judges let through, and what they say of the rest."""

from __future__ import annotations

from datetime import UTC, datetime

import bson
import pytest

from tests.exercises.judged import said

# 4.1


def test_the_bytes_are_those_of_bson():
    assert said("4.1", bson.encode({"plays": 7})) is None
    assert bson.decode(bson.encode({"plays": 7})) == {"plays": 7}


@pytest.mark.parametrize(
    ("answer", "blamed"),
    [
        (b"", "the length"),
        (bson.encode({"plays": 7})[::-1], "the length"),
        (b"\x0c" + bson.encode({"plays": 7})[1:], "the length"),
        (bson.encode({"plays": 7.0})[:0] + b"\x10\0\0\0\x12plays\0\x07\0\0\0\0", "the type"),
        (b"\x10\0\0\0\x10plays\x07\0\0\0\0\0", "the name"),
        (b"\x10\0\0\0\x10plays\0\0\0\0\x07\0", "the value"),
        (b"\x10\0\0\0\x10plays\0\x07\0\0\0", "the zero byte at the end"),
        (bson.encode({"plays": 7}) + b"\0", "1 bytes too many"),
    ],
)
def test_what_is_wrong_with_other_bytes(answer, blamed):
    assert blamed in said("4.1", answer)


# 4.2


def test_the_age_of_object_ids_is_that_of_bson():
    early, late = (bson.ObjectId() for _ in range(2))
    early = bson.ObjectId.from_datetime(datetime(2024, 1, 1, tzinfo=UTC))

    def by_bson(first, second):
        times = [bson.ObjectId(one).generation_time for one in (second, first)]
        return int((times[0] - times[1]).total_seconds())

    assert said("4.2", by_bson) is None
    assert by_bson(str(early), str(late)) > 0


def test_the_wrong_end_of_an_object_id():
    assert said("4.2", lambda first, second: int(second[-8:], 16) - int(first[-8:], 16))
    assert said("4.2", lambda first, second: abs(int(second[:8], 16) - int(first[:8], 16)))


# 4.3

FILTER = {
    "genre": {"$in": ["carol", "hymn"]},
    "year": {"$gte": 1800, "$lt": 1900},
    "melody.pitch": "C5",
    "composer.name": {"$ne": "Traditional"},
}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"year": {"$gte": 1800, "$lte": 1899}},
        {"year": {"$gt": 1799, "$lt": 1900}},
        {"melody.pitch": {"$in": ["C5"]}},
        {"composer.name": {"$nin": ["Traditional"]}},
        {"composer.name": {"$not": {"$eq": "Traditional"}}},
        {"genre": {"$regex": "^(carol|hymn)$"}},
    ],
)
def test_filters_that_find_the_right_songs(other):
    assert said("4.3", {**FILTER, **other}) is None


def test_filters_may_be_put_together():
    parts = [{name: wanted} for name, wanted in FILTER.items() if name != "genre"]
    genres = {"$or": [{"genre": "carol"}, {"genre": "hymn"}]}
    assert said("4.3", {"$and": [*parts, genres]}) is None


@pytest.mark.parametrize(
    ("other", "blamed"),
    [
        ({"year": {"$lt": 1900}}, "it is from 1799"),
        ({"year": {"$gt": 1800, "$lt": 1900}}, "1800 belongs to it"),
        ({"year": {"$gte": 1800, "$lt": 1899}}, "1899 belongs to it"),
        ({"year": {"$gte": 1800, "$lte": 1900}}, "it is from 1900"),
        ({"year": {"$exists": True}}, "it is from 1799"),
        ({"genre": "carol"}, "so do hymns"),
        ({"genre": {"$exists": True}}, "a march"),
        ({"melody.pitch": {"$exists": True}}, "no C5"),
        ({"melody": "C5"}, "does not find"),
        ({"composer": {"$ne": {"name": "Traditional"}}, "composer.name": {}}, "does not find"),
        ({"composer.name": {"$exists": True, "$ne": "Traditional"}}, "a composer without a name"),
        ({"year": {"$les": 1900}}, "no operator $les"),
        ({"$where": "true"}, "$where stands where"),
        ({7: 7}, "a field's name is text"),
    ],
)
def test_what_is_wrong_with_a_filter(other, blamed):
    assert blamed in said("4.3", {**FILTER, **other})


# 4.4

UPDATE = {
    "$set": {"year": 1722, "composer.born": 1685},
    "$inc": {"likes": 1},
    "$push": {"tags": "first"},
}


def test_updates_that_do_the_same():
    assert said("4.4", UPDATE) is None
    assert said("4.4", {**UPDATE, "$push": {"tags": {"$each": ["first"]}}}) is None


@pytest.mark.parametrize(
    ("answer", "blamed"),
    [
        ({**UPDATE, "$set": {"year": 1722, "composer": {"born": 1685}}}, "'name' is missing"),
        ({**UPDATE, "$set": {"year": "1722", "composer.born": 1685}}, "text"),
        ({**UPDATE, "$inc": {"likes": 2}}, "likes"),
        ({**UPDATE, "$set": {**UPDATE["$set"], "likes": 1}, "$inc": {"likes": 0}}, "likes"),
        ({**UPDATE, "$push": {"tags": ["first"]}}, "tags"),
        ({"$set": UPDATE["$set"], "$inc": UPDATE["$inc"], "$addToSet": UPDATE["$push"]}, "tags"),
        ({"year": 1722}, "begins with operators"),
        ({"$put": {"year": 1722}}, "no $put"),
        ({**UPDATE, "$inc": {"title": 1}}, "$inc adds numbers"),
        ({**UPDATE, "$push": {"title": "first"}}, "$push adds to a list"),
        ({**UPDATE, "$set": ["year"]}, "a dictionary of fields"),
        ({}, "a dictionary with operators"),
    ],
)
def test_what_is_wrong_with_an_update(answer, blamed):
    assert blamed in said("4.4", answer)


# 4.5 and 4.6

LISTENERS = [
    {"$match": {"day": "2026-01-05"}},
    {"$group": {"_id": "$listener", "seconds": {"$sum": "$seconds"}}},
    {"$sort": {"seconds": -1, "_id": 1}},
    {"$limit": 3},
]


def test_another_order_of_stages_may_do():
    assert said("4.5", LISTENERS) is None
    assert said("4.5", [LISTENERS[0], {"$sort": {"seconds": 1}}, *LISTENERS[1:]]) is None
    assert said("4.5", [*LISTENERS, {"$project": {"seconds": 1}}]) is None


@pytest.mark.parametrize(
    ("stages", "blamed"),
    [
        (LISTENERS[1:], "not what should stand there"),
        (LISTENERS[:3], "should"),
        ([LISTENERS[0], LISTENERS[1], LISTENERS[3], LISTENERS[2]], "not what should"),
        ([*LISTENERS[:2], {"$sort": {"seconds": -1}}, LISTENERS[3]], "the same seconds"),
        ([*LISTENERS[:2], {"$sort": {"seconds": 1, "_id": 1}}, LISTENERS[3]], "not what should"),
        ([*LISTENERS, {"$sort": {"_id": 1}}], "wrong order"),
        ([{"$match": {"day": "today"}}, *LISTENERS[1:]], "Nothing comes out"),
        ([*LISTENERS[:1], {"$group": {"_id": "$listener", "n": {"$sum": 1}}}], "_id, n"),
        ([*LISTENERS[:1], {"$group": {"seconds": {"$sum": 1}}}], "$group needs an _id"),
        ([{"$match": {}, "$limit": 3}], "one entry"),
        ([{"$grop": {}}], "no stage $grop"),
        ([{"$limit": 0}], "$limit takes"),
        ([{"$sort": {"seconds": "down"}}], "$sort goes up"),
    ],
)
def test_what_is_wrong_with_a_pipeline(stages, blamed):
    assert blamed in said("4.5", stages)


NOTES = [
    {"$unwind": "$melody"},
    {"$match": {"melody.pitch": {"$ne": None}}},
    {"$group": {"_id": {"pitch": "$melody.pitch", "song": "$_id"}}},
    {"$group": {"_id": "$_id.pitch", "songs": {"$sum": 1}}},
    {"$sort": {"songs": -1, "_id": 1}},
]


def test_the_notes_may_be_counted_in_other_ways():
    assert said("4.6", NOTES) is None
    each = {"$group": {"_id": "$melody.pitch", "in": {"$addToSet": "$_id"}}}
    assert said("4.6", [*NOTES[:2], each, {"$unwind": "$in"},
                        {"$sortByCount": "$_id"}])  # fmt: skip
    assert said("4.6", [*NOTES[:2], each, {"$unwind": "$in"}, *NOTES[3:]])  # _id.pitch is gone
    again = {"$group": {"_id": "$_id", "songs": {"$count": {}}}}
    assert said("4.6", [*NOTES[:2], each, {"$unwind": "$in"}, again, NOTES[4]]) is None


def test_what_is_wrong_with_the_notes():
    assert "5 documents come out, and 4 should" in said("4.6", [NOTES[0], *NOTES[2:]])
    assert said("4.6", [NOTES[1], NOTES[0], *NOTES[2:]])


# 4.7


def test_a_login_may_be_checked_by_a_model():
    from pydantic import BaseModel

    class Login(BaseModel, extra="forbid", strict=True):
        name: str
        code: str

    def by_model(body):
        sent = Login.model_validate_json(body)
        return {"_id": sent.name, "code": {"$eq": sent.code}}

    assert said("4.7", by_model) is None


def test_logins_that_let_too_much_through():
    import json

    def careless(body, look=("name", "code"), exact=False):
        sent = json.loads(body)
        if exact and set(sent) != {"name", "code"}:
            raise ValueError
        if any(isinstance(sent[one], dict) for one in look):
            raise ValueError
        return {"_id": sent["name"], "code": {"$eq": sent["code"]}}

    assert "$ne" in said("4.7", lambda body: careless(body, look=()))
    assert "$ne" in said("4.7", lambda body: careless(body, look=("code",)))
    assert "482913" in said("4.7", careless)
    assert said("4.7", lambda body: careless(body, exact=True))


# 4.8

WAYS = {"a": "embed", "b": "refer", "c": "embed", "d": "refer", "e": "embed"}


def test_ways():
    assert said("4.8", WAYS) is None
    assert said("4.8", {name: f" {way.title()}" for name, way in WAYS.items()}) is None
    other = {"embed": "refer", "refer": "embed"}
    for name, way in WAYS.items():
        assert said("4.8", {**WAYS, name: other[way]}).startswith(f"{name}: ")
    assert "expected" in said("4.8", {**WAYS, "c": "both"})
    assert "none of the five" in said("4.8", {**WAYS, "f": "embed"})


# 4.9


def bucket(play, below=None, query=None, update=None):
    usual = {"song_id": play["song_id"], "count": below or {"$lt": 50}}
    return query or usual, update or {"$push": {"plays": play}, "$inc": {"count": 1}}


@pytest.mark.parametrize("below", [{"$lt": 50}, {"$lte": 49}, {"$ne": 50}, {"$not": {"$gte": 50}}])
def test_buckets_that_hold_fifty(below):
    assert said("4.9", lambda play: bucket(play, below)) is None


@pytest.mark.parametrize(
    ("make", "blamed"),
    [
        (lambda play: bucket(play, {"$lte": 50}), "a bucket with 51"),
        (lambda play: bucket(play, {"$lt": 49}), "filled up to 50"),
        (lambda play: bucket(play, query={"count": {"$lt": 50}}), "song_id"),
        (lambda play: bucket(play, update={"$push": {"plays": play}}), "count"),
        (lambda play: bucket(play, update={"$push": {"plays": play["seconds"]}, "$inc": {"count": 1}}), "something else"),
        (lambda play: bucket(play, update={"$inc": {"count": 1}}), "the list plays is missing"),
        (lambda play: bucket(play)[0], "a filter and an update are expected"),
        (lambda play: bucket(play)[::-1], "can't be used"),
        (lambda play: play["when"], "raised KeyError"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_buckets(make, blamed):
    assert blamed in said("4.9", make)
