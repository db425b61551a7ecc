"""Messages of Protocol Buffers from a list of fields, to see what happens when the list changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2

from ._protobuf import class_of

_Type = descriptor_pb2.FieldDescriptorProto


def message_class(fields: Mapping[int, tuple[str, str]]) -> type[Any]:
    """The class that protoc would make of a message with these fields.

    Args:
        fields: by number, each a name and a type: ``{1: ("title", "string")}``. Types are the
            scalar ones, such as ``int32``, ``bool`` or ``bytes``; ``repeated int32`` is a list.

    Returns:
        A class of messages, with ``SerializeToString`` and ``FromString``.

    Raises:
        ValueError: there is no such type, or a number or a name can't be a field's.
    """
    file = descriptor_pb2.FileDescriptorProto(name="version.proto", syntax="proto3")
    message = file.message_type.add(name="Message")
    for number, (name, written) in fields.items():
        label, kind = _Type.LABEL_OPTIONAL, written
        if written.startswith("repeated "):
            label, kind = _Type.LABEL_REPEATED, written.removeprefix("repeated ")
        if kind not in _SCALARS:
            raise ValueError(f"{written!r} is no type of Protocol Buffers that stands by itself.")
        if not (isinstance(number, int) and 0 < number < 1 << 29):
            raise ValueError(f"A field's number is 1 to 536,870,911, and not {number!r}.")
        message.field.add(name=name, number=number, type=_SCALARS[kind], label=label)
    try:
        return class_of(file, "Message")
    except TypeError as error:
        raise ValueError(f"These can't be the fields of one message: {error}.") from error


_SCALARS = {
    name.removeprefix("TYPE_").lower(): number
    for name, number in _Type.Type.items()
    if name not in ("TYPE_MESSAGE", "TYPE_GROUP", "TYPE_ENUM")
}
