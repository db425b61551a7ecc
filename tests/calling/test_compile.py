"""A .proto becomes Python: what it makes, what it refuses, and what it leaves behind: nothing."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from helpers.calling import MUSIC_PROTO, ProtoError, compile_proto

SMALL = "syntax = 'proto3'; package small; message Small { int32 number = 1; }"


def test_the_music_service():
    music, music_grpc = compile_proto(MUSIC_PROTO)
    assert music.Note(pitch="E5").SerializeToString() == b"\n\x02E5"
    assert {"GetSong", "Listen", "ReportPlays", "Jam"} <= set(dir(music_grpc.MusicServicer))
    assert "class MusicStub" in music_grpc.SOURCE


def test_the_same_text_gives_the_same_modules():
    assert compile_proto(SMALL, "small") == compile_proto(SMALL, "small")
    assert compile_proto(MUSIC_PROTO) == compile_proto(MUSIC_PROTO.read_text("utf-8"), "music")


def test_another_text_of_a_name_is_refused():
    compile_proto(SMALL, "small")
    with pytest.raises(ProtoError, match=r"another small\.proto already"):
        compile_proto(SMALL.replace("number", "count"), "small")
    with pytest.raises(ProtoError, match="another service of this package"):
        compile_proto(SMALL.replace("number", "count"), "smaller")
    assert compile_proto(SMALL, "small")


def test_a_mistake_is_told_in_protocs_words():
    with pytest.raises(ProtoError) as told:
        compile_proto("syntax = 'proto3'; message A { strin b = 1; }", "wrong")
    assert str(told.value) == 'protoc says: wrong.proto:1:32: "strin" is not defined.'


@pytest.mark.parametrize("name", ["", "../up", "Music", "a b", "1a"])
def test_a_name_is_a_name(name):
    with pytest.raises(ProtoError, match="needs a name such as 'music'"):
        compile_proto(SMALL, name)


def test_nothing_stays_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = list(sys.path)
    compile_proto("syntax = 'proto3'; package clean; message Clean {}", "clean")
    with pytest.raises(ProtoError):
        compile_proto("nonsense", "nonsense")
    assert not list(Path(tmp_path).iterdir())
    assert sys.path == before
