"""The schemas, and what the makers of each format say about the same bytes."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import fastavro
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

import helpers.formats
from helpers.formats import FORMATS, _avro, _protobuf
from helpers.music import SONGS, find_song

FOLDER = Path(helpers.formats.__file__).parent


def test_the_description_is_what_protoc_makes(tmp_path):
    done = protoc.main(
        [
            "protoc",
            f"--proto_path={FOLDER}",
            f"--proto_path={files('grpc_tools') / '_proto'}",
            f"--descriptor_set_out={tmp_path / 'song.bin'}",
            "song.proto",
        ]
    )
    assert done == 0
    made = descriptor_pb2.FileDescriptorSet.FromString((tmp_path / "song.bin").read_bytes())
    assert list(made.file) == [_protobuf.description()]


def test_the_avro_schema_is_a_canonical_one():
    parsed = fastavro.parse_schema(json.loads((FOLDER / "song.avsc").read_text("utf-8")))
    assert [field["name"] for field in parsed["fields"]] == list(helpers.formats._fields.NAMES)


def test_fields_that_protocol_buffers_do_not_know_are_passed_over():
    song = find_song("fur-elise")
    unknown = b"\xf8\x06\x2a"  # field 111, a varint
    assert (
        FORMATS["Protocol Buffers"].decode(FORMATS["Protocol Buffers"].encode(song) + unknown)
        == song
    )


def test_without_the_names_it_is_shorter():
    for song in SONGS:
        size = {name: len(form.encode(song)) for name, form in FORMATS.items()}
        assert size["Avro"] < size["Protocol Buffers"] < size["MessagePack"] < size["JSON"]
        assert size["JSON"] < size["XML"]


def test_avro_says_nothing_but_values():
    data = FORMATS["Avro"].encode(find_song("fur-elise"))
    assert b"title" not in data and b"fur-elise" in data
    assert _avro.SCHEMA["name"] == "Song"
