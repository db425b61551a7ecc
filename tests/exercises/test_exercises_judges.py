"""The judges that authors combine: what they let through, and what they say of the rest."""

import json as json_module
import math

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.exercises import equals, items, near, response, same_json, works_like

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON)
def test_a_value_equals_its_copy(value):
    copy = json_module.loads(json_module.dumps(value))
    assert equals(copy, value) is None
    assert same_json(copy, value) is None


@given(JSON, JSON)
def test_json_is_the_same_just_when_its_canonical_text_is(one, other):
    def text(value):
        return json_module.dumps(value, sort_keys=True)

    if text(one) == text(other):
        assert same_json(one, other) is None
    else:
        # The other way round holds but for 1 and 1.0, which JSON does not tell apart.
        told_apart = same_json(one, other) is not None
        assert told_apart or one == other


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(True, 1), (1, True), (0, False), (1, 1.0), (1.0, 1), ("1", 1), (None, 0), ((1,), [1]),
     ([1, 2], [1]), ([1], [1, 2]), ({"a": 1}, {}), ({}, {"a": 1}), ([True], [1])],
)  # fmt: skip
def test_equals_minds_the_type(answer, expected):
    assert equals(answer, expected).startswith("Your answer")


def test_equals_knows_foreseen_answers_and_near_misses():
    assert equals(200, 201, instead={200: "Too general."}) == "Too general."
    assert equals(True, 2, instead={1: "One."}) != "One."
    assert "capital" in equals("get", "GET")
    assert "spaces" in equals("GET ", "GET")
    assert "GET" not in equals("put", "GET"), "the answer is not given away"


def test_a_difference_far_inside_is_located():
    said = equals({"songs": [{"id": 1}, {"id": 2}]}, {"songs": [{"id": 1}, {"id": 3}]})
    assert "`['songs'][1]['id']`" in said and "2 is not it" in said


def test_comparison_survives_a_value_that_holds_itself():
    loop = [1]
    loop.append(loop)
    assert "deeply" in equals(loop, loop)


def test_near():
    assert near(3.14, math.pi, within=0.01) is None
    assert near(3, math.pi, within=0.2) is None
    assert "too small" in near(3.0, math.pi, within=0.01)
    assert "too large" in near(math.inf, math.pi, within=0.01)
    assert "nan" in near(math.nan, math.pi, within=0.01)
    assert "text" in near("3", math.pi, within=0.01)
    assert "bool" in near(True, 1, within=0.01)


def test_near_of_an_int_beyond_floats():
    assert "too large" in near(10**400, 1, within=1)
    assert "too small" in near(-(10**400), 1, within=1)


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_items_in_any_order_and_kind_of_container(kind):
    assert items(kind(["PUT", "GET"]), {"GET", "PUT"}) is None
    assert items(kind(["put", "GET"]), {"GET", "PUT"}, ignore_case=True) is None
    assert "'put' does not belong" in items(kind(["put", "GET"]), {"GET", "PUT"})


def test_items_says_what_is_wrong_but_not_what_is_missing():
    said = items(["GET"], ["GET", "PUT", "DELETE"])
    assert "2 of 3 are missing" in said and "PUT" not in said
    assert "more than once" in items(["GET", "PUT", "GET"], ["GET", "PUT"])
    assert "text (a str)" in items("GET", ["GET"])
    assert "1 is a whole number" in items([1], ["GET"])


def test_same_json():
    assert same_json({"a": 1.0, "b": (1,)}, {"b": [1], "a": 1}) is None
    assert "truth value" in same_json({"a": True}, {"a": 1})
    assert "'b' is missing" in same_json({"a": 1}, {"a": 1, "b": 2})
    assert "is text" in same_json('{"a": 1}', {"a": 1})


CREATED = httpx.Response(201, headers={"Location": "/songs/9"}, json={"id": 9})


def test_response():
    assert response(CREATED, status=201, headers={"location": None}, json={"id": 9}) is None
    assert response(CREATED, headers={"LOCATION": "/songs/9"}) is None
    assert "201 Created" in response(CREATED, status=200)
    assert "299" in response(httpx.Response(299), status=200)
    assert "no header ETag" in response(CREATED, headers={"ETag": None})
    assert "'/songs/9', not '/songs/8'" in response(CREATED, headers={"Location": "/songs/8"})
    assert "`['id']`: 9" in response(CREATED, json={"id": 8})
    assert "not JSON" in response(httpx.Response(200, text="<p>"), json={})
    assert "the whole of it" in response(201, status=201)


def test_works_like_shows_the_first_case_that_goes_wrong():
    cases = [((1, 2), 3), ((2, 2), 4), ((0, 5), 5)]
    assert works_like(lambda a, b: a + b, cases) is None
    assert works_like(pow, [((2, 2), 4), ((2, 3), 9)]) == "`pow(2, 3)` should give 9, but gave 8."
    assert works_like(abs, [(-1, 1)]) is None, "one argument needs no tuple"


def test_works_like_catches_what_a_function_does():
    def divide(a, b):
        return a // b

    def leave(a, b):
        raise SystemExit

    def forgets(a, b):
        a // b

    async def later(a, b):
        return a // b

    def one_by_one(a, b):
        yield a // b

    cases = [((4, 2), 2)]
    assert "ZeroDivisionError" in works_like(divide, [((1, 0), 5)])
    assert "SystemExit" in works_like(leave, cases)
    assert "is there a `return`?" in works_like(forgets, cases)
    assert "async def" in works_like(later, cases)
    assert "generator" in works_like(one_by_one, cases)
    assert "TypeError" in works_like(lambda: 2, cases)
    assert "without brackets" in works_like(divide(4, 2), cases)


def test_works_like_can_expect_an_exception():
    assert works_like(int, [("x", ValueError)]) is None
    assert "should raise ValueError, but gave 1" in works_like(int, [("1", ValueError)])
    assert "raised ValueError" in works_like(int, [("x", KeyError)])


def test_works_like_minds_types_and_allows_a_tolerance():
    assert "gave 2.0" in works_like(lambda x: x / 2, [(4, 2)])
    assert works_like(lambda x: 0.1 + 0.2, [(1, 0.3)])
    assert works_like(lambda x: 0.1 + 0.2, [(1, 0.3)], within=1e-9) is None


def test_works_like_hands_out_copies():
    songs = ["b", "a"]
    works_like(lambda names: names.sort() or names, [((songs,), ["a", "b"])])
    assert songs == ["b", "a"]


def test_works_like_explains_a_difference_that_does_not_show():
    class Text:
        def __repr__(self):
            return "'x'"

    assert "a Text" in works_like(lambda _: Text(), [(1, "x")])
