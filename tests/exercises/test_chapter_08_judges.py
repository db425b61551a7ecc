"""Chapter 8: what its judges let through, and what they say of the rest."""

from __future__ import annotations

import msgpack
import pytest

from tests.exercises.judged import said


def test_zigzag_may_be_done_with_bits():
    assert said("8.1", lambda number: (number << 1) ^ (number >> 63)) is None
    assert said("8.1", lambda number: 2 * number if number >= 0 else -2 * number) is not None


def test_packing_may_be_left_to_a_library():
    assert said("8.2", msgpack.packb) is None


def test_what_packing_forgets_is_named():
    def letters(value):
        data = bytearray(msgpack.packb(value))
        if isinstance(value, str) and len(value) != len(value.encode()):
            data[0] = 0xA0 + len(value)
        return bytes(data)

    def true_is_one(value):
        return b"\x01" if value is True else msgpack.packb(value)

    assert "Für Elise" in said("8.2", letters)
    assert "`pack(True)` gave `01`; `c3` is expected" in said("8.2", true_is_one)
    assert "bytes are expected" in said("8.2", lambda value: msgpack.packb(value).hex())
    assert "raised KeyError" in said("8.2", lambda value: {}[value])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"a", "b", "c", "d"}, "number 2"),
        ({"a", "b", "d", "e"}, "likes as plays"),
        ({"a", "d"}, "One is missing"),
        ({"b"}, ""),
        (set(), ""),
    ],
)
def test_unsafe_changes_are_told_apart(answer, words):
    assert words in said("8.3", answer)


def test_a_status_by_hand():
    def wrong_order(content_type, accept):
        from helpers.formats import best_of

        if best_of(accept, ["application/json", "application/xml"]) is None:
            return 406
        kind = content_type.partition(";")[0].strip().lower()
        return 201 if kind in ("application/json", "application/cbor") else 415

    assert "415" in said("8.4", wrong_order)


def test_titles_that_were_never_broken():
    def forgiving(title):
        return title.encode("latin-1", "ignore").decode("utf-8", "ignore")

    assert said("8.5", forgiving) is not None


def test_messages_may_be_a_generator_no_but_a_tuple_yes():
    def right(data):
        found, at = [], 0
        while at + 5 <= len(data):
            end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")
            if end > len(data):
                break
            found.append(data[at + 5 : end])
            at = end
        return found, data[at:]

    assert said("8.6", right) is None
    assert said("8.6", lambda data: right(data)[0]) is not None


def test_a_musician_listens_and_answers():
    def up(note):
        return note[:-1] + str(int(note[-1]) + 1)

    assert said("8.7", lambda notes: map(up, notes)) is None
    assert said("8.7", lambda notes: (up(note) for note in notes)) is None
    assert "5 notes before answer number 1" in said("8.7", lambda notes: [up(n) for n in notes])
    assert "can't be gone through" in said("8.7", lambda notes: None)
    assert "the answer was" in said("8.7", lambda notes: notes)

    def one_late(notes):
        last = None
        for note in notes:
            if last:
                yield up(last)
            last = note
        yield up(last)

    assert "2 notes before answer number 1" in said("8.7", one_late)

    def talkative(notes):
        yield from map(up, notes)
        yield "C9"

    assert "one more answer" in said("8.7", talkative)

    def by_hand(notes):
        while True:
            yield up(next(notes))

    assert "After the last note it raised RuntimeError" in said("8.7", by_hand)


def test_what_was_let_through_once():
    assert said("8.1", lambda n: (n << 1) ^ (n >> 31)) is not None
    assert said("8.3", frozenset({"a", "b", "d"})) is None

    def any_star(content_type, accept):
        if content_type.partition(";")[0].strip().lower() not in (
            "application/json",
            "application/cbor",
        ):
            return 415
        return 201 if "*" in accept or accept == "application/json" else 406

    assert said("8.4", any_star) is not None

    def by_letter(title):
        return title.encode("latin-1").decode() if "Ã" in title else title

    assert said("8.5", by_letter) is not None

    def flag_counted(data):
        found = []
        while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[:5], "big"):
            end = 5 + int.from_bytes(data[:5], "big")
            found.append(data[5:end])
            data = data[end:]
        return found, data

    assert said("8.6", flag_counted) is not None
