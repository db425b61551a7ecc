"""Messages that mean harm, or were damaged: one clear error, in bounded time and memory."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.formats import FORMATS, FormatError
from helpers.formats._limits import DEEPEST, LARGEST
from helpers.music import SONGS, Song, find_song

each_format = pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))
FLIPS = 3000  # of each format


def told(form, data: bytes) -> FormatError | None:
    """The error, which has to be a sentence; None if a song came out."""
    try:
        song = form.decode(data)
    except FormatError as error:
        words = str(error)
        assert words.startswith(form.name) and words.endswith(".") and len(words) < 600, words
        return error
    assert isinstance(song, Song)
    return None


@each_format
def test_cut_off_anywhere(form):
    data = form.encode(find_song("fur-elise"))
    whole = [length for length in range(len(data)) if told(form, data[:length]) is None]
    if form.name != "Protocol Buffers":
        assert whole == []
    else:  # a message that ends behind a field is a message: the length has to come from outside
        assert whole and len(whole) < len(data) / 4


@each_format
def test_something_behind_it(form):
    data = form.encode(find_song("fur-elise"))
    for more in (b"\0", b"x", data):
        if form.name != "Protocol Buffers" or more != data:
            assert told(form, data + more), more


@each_format
def test_any_bit_flipped(form):
    chance = random.Random(f"flips of {form.name}")
    for _ in range(FLIPS):
        data = bytearray(form.encode(chance.choice(SONGS[:20])))
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        told(form, bytes(data))


@each_format
@settings(max_examples=300)
@given(data=st.binary(max_size=200))
def test_any_bytes(form, data):
    told(form, data)


@each_format
def test_empty(form):
    assert told(form, b"")


@each_format
def test_too_long(form):
    assert "are more than" in str(told(form, b" " * (LARGEST + 1)))


@pytest.mark.parametrize("name", ["JSON", "MessagePack", "CBOR", "BSON"])
def test_as_deep_as_allowed(name):
    form = FORMATS[name]
    value = {"a": 1}
    for _ in range(DEEPEST - 1):
        value = {"a": value}
    assert form.unpack(form.pack(value)) == value
    with pytest.raises(FormatError):
        form.unpack(form.pack({"a": value}))


def document(inner: bytes) -> bytes:
    """A BSON document with one field that is a document."""
    return (len(inner) + 8).to_bytes(4, "little") + b"\x03a\0" + inner + b"\0"


def deep_bson() -> bytes:
    data = b"\x05\0\0\0\0"
    for _ in range(20_000):
        data = (
            document(data)
            if len(data) < 200
            else (len(data) + 8).to_bytes(4, "little") + b"\x03a\0" + data + b"\0"
        )
    return data


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "JSON": [
        b"[" * 500_000,
        b'{"a":' * 200_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"9" * 1_000_000,
        b"1e999999",
        b"-" * 100_000,
        b'{"id":"a","id":"b"}',
        b"NaN",
        b"\xff\xfe[\x00]\x00",
        b'"\\ud800"',
    ],
    "MessagePack": [
        b"\x91" * 500_000,
        b"\x81\xa1a" * 300_000,
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\xdd\x00\x0f\x00\x00" + b"\x90" * 900_000,
        b"\x82\xa2id\x01\xa2id\x02",
        b"\x81\x90\x01",
        b"\xc1",
    ],
    "CBOR": [
        b"\x81" * 500_000,
        b"\xa1\x61a" * 300_000,
        b"\x9f" * 500_000,
        b"\xd8\x1c" * 300_000,
        b"\x9b" + b"\xff" * 8,
        b"\xbb" + b"\xff" * 8,
        b"\x5b" + b"\xff" * 8,
        b"\x7b\x00\x00\x00\xff\xff\xff\xff\xff",
        b"\xc2\x5a\x00\x0f\x00\x00" + b"\xff" * 983_040,
        b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\xd8\x23\x78\x20" + b"(a+)+" * 6 + b"b$",
        b"\xa2\x62id\x01\x62id\x02",
    ],
    "BSON": [
        deep_bson(),
        b"\xff\xff\xff\x7f" + b"\0" * 100,
        b"\x0c\0\0\0\x02a\0\xff\xff\xff\x7f\0",
        b"\x05\0\0\0\x01",
        b"\x13\0\0\0\x10a\0\x01\0\0\0\x10a\0\x02\0\0\0\0",
        b"\xff\xff\xff\xff",
    ],
    "XML": [
        b"<a>" * 300_000,
        f'<!DOCTYPE song [<!ENTITY l0 "la">{LAUGHS}]><song id="&l11;"/>'.encode(),
        b'<!DOCTYPE song [<!ENTITY a "' + b"a" * 50_000 + b'">]><song>' + b"&a;" * 50_000 + b"</song>",
        b'<!DOCTYPE song [<!ENTITY f SYSTEM "file:///etc/passwd">]><song id="&f;"/>',
        b'<!DOCTYPE song SYSTEM "http://127.0.0.1:1/x.dtd"><song id="a"/>',
        b'<?xml version="1.0" encoding="utf-7"?><song/>',
        b'<?xml version="1.0" encoding="no-such"?><song/>',
        b'<song id="a" id="b"/>',
        b"<song " + b" ".join(b'a%d="1"' % n for n in range(60_000)) + b"/>",
    ],
    "Avro": [
        b"\xff" * 1000,
        b"\xfe\xff\xff\xff\x0f" + b"a" * 100,
        b"\x02a" * 3 + b"\x00\x02a\x00\x02a" + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x02a" * 3 + b"\x00\x02a\x00\x02a" + b"\x01\x02" * 1000,
    ],
    "Protocol Buffers": [
        b"\x0b" * 500_000,
        b"\x42\x80\x80\x80\x80\x08",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x80" * 1000,
        b"\x0a\x02\xff\xfe",
        b"\x07",
        b"\x00",
    ],
    "CSV": [b'"' * 500_001, b"a," * 300_000, b'"' + b"a" * 1_000_000, b"a\r\n" * 200_000],
    "plain text": [b": " * 500_000, b"a: b\n" * 200_000, b"year: " + b"9" * 1_000_000 + b"\n"],
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_each_attack_is_one_sentence(name):
    for data in HOSTILE[name]:
        assert told(FORMATS[name], data), data[:40]


IN_LITTLE_MEMORY = """
import resource
from helpers.formats import FORMATS, FormatError
from tests.formats.test_hostile import HOSTILE
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = used + 256 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for name, attacks in HOSTILE.items():
    for data in attacks:
        try:
            FORMATS[name].decode(data)
        except FormatError:
            pass
print("all told")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's memory is Linux's")
def test_all_of_them_in_little_memory():
    done = subprocess.run(
        [sys.executable, "-c", IN_LITTLE_MEMORY], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "all told\n", done.stderr[-3000:]


def test_the_laughs_would_have_been_a_billion():
    """The attack is a real one: written out it would be 2 x 10^11 bytes."""
    assert len("la") * 10**11 > 10**9 and len(LAUGHS) < 1000
