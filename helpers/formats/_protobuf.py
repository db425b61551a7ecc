"""Protocol Buffers (proto3), with Google's own package: a number and a wire type for each field.

``song.proto`` says which number is which field. protoc would make Python of it; here the same
description is put together when the module is imported, so that nothing has to be generated (a test
holds the two together). What it can't carry: whole numbers beyond 32 or 64 bits; a missing text as
against an empty one, unless the field is ``optional``; and a message that is cut off behind a field
is a message, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from ..music import Note, Song
from ._errors import FormatError
from ._fields import fields_of, song_of
from ._limits import checked

NAME = "Protocol Buffers"
MEDIA_TYPE = "application/protobuf"
SONG_PROTO = Path(__file__).parent / "song.proto"
"""What a song is, in the language of Protocol Buffers."""

_Type = descriptor_pb2.FieldDescriptorProto
_TEXT, _WHOLE, _NUMBER = _Type.TYPE_STRING, _Type.TYPE_INT32, _Type.TYPE_DOUBLE


def description() -> descriptor_pb2.FileDescriptorProto:
    """What protoc makes of ``song.proto``."""
    file = descriptor_pb2.FileDescriptorProto(name="song.proto", package="music", syntax="proto3")
    note = file.message_type.add(name="Note")
    pitch = _field(note, "pitch", 1, _TEXT)
    pitch.proto3_optional, pitch.oneof_index = True, 0
    note.oneof_decl.add(name="_pitch")
    _field(note, "beats", 2, _NUMBER)
    song = file.message_type.add(name="Song")
    texts = {"id": 1, "title": 2, "composer": 3, "key": 5, "genre": 7}
    for name, number in sorted({**texts, "year": 4, "tempo": 6}.items(), key=lambda one: one[1]):
        _field(song, name, number, _TEXT if name in texts else _WHOLE)
    melody = _field(song, "melody", 8, _Type.TYPE_MESSAGE, _Type.LABEL_REPEATED)
    melody.type_name = ".music.Note"
    _field(song, "aliases", 9, _TEXT, _Type.LABEL_REPEATED)
    return file


def _field(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    kind: Any,
    label: Any = _Type.LABEL_OPTIONAL,
) -> descriptor_pb2.FieldDescriptorProto:
    return message.field.add(name=name, number=number, type=kind, label=label, json_name=name)


def class_of(file: descriptor_pb2.FileDescriptorProto, name: str) -> type[Any]:
    """The class of a message of a described file, which shares its names with no other file.

    Raises:
        TypeError: the description is not one that protoc could have made.
    """
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


SongMessage = class_of(description(), "music.Song")
"""The class that protoc would have made for ``message Song``."""


def encode(song: Song) -> bytes:
    """The song as a message Song, its fields in the order of their numbers.

    Raises:
        FormatError: a value does not fit its type.
    """
    fields = fields_of(song)
    try:
        notes = [{k: v for k, v in note.items() if v is not None} for note in fields.pop("melody")]
        message = SongMessage(**fields)
        for note in notes:
            message.melody.add(**note)
        return message.SerializeToString(deterministic=True)
    except (ValueError, TypeError, OverflowError) as error:
        raise FormatError(f"{NAME} can't carry this: {str(error).rstrip('.')}.") from error


def decode(data: bytes) -> Song:
    """The song in a message Song. Fields that it does not know are passed over.

    Raises:
        FormatError: the bytes are no message, or the message has no id.
    """
    message = SongMessage()
    try:
        message.ParseFromString(checked(data, NAME))
    except (DecodeError, ValueError) as error:
        raise FormatError(f"{NAME}: {str(error).rstrip('.')}.") from error
    if not message.id:
        raise FormatError(f"{NAME}: the song has no id.")
    melody = [
        Note(note.pitch if note.HasField("pitch") else None, note.beats) for note in message.melody
    ]
    fields = {name: getattr(message, name) for name in ("id", "title", "composer", "key", "genre")}
    return song_of(
        {
            **fields,
            "year": message.year,
            "tempo": message.tempo,
            "melody": [{"pitch": note.pitch, "beats": note.beats} for note in melody],
            "aliases": list(message.aliases),
        },
        NAME,
    )
