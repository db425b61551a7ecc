"""The exercises of chapter 4, Document databases."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from . import exercise, same_json, show, works_like
from ._documents import Document, NotUnderstood, matches, updated, upserted
from ._pipelines import aggregate

_LENGTH = b"\x10\x00\x00\x00"
_PIECES = (  # what the bytes of {"plays": 7} are made of, in order
    (_LENGTH, "the length: four bytes, the smallest first, for all sixteen bytes"),
    (b"\x10", "the type of a whole number of four bytes"),
    (b"plays\x00", "the name, with a zero byte at its end"),
    (b"\x07\x00\x00\x00", "the value 7: four bytes, the smallest first"),
    (b"\x00", "the zero byte at the end of the document"),
)


@exercise(
    "4.1",
    hints=(
        "Length, type, name, value, end. A name ends with a zero byte, and so does the document.",
        "The length counts all bytes, itself and the last zero too: 4 + 1 + 6 + 4 + 1.",
    ),
    typical_mistake=(
        'check("4.1", b"\\x0c\\x00\\x00\\x00\\x10plays\\x00\\x07\\x00\\x00\\x00\\x00")'
    ),
    why="Whoever does not need the document reads its length, and jumps.",
)
def by_hand(answer: bytes):
    at = 0
    for piece, what in _PIECES:
        given = answer[at : at + len(piece)]
        if given != piece:
            return f"From byte {at} on there is {show(given)}; here stands {what}."
        at += len(piece)
    if len(answer) > at:
        return f"There are {len(answer) - at} bytes too many behind the end of the document."
    return None


_OID = "65a19d94e4b0c1a2b3d4e5f6"


@exercise(
    "4.2",
    hints=(
        "Only the first four bytes are a time. How many hexadecimal digits is that?",
        "`int(text, 16)` reads hexadecimal digits, the largest first.",
    ),
    typical_mistake=(
        "def seconds_between(first, second):\n"
        "    return int(second, 16) - int(first, 16)\n"
        'check("4.2", seconds_between)'
    ),
    why="So an id tells everybody who sees it when it was made.",
)
def how_old(answer: Callable):
    return works_like(
        answer,
        [
            ((_OID, "65a19d94e4b0c1a2b3d4e5f7"), 0),
            ((_OID, "65a19d950000000000000000"), 1),
            ((_OID, "65a19e94e4b0c1a2b3000000"), 256),
            (("65a19d95ffffffffffffffff", _OID), -1),
            (("00000000e4b0c1a2b3d4e5f6", "ffffffff0000000000000000"), 2**32 - 1),
        ],
    )


def _song(_id: str, genre: str, year: Any, pitches: str, composer: Any) -> Document:
    melody = [{"pitch": None if one == "-" else one, "beats": 1} for one in pitches.split()]
    return {"_id": _id, "genre": genre, "year": year, "melody": melody, "composer": composer}


_ADAM, _MASON = {"name": "Adolphe Adam", "born": 1803}, {"name": "Lowell Mason"}
_NOBODY = {"name": "Traditional"}
# each song, and why it belongs to the answer of 4.3 or not
_FILTERED: list[tuple[Document, bool, str]] = [
    (_song("a", "carol", 1847, "G4 C5", _ADAM), True, "it fits in every respect"),
    (_song("b", "hymn", 1800, "C5", _MASON), True, "1800 belongs to it, and so do hymns"),
    (_song("c", "hymn", 1899, "A4 C5 B4", _ADAM), True, "1899 belongs to it"),
    (_song("d", "hymn", 1850, "C5", {"born": 1801}), True, "a composer without a name is not called Traditional"),
    (_song("e", "carol", 1799, "C5", _ADAM), False, "it is from 1799"),
    (_song("f", "carol", 1900, "C5", _ADAM), False, "it is from 1900"),
    (_song("g", "carol", 1847, "C4 G4", _ADAM), False, "there is no C5 in its melody"),
    (_song("h", "march", 1847, "C5", _ADAM), False, "it is a march"),
    (_song("i", "carol", 1847, "C5", _NOBODY), False, "its composer is called Traditional"),
    (_song("j", "carol", 1847, "C5", {"name": "Traditional", "born": 1}), False,
     "its composer is called Traditional, and has another field besides"),
    (_song("k", "carol", "1847", "C5", _ADAM), False, "its year is text"),
    (_song("l", "carol", 1847, "- G4", _ADAM), False, "there is no C5 in its melody"),
]  # fmt: skip


@exercise(
    "4.3",
    hints=(
        "Four fields, and all of them must fit: one dictionary with four entries.",
        "`$in` for the genres, `$gte` and `$lt` for the years, `$ne` for the composer; a note is `melody.pitch`.",
    ),
    typical_mistake=(
        'check("4.3", {"genre": {"$in": ["carol", "hymn"]}, "year": {"$lt": 1900}, '
        '"melody": "C5", "composer": {"$ne": "Traditional"}})'
    ),
    why="All entries of a filter have to fit; of a list, one member is enough.",
)
def a_filter(answer: dict):
    for song, wanted, reason in _FILTERED:
        try:
            found = matches(copy.deepcopy(song), answer)
        except (NotUnderstood, TypeError, AttributeError) as error:
            return f"This filter can't be used: {error}."
        if found != wanted:
            facts = {**song, "melody": [{"pitch": one["pitch"]} for one in song["melody"]]}
            verb = "finds" if found else "does not find"
            return f"It {verb} the song {_short(facts)}, but {reason}."
    return None


def _short(document: Document) -> str:
    return f"`{show({n: v for n, v in document.items() if n != '_id'}, 160)}`"


_BEFORE: list[Document] = [
    {"_id": "one", "title": "Prelude", "composer": {"name": "Bach"}, "year": 1700},
    {"_id": "two", "title": "Air", "composer": {"name": "Bach", "born": 1}, "year": 1731,
     "likes": 4, "tags": ["suite", "first"], "aliases": ["On the G String"]},
    {"_id": "three", "title": "Fugue", "composer": {"name": "Bach"}, "likes": 0, "tags": []},
]  # fmt: skip


@exercise(
    "4.4",
    hints=(
        "Three operators in one dictionary: `$set`, `$inc`, `$push`. Each takes a dictionary of fields.",
        "`$set` writes a value, `$inc` adds to a number, `$push` appends to a list. A dotted path leaves the rest of the inner document alone.",
    ),
    typical_mistake=(
        'check("4.4", {"$set": {"year": 1722, "composer": {"born": 1685}}, '
        '"$inc": {"likes": 1}, "$push": {"tags": "first"}})'
    ),
    why="One update is one atomic change of one document.",
)
def one_update(answer: dict):
    for before in _BEFORE:
        expected = copy.deepcopy(before)
        expected["composer"]["born"], expected["year"] = 1685, 1722
        expected["likes"] = before.get("likes", 0) + 1
        expected["tags"] = [*before.get("tags", []), "first"]
        try:
            after = updated(before, answer)
        except (NotUnderstood, TypeError, ValueError, AttributeError, IndexError) as error:
            return f"This update can't be used: {error}."
        if problem := same_json(after, expected):
            problem = problem.removeprefix("Your answer").lstrip(", ")
            return f"The document {_short(before)} is wrong after it, {problem}"
    return None


def _plays() -> list[Document]:
    """Plays in which the sums, the numbers of plays and the orders all differ."""
    rows = [  # listener, day, seconds
        ("ada", "2026-01-05", [10, 20, 30]), ("grace", "2026-01-05", [200]),
        ("alan", "2026-01-05", [40, 20]), ("lynn", "2026-01-05", [5] * 5),
        ("vint", "2026-01-05", [61]), ("barbara", "2026-01-04", [900]),
        ("ada", "2026-01-06", [500]), ("radia", "2026-01-05", [30, 30]),
    ]  # fmt: skip
    plays = [
        {"listener": listener, "day": day, "seconds": seconds, "song_id": "minuet-in-g"}
        for listener, day, heard in reversed(rows)
        for seconds in heard
    ]
    return [{"_id": number, **play} for number, play in enumerate(plays)]


def _piped(answer: list, documents: list[Document], expected: list[Document]) -> str | None:
    """What is wrong with what comes out of the reader's pipeline."""
    try:
        found = aggregate(documents, answer)
    except (NotUnderstood, TypeError, AttributeError) as error:
        return f"This pipeline can't be used: {error}."
    if not found:
        return "Nothing comes out of the last stage."
    wanted, given = expected[0].keys(), found[0].keys()
    if wanted != given:
        return (
            f"The documents that come out have the fields {', '.join(sorted(given))}; "
            f"they should have {', '.join(sorted(wanted))}."
        )
    if found == expected:
        return None
    if len(found) != len(expected):
        return f"{len(found)} documents come out, and {len(expected)} should. The first: {show(found[0])}."
    if sorted(map(str, found)) == sorted(map(str, expected)):
        return "The right documents come out, in the wrong order."
    wrong = next(one for one, other in zip(found, expected, strict=True) if one != other)
    due = expected[found.index(wrong)]
    tie = [name for name in due if name != "_id" and due[name] == wrong[name]]
    if tie:
        return (
            f"{show(wrong)} comes out where {show(due)} should: they have the same {tie[0]}. "
            "Sort by `_id` then."
        )
    return f"{show(wrong)} comes out, and that is not what should stand there."


@exercise(
    "4.5",
    hints=(
        "Four stages: `$match` the day, `$group` by the listener, `$sort`, `$limit`.",
        '`{"$sum": "$seconds"}` adds up seconds; `{"$sum": 1}` would count plays.',
    ),
    typical_mistake=(
        'check("4.5", [{"$match": {"day": "2026-01-05"}}, '
        '{"$group": {"_id": "$listener", "seconds": {"$sum": 1}}}, '
        '{"$sort": {"seconds": -1, "_id": 1}}, {"$limit": 3}])'
    ),
    why="`$match` first: whatever it lets go by need not be grouped.",
)
def patient_listeners(answer: list):
    expected = [
        {"_id": "grace", "seconds": 200},
        {"_id": "vint", "seconds": 61},
        {"_id": "ada", "seconds": 60},
    ]
    return _piped(answer, _plays(), expected)


_SCORES = [
    _song("a", "jig", 1800, "A4 A4 A4 - B4", _NOBODY),
    _song("b", "jig", 1801, "A4 C5", _NOBODY),
    _song("c", "jig", 1802, "C5 - C5 D5", _NOBODY),
    _song("d", "jig", 1803, "C5", _NOBODY),
]


@exercise(
    "4.6",
    hints=(
        "`$unwind` makes a document of each note. Then group twice, as in Q10.",
        "Group by pitch *and* song first; the second `$group` counts by `$_id.pitch`.",
    ),
    typical_mistake=(
        'check("4.6", [{"$unwind": "$melody"}, {"$match": {"melody.pitch": {"$ne": None}}}, '
        '{"$group": {"_id": "$melody.pitch", "songs": {"$sum": 1}}}, '
        '{"$sort": {"songs": -1, "_id": 1}}])'
    ),
    why="To count different things, make one document of each first, and count those.",
)
def which_notes(answer: list):
    counts = (("C5", 3), ("A4", 2), ("B4", 1), ("D5", 1))
    return _piped(answer, _SCORES, [{"_id": pitch, "songs": songs} for pitch, songs in counts])


def _login(name: Any, code: Any, **more: Any) -> str:
    return json.dumps({"name": name, "code": code, **more})


@exercise(
    "4.7",
    hints=(
        "Read the JSON, then look: is it a dictionary, are there the two names, is each value text?",
        "`isinstance(value, str)` for both of them, and `raise ValueError(...)` if not.",
    ),
    typical_mistake=(
        "import json\n"
        "def login_filter(body):\n"
        "    sent = json.loads(body)\n"
        '    return {"_id": sent["name"], "code": {"$eq": str(sent["code"])}}\n'
        'check("4.7", login_filter)'
    ),
    why="What comes from outside is a value, and never part of the question.",
)
def text_stays_text(answer: Callable):
    operator = {"$ne": None}
    bad = [
        _login("grace", operator), _login(operator, "482913"), _login("grace", 482913),
        _login("grace", None), _login(["grace"], "482913"), '{"name": "grace"}',
        _login("grace", "482913", admin=True), '["grace", "482913"]', '"grace"', "null", "grace",
    ]  # fmt: skip
    good = [("grace", "482913"), ("alan", ""), ("$ne", "$where"), ("Ada Müller", "0")]
    cases: list[tuple[Any, Any]] = [
        (_login(name, code), {"_id": name, "code": {"$eq": code}}) for name, code in good
    ]
    return works_like(answer, cases + [(body, ValueError) for body in bad])


_WAYS = {
    "a": ("embed", "A dozen chords, always read with the song: they can stand inside."),
    "b": ("refer", "Thousands a day: where does this list end?"),
    "c": ("embed", "Nobody else uses this address, and it is only one."),
    "d": ("refer", "Ten thousand copies of the label, and a page that needs it alone?"),
    "e": ("embed", "Three short words need no collection of their own."),
}


@exercise(
    "4.8",
    hints=(
        "Ask of each: is it read together with the rest? Do others share it? Does it have an end?",
        "Two of the five are to be referred to.",
    ),
    typical_mistake=(
        'check("4.8", {"a": "embed", "b": "embed", "c": "embed", "d": "embed", "e": "embed"})'
    ),
    why="What is shared and what grows without end gets a document of its own.",
)
def embed_or_refer(answer: dict):
    for letter, (way, reason) in _WAYS.items():
        given = answer.get(letter)
        if not isinstance(given, str) or given.strip().lower() not in ("embed", "refer"):
            return f'{letter} is {show(given)}; "embed" or "refer" is expected.'
        if given.strip().lower() != way:
            return f"{letter}: {reason}"
    if extra := sorted(map(str, answer.keys() - _WAYS.keys())):
        return f"{show(extra[0])} is none of the five."
    return None


_FULL = 50


@exercise(
    "4.9",
    hints=(
        "The filter says which bucket will do: the same song, and a count below 50.",
        "`return query, update`: the update has a `$push` for the play and an `$inc` for the count.",
    ),
    typical_mistake=(
        "def bucket(play):\n"
        '    query = {"song_id": play["song_id"]}\n'
        '    return query, {"$push": {"plays": play}, "$inc": {"count": 1}}\n'
        'check("4.9", bucket)'
    ),
    why="Each bucket has an end, and a full one is never touched again.",
)
def buckets_of_fifty(answer: Callable):
    buckets: list[Document] = []
    plays = [
        {"song_id": "b" if number % 3 else "a", "listener": "ada", "seconds": number}
        for number in range(180)  # 60 of a, 120 of b
    ]
    for play in plays:
        try:
            made = answer(copy.deepcopy(play))
        except Exception as error:
            return f"Your function raised {type(error).__name__}: {error}."
        if not isinstance(made, tuple | list) or len(made) != 2:
            return f"Your function gave {show(made)}; a filter and an update are expected."
        try:
            buckets = upserted(buckets, *made)
        except (NotUnderstood, TypeError, ValueError, AttributeError) as error:
            return f"This can't be used: {error}."
    return _look_into(buckets, plays)


def _look_into(buckets: list[Document], plays: list[Document]) -> str | None:
    for one in buckets:
        inside = one.get("plays")
        if not isinstance(inside, list) or "song_id" not in one:
            return f"A bucket looks like this: {show(one)}; song_id or the list plays is missing."
        if len(inside) > _FULL:
            return f"After {len(plays)} plays there is a bucket with {len(inside)} of them."
        if one.get("count") != len(inside):
            return f"A bucket says count {show(one.get('count'))}, and has {len(inside)} plays."
        if any(not isinstance(p, dict) or p.get("song_id") != one["song_id"] for p in inside):
            return f"In a bucket of the song {show(one['song_id'])} there is something else: {show(inside[0])}."
    kept = sorted((play for one in buckets for play in one["plays"]), key=lambda p: p["seconds"])
    if kept != plays:
        return f"Of {len(plays)} plays the buckets have {len(kept)}, or they have been changed."
    sizes = sorted(len(one["plays"]) for one in buckets)
    if sizes != [10, 20, 50, 50, 50]:
        return (
            f"The buckets have {', '.join(map(str, sizes))} plays; each is to be filled up to 50."
        )
    return None
