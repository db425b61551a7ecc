"""One song in every format: nine ways to write the same facts as bytes.

``FORMATS`` has each by its name, with ``encode`` (a song in, bytes out), ``decode`` (the other way)
and its media type. JSON, MessagePack, CBOR and BSON need no schema; they also have ``pack`` and
``unpack``, which take any value that the format knows. Each stands on the library that its field
uses, and each module's first lines say what the format can't carry.

``read_json``, ``read_messagepack`` and ``read_fields`` (Protocol Buffers without a schema) are readers
written by hand, to be read; ``json_value`` and ``messagepack_value`` are the hearts of two of them.
``AVRO_SCHEMA`` and ``SONG_PROTO`` say what a song is where the format needs it; ``message_class``
makes a class of Protocol Buffers from a list of fields. ``best_of`` chooses among media types by a
request's ``Accept``.

A message from outside may be anything: ``decode`` and ``unpack`` answer with a `FormatError` in one
sentence, and need time and memory in proportion to the message, which has 1 MiB at most.
"""

from ._avro import SCHEMA as AVRO_SCHEMA
from ._errors import FormatError
from ._formats import FORMATS, Format
from ._json_reader import json_value, read_json
from ._messagepack_reader import Extension, messagepack_value, read_messagepack
from ._negotiation import best_of
from ._protobuf import SONG_PROTO
from ._protobuf_reader import Field, read_fields
from ._versions import message_class

__all__ = [
    "AVRO_SCHEMA",
    "FORMATS",
    "SONG_PROTO",
    "Extension",
    "Field",
    "Format",
    "FormatError",
    "best_of",
    "json_value",
    "message_class",
    "messagepack_value",
    "read_fields",
    "read_json",
    "read_messagepack",
]
