"""One song in every format: nine ways to write the same facts as bytes.

``FORMATS`` has each by its name, with ``encode`` (a song in, bytes out), ``decode`` (the other way)
and its media type. JSON, MessagePack, CBOR and BSON need no schema; they also have ``pack`` and
``unpack``, which take any value that the format knows. Each stands on the library that its field
uses, and each module's first lines say what the format can't carry.

``read_json``, ``read_messagepack`` and ``read_fields`` (Protocol Buffers without a schema) are readers
written by hand, to be read.

A message from outside may be anything: ``decode`` and ``unpack`` answer with a `FormatError` in one
sentence, and need time and memory in proportion to the message, which has 1 MiB at most.
"""

from ._errors import FormatError
from ._formats import FORMATS, Format
from ._json_reader import read_json
from ._messagepack_reader import Extension, read_messagepack
from ._protobuf_reader import Field, read_fields

__all__ = [
    "FORMATS",
    "Extension",
    "Field",
    "Format",
    "FormatError",
    "read_fields",
    "read_json",
    "read_messagepack",
]
