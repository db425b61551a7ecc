"""Cut an icon font down to the icons that a site uses.

A TrueType font is a list of tables (OpenType specification 1.9, "Organization of an OpenType
font"). Glyphs that are not wanted keep their number and lose their outline; the character map
lists the wanted ones only. The result is packed as WOFF 1.0 (W3C Recommendation, 2012).
"""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise

_KEPT = (b"OS/2", b"cmap", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"name", b"post")


def subset_font(font: bytes, characters: set[int]) -> bytes:
    """A WOFF font with the outlines of `characters` (code points) only, from a TrueType font.

    Characters that the font lacks are left out. Raises ValueError if this is no TrueType font.
    """
    tables = _read_tables(font)
    missing = [tag.decode() for tag in _KEPT if tag not in tables]
    if missing:
        raise ValueError(f"The font has no table {', '.join(missing)}: it is not TrueType.")
    mapping = {
        code: glyph for code, glyph in _read_cmap(tables[b"cmap"]).items() if code in characters
    }
    long_offsets = struct.unpack_from(">h", tables[b"head"], 50)[0]
    glyphs = _read_glyphs(tables[b"glyf"], tables[b"loca"], bool(long_offsets))
    wanted = _with_components(glyphs, {0, *mapping.values()})

    outlines, offsets = bytearray(), [0]
    for number, glyph in enumerate(glyphs):
        if number in wanted:
            outlines += glyph + bytes(-len(glyph) % 4)
        offsets.append(len(outlines))
    tables[b"glyf"] = bytes(outlines)
    tables[b"loca"] = struct.pack(f">{len(offsets)}I", *offsets)
    tables[b"head"] = tables[b"head"][:50] + struct.pack(">h", 1) + tables[b"head"][52:]
    tables[b"cmap"] = _write_cmap(mapping)
    # Version 3.0 of this table holds no glyph names ("post", OpenType specification).
    tables[b"post"] = struct.pack(">I", 0x00030000) + tables[b"post"][4:32]
    return _write_woff(font[:4], {tag: tables[tag] for tag in _KEPT})


def _read_tables(font: bytes) -> dict[bytes, bytes]:
    if len(font) < 12:
        raise ValueError("The font file is too short to be a font.")
    count = struct.unpack_from(">H", font, 4)[0]
    tables = {}
    for place in range(12, 12 + 16 * count, 16):
        tag, _, offset, length = struct.unpack_from(">4sIII", font, place)
        tables[tag] = font[offset : offset + length]
    return tables


def _read_cmap(table: bytes) -> dict[int, int]:
    """Code points to glyph numbers, from the Unicode subtables of format 4 and 12."""
    mapping: dict[int, int] = {}
    for index in range(struct.unpack_from(">H", table, 2)[0]):
        platform, _, offset = struct.unpack_from(">HHI", table, 4 + 8 * index)
        kind = struct.unpack_from(">H", table, offset)[0]
        if platform not in (0, 3):
            continue
        if kind == 12:
            for group in range(struct.unpack_from(">I", table, offset + 12)[0]):
                first, last, glyph = struct.unpack_from(">III", table, offset + 16 + 12 * group)
                mapping.update((code, glyph + code - first) for code in range(first, last + 1))
        elif kind == 4:
            mapping.update(_read_cmap_4(table, offset))
    return mapping


def _read_cmap_4(table: bytes, offset: int) -> dict[int, int]:
    count = struct.unpack_from(">H", table, offset + 6)[0] // 2
    arrays = offset + 14
    ends = struct.unpack_from(f">{count}H", table, arrays)
    starts = struct.unpack_from(f">{count}H", table, arrays + 2 * count + 2)
    deltas = struct.unpack_from(f">{count}h", table, arrays + 4 * count + 2)
    ranges_at = arrays + 6 * count + 2
    ranges = struct.unpack_from(f">{count}H", table, ranges_at)
    mapping = {}
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for code in range(start, min(end, 0xFFFE) + 1):
            glyph = code
            if ranges[index]:
                # The range offset counts from its own place in the array.
                place = ranges_at + 2 * index + ranges[index] + 2 * (code - start)
                glyph = struct.unpack_from(">H", table, place)[0]
            if glyph:
                mapping[code] = (glyph + deltas[index]) & 0xFFFF
    return mapping


def _read_glyphs(glyf: bytes, loca: bytes, long_offsets: bool) -> list[bytes]:
    size = 4 if long_offsets else 2
    offsets = struct.unpack(f">{len(loca) // size}{'I' if long_offsets else 'H'}", loca)
    scale = 1 if long_offsets else 2
    return [glyf[start * scale : end * scale] for start, end in pairwise(offsets)]


def _with_components(glyphs: list[bytes], wanted: set[int]) -> set[int]:
    """The wanted glyphs and those that they are composed of."""
    found, waiting = set(), list(wanted)
    while waiting:
        number = waiting.pop()
        if number in found:
            continue
        found.add(number)
        glyph = glyphs[number]
        if len(glyph) < 10 or struct.unpack_from(">h", glyph)[0] >= 0:
            continue
        place, more = 10, True
        while more:
            flags, component = struct.unpack_from(">HH", glyph, place)
            waiting.append(component)
            # Sizes of the arguments and of the transformation ("glyf", composite glyphs).
            place += 8 if flags & 0x0001 else 6
            place += 2 if flags & 0x0008 else 4 if flags & 0x0040 else 8 if flags & 0x0080 else 0
            more = bool(flags & 0x0020)
    return found


def _write_cmap(mapping: dict[int, int]) -> bytes:
    groups = b"".join(
        struct.pack(">III", code, code, glyph) for code, glyph in sorted(mapping.items())
    )
    subtable = struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(mapping)) + groups
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + subtable


def _write_woff(flavour: bytes, tables: dict[bytes, bytes]) -> bytes:
    directory, body = b"", b""
    start = 44 + 20 * len(tables)
    for tag, content in sorted(tables.items()):
        packed = zlib.compress(content, 9)
        packed = packed if len(packed) < len(content) else content
        padded = content + bytes(-len(content) % 4)
        checksum = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        directory += struct.pack(
            ">4sIIII", tag, start + len(body), len(packed), len(content), checksum
        )
        body += packed + bytes(-len(packed) % 4)
    unpacked = 12 + 16 * len(tables) + sum(len(one) + -len(one) % 4 for one in tables.values())
    header = struct.pack(
        ">4s4sIHHIHHIIIII",
        b"wOFF",
        flavour,
        start + len(body),
        len(tables),
        0,
        unpacked,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
    )
    return header + directory + body
