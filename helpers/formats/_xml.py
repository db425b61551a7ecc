"""XML 1.0, written with Python's own ElementTree and read with defusedxml.

What it can't carry: most control characters, even escaped (W3C, XML 1.0, section 2.2); types,
unless a schema says them. defusedxml refuses a document type declaration: with one, a message of a
few hundred bytes can grow to gigabytes (*billion laughs*), or read a file of the server's.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from ..music import Note, Song
from ._errors import FormatError
from ._fields import fields_of, song_of
from ._limits import checked

NAME = "XML"
MEDIA_TYPE = "application/xml"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no character for XML 1.0 (section 2.2)."""


def encode(song: Song) -> bytes:
    """A ``<song>`` with an element for each field, ``<note>`` in ``<melody>``.

    Raises:
        FormatError: a text holds a character that XML can't carry.
    """
    fields = fields_of(song)
    root = ElementTree.Element("song", id=_carried(fields.pop("id")))
    melody, aliases = fields.pop("melody"), fields.pop("aliases")
    for name, value in fields.items():
        ElementTree.SubElement(root, name).text = _carried(str(value))
    notes = ElementTree.SubElement(root, "melody")
    for note in melody:
        pitch = {} if note["pitch"] is None else {"pitch": _carried(note["pitch"])}
        ElementTree.SubElement(notes, "note", pitch, beats=repr(note["beats"]))
    for alias in aliases:
        ElementTree.SubElement(root, "alias").text = _carried(alias)
    text = ElementTree.tostring(root, encoding="unicode")
    # a bare carriage return would be read as a line feed (section 2.11)
    return text.replace("\r", "&#13;").encode()


def decode(data: bytes) -> Song:
    """The song in a ``<song>``.

    Raises:
        FormatError: it is no well-formed XML, declares a document type, or is no song.
    """
    data = checked(data, NAME)
    try:
        root = defusedxml.ElementTree.fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise FormatError(f"{NAME}: a document type declaration is not read here.") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise FormatError(f"{NAME}: {error}.") from error
    return _song(root)


def _song(root: ElementTree.Element) -> Song:
    if root.tag != "song" or set(root.attrib) != {"id"}:
        raise FormatError(
            f'{NAME}: the message begins with <song id="...">, and has no more there.'
        )
    fields: dict[str, object] = {"id": root.attrib["id"], "aliases": (aliases := [])}
    for element in root:
        if element.tag == "melody":
            value: object = [_note(one) for one in element]
        elif len(element) or element.attrib:
            raise FormatError(f"{NAME}: <{element.tag[:40]}> holds a text and nothing else.")
        elif element.tag in ("year", "tempo"):
            value = _whole(element)
        else:
            value = element.text or ""
        if element.tag == "alias":
            aliases.append(value)
        elif element.tag in fields:
            raise FormatError(f"{NAME}: <{element.tag[:40]}> comes twice.")
        else:
            fields[element.tag] = value
    return song_of(fields, NAME)


def _note(element: ElementTree.Element) -> dict[str, object]:
    if element.tag != "note" or not set(element.attrib) <= {"pitch", "beats"} or len(element):
        raise FormatError(f'{NAME}: a melody holds <note pitch="..." beats="..."/>.')
    try:
        beats = float(element.attrib.get("beats", ""))
    except ValueError as error:
        raise FormatError(f"{NAME}: the beats of a note are a number.") from error
    note = Note(element.attrib.get("pitch"), beats)
    return {"pitch": note.pitch, "beats": note.beats}


def _whole(element: ElementTree.Element) -> int:
    text = element.text or ""
    if not re.fullmatch(r"-?[0-9]{1,640}", text):
        raise FormatError(f"{NAME}: {element.tag} is a whole number, not {text[:40]!r}.")
    return int(text)


def _carried(text: str) -> str:
    if found := _NOT_XML.search(text):
        raise FormatError(f"{NAME} can't carry the character U+{ord(found[0]):04X}.")
    return text
