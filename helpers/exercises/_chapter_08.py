"""The exercises of chapter 8, Message formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps

from . import exercise, items, show, works_like


@exercise(
    "8.1",
    hints=(
        "0, 1, 2 become 0, 2, 4. Where do -1, -2, -3 go, so that no place stays empty?",
        "For a number below zero it is `-2 * number - 1`.",
    ),
    typical_mistake=('def zigzag(number):\n    return 2 * abs(number)\ncheck("8.1", zigzag)'),
    why="Small numbers stay small, on both sides of zero, and so their varints are short.",
)
def zigzag(answer: Callable):
    numbers = {0: 0, -1: 1, 1: 2, -2: 3, 2: 4, -64: 127, 64: 128, -(2**31): 2**32 - 1}
    numbers |= {2**63 - 1: 2**64 - 2, -(2**63): 2**64 - 1}
    return works_like(answer, [((number,), written) for number, written in numbers.items()])


@exercise(
    "8.2",
    hints=(
        "The first byte of a text says how many *bytes* follow, not how many letters.",
        "`True` is a number for Python, too: look for None, True and False before numbers. For "
        "what is inside a list or a dictionary, call `pack` again.",
    ),
    typical_mistake=(
        "def pack(value):\n"
        "    if isinstance(value, dict):\n"
        "        members = [part for pair in value.items() for part in pair]\n"
        "        return bytes([0x80 + len(value)]) + b''.join(map(pack, members))\n"
        "    if isinstance(value, list):\n"
        "        return bytes([0x90 + len(value)]) + b''.join(map(pack, value))\n"
        "    if isinstance(value, str):\n"
        "        return bytes([0xA0 + len(value)]) + value.encode()\n"
        "    words = {None: 0xC0, False: 0xC2, True: 0xC3}\n"
        "    small = value is not None and not isinstance(value, bool)\n"
        "    return bytes([value if small else words[value]])\n"
        'check("8.2", pack)'
    ),
    why="Five rules write most of what an API sends.",
)
def small_messagepack(answer: Callable):
    import msgpack

    values = [
        0, 127, "", "la", "x" * 31, None, True, False, [], [1, 2], {}, {"year": 18},
        {"title": "Elise", "tags": ["piano", None], "free": True}, [[[]], {"a": {"b": [0]}}],
        list(range(15)), [0, False, 1, True], "Für Elise", {"é": "ü"},
    ]  # fmt: skip
    for value in values:
        given = f"`pack({value!r})`"
        try:
            got = answer(value)
        except Exception as error:
            return f"{given} raised {type(error).__name__}: {show(str(error))}."
        expected = msgpack.packb(value)
        if not isinstance(got, bytes | bytearray):
            return f"{given} gave {show(got)}; bytes are expected."
        if got != expected:
            return f"{given} gave {_hex(got)}; {_hex(expected)} is expected."
    return None


def _hex(data: bytes) -> str:
    written = bytes(data[:12]).hex(" ")
    return f"`{written}{' ...' if len(data) > 12 else ''}`" if data else "no bytes"


@exercise(
    "8.3",
    hints=(
        "What travels: names, or numbers? An old reader goes by what travels.",
        "Three of the five are safe.",
    ),
    typical_mistake='check("8.3", {"a", "d"})',
    why="Names don't travel, and a number that once meant something never means anything else.",
)
def safe_changes(answer: set | frozenset):
    if "c" in answer:
        return "With c, an old reader looks for number 2, and finds nothing there."
    if "e" in answer:
        return "With e, an old app shows likes as plays: both are numbers, so nobody notices."
    if {"a", "d"} <= answer and "b" not in answer:
        return "One is missing: which of the others changes nothing in the bytes?"
    return items(answer, {"a", "b", "d"})


@exercise(
    "8.4",
    hints=(
        "What stands behind a semicolon belongs to the type's details. And a media type may be "
        "written in capitals.",
        "`best_of(accept, WRITES)` is None if nothing of it will do.",
    ),
    typical_mistake=(
        "def status(content_type, accept):\n"
        "    from helpers.formats import best_of\n"
        "    if content_type not in ['application/json', 'application/cbor']:\n"
        "        return 415\n"
        "    chosen = best_of(accept, ['application/json', 'application/xml'])\n"
        "    return 406 if chosen is None else 201\n"
        'check("8.4", status)'
    ),
    why="415 is about what came in, 406 about what would go out.",
)
def status_of_a_request(answer: Callable):
    json, cbor = "application/json", "application/cbor"
    return works_like(
        answer,
        [
            ((json, json), 201),
            ((cbor, "*/*"), 201),
            ((cbor, cbor), 406),
            (("application/xml", "application/xml"), 415),
            (("image/png", "image/png"), 415),
            ((json, "text/html, application/*;q=0.1"), 201),
            ((json, f"{json};q=0"), 406),
            ((json, "image/*"), 406),
            ((json, "text/html"), 406),
            ((json, f"{json};q=0, application/xml;q=0, */*"), 406),
            ((f"{json}; charset=utf-8", json), 201),
            ((f"{json};charset=utf-8", json), 201),
            ((f"{json} ; charset=utf-8", json), 201),
            (("Application/JSON", json), 201),
            (("application/json-seq", json), 415),
        ],
    )


@exercise(
    "8.5",
    hints=(
        '`title.encode("latin-1").decode("utf-8")` turns it back, and fails for titles that '
        "were never broken.",
        "Both errors, of `encode` and of `decode`, are a `UnicodeError`.",
    ),
    typical_mistake=(
        'def mend(title):\n    return title.encode("latin-1").decode("utf-8")\ncheck("8.5", mend)'
    ),
    why="A title in good order is hardly ever UTF-8 by chance: that is what makes this safe.",
)
def mended(answer: Callable):
    titles = {
        "FÃ¼r Elise": "Für Elise",
        "Für Elise": "Für Elise",
        "Clair de lune": "Clair de lune",
        "DvoÅ\x99Ã¡k": "Dvořák",
        "さくら": "さくら",
        "ã\x81\x95ã\x81\x8fã\x82\x89": "さくら",
        "JOÃO": "JOÃO",
        "": "",
    }
    return works_like(answer, [((broken,), good) for broken, good in titles.items()])


@exercise(
    "8.6",
    hints=(
        "Byte 0 is the flag, bytes 1 to 4 are the length, the largest byte first.",
        "Stop when there are fewer than five bytes, or fewer than the length says; what you have "
        "not used is the rest.",
    ),
    typical_mistake=(
        "def messages(data):\n"
        "    found = []\n"
        "    while data:\n"
        "        size = int.from_bytes(data[1:5])\n"
        "        found.append(data[5 : 5 + size])\n"
        "        data = data[5 + size :]\n"
        "    return found, data\n"
        'check("8.6", messages)'
    ),
    why="A network cuts where it likes: whoever reads a stream keeps what is not complete yet.",
)
def grpc_messages(answer: Callable):
    one, two, empty = b"\0\0\0\0\2la", b"\0\0\0\1\0" + b"x" * 256, b"\0\0\0\0\0"
    flagged, large = b"\1" + one[1:], b"\0\0\1\0\0" + b"x" * 65536

    @wraps(answer)
    def messages(data: bytes):
        got = answer(data)
        return tuple(got) if isinstance(got, list) and len(got) == 2 else got

    return works_like(
        messages,
        [
            ((flagged,), ([b"la"], b"")),
            ((large,), ([b"x" * 65536], b"")),
            ((b"",), ([], b"")),
            ((one,), ([b"la"], b"")),
            ((one + one,), ([b"la", b"la"], b"")),
            ((two,), ([b"x" * 256], b"")),
            ((empty,), ([b""], b"")),
            ((empty + one,), ([b"", b"la"], b"")),
            ((one + empty,), ([b"la", b""], b"")),
            ((one[:3],), ([], one[:3])),
            ((one + two[:-1],), ([b"la"], two[:-1])),
            ((two + one[:5],), ([b"x" * 256], one[:5])),
        ],
    )


@exercise(
    "8.7",
    hints=(
        "A function with `yield` in a loop gives each answer when it is asked for the next one.",
        "The octave is the last character of the name: `note[-1]`.",
    ),
    typical_mistake=(
        "def jam(notes):\n"
        "    heard = list(notes)\n"
        "    return [note[:-1] + str(int(note[-1]) + 1) for note in heard]\n"
        'check("8.7", jam)'
    ),
    why="Each answer leaves before the next note arrives: two streams on one call.",
)
def jam(answer: Callable):
    played: list[str] = []

    def notes() -> Iterator[str]:
        for note in ("C4", "F#4", "Bb3", "E5", "A0"):
            played.append(note)
            yield note

    try:
        answers = answer(notes())
        heard = iter(answers)
    except TypeError as error:
        return f"`jam(notes)` can't be gone through: {error}."
    except Exception as error:
        return f"`jam(notes)` raised {type(error).__name__}: {show(str(error))}."
    for at, expected in enumerate(("C5", "F#5", "Bb4", "E6", "A1"), start=1):
        try:
            got = next(heard, None)
        except Exception as error:
            return f"At note {at} it raised {type(error).__name__}: {show(str(error))}."
        if got != expected:
            return f"To {played[-1] if played else 'the first note'} the answer was {show(got)}."
        if len(played) > at:
            return f"It had listened to {len(played)} notes before answer number {at} came."
    try:
        more = next(heard, None)
    except Exception as error:
        return f"After the last note it raised {type(error).__name__}: {show(str(error))}."
    if more is not None:
        return f"After the last note there was one more answer: {show(more)}."
    return None
