// The binary formats, byte for byte as `helpers.formats` writes them.
import { apart, append, FIELDS, lengthOf, TEXTS, utf8 } from "./format_bytes_parts.js";

// Binary formats that name their fields

/** A song by the writers of one format: map, name, text, whole, float, array, nothing. */
function named(song, out, as) {
  const note = ({ pitch, beats }) => {
    as.map(2);
    as.name("pitch");
    if (pitch === null) as.nothing();
    else as.text("value", pitch);
    as.name("beats");
    as.float(beats);
  };
  as.map(FIELDS.length);
  for (const field of FIELDS) {
    out.of(field, () => {
      as.name(field);
      if (TEXTS.includes(field)) as.text("value", song[field]);
      else if (field === "melody" || field === "aliases") {
        as.array(song[field].length);
        song[field].forEach((one) => (field === "melody" ? note(one) : as.text("value", one)));
      } else as.whole(song[field]);
    });
  }
}

export function messagePack(song, out) {
  const sized = (size, short, most, codes) => {
    if (size <= most) out.add("frame", [short | size]);
    else if (codes.length === 3 && size < 256) out.add("frame", [codes[0], size]);
    else {
      out.add("frame", [codes.at(size < 65536 ? -2 : -1)]);
      out.fixed("frame", size < 65536 ? 2 : 4, size < 65536 ? "setUint16" : "setUint32", size);
    }
  };
  const text = (role, value) => {
    const bytes = utf8.encode(value);
    sized(bytes.length, 0xa0, 31, [0xd9, 0xda, 0xdb]);
    out.add(role, bytes);
  };
  const whole = (number) => {
    if (number >= -32 && number < 128) return out.add("value", [number & 0xff]);
    const bits = number >= 0 ? [8, 16, 32].find((one) => number < 2 ** one) : [8, 16, 32].find((one) => number >= -(2 ** (one - 1)));
    out.add("frame", [(number >= 0 ? 0xcc : 0xd0) + Math.log2(bits / 8)]);
    return out.fixed("value", bits / 8, `set${number >= 0 ? "Uint" : "Int"}${bits}`, number);
  };
  named(song, out, {
    map: (size) => out.add("frame", [0x80 | size]),
    array: (size) => sized(size, 0x90, 15, [0xdc, 0xdd]),
    name: (word) => text("name", word),
    text,
    whole,
    float(number) {
      out.add("frame", [0xcb]);
      out.fixed("value", 8, "setFloat64", number);
    },
    nothing: () => out.add("value", [0xc0]),
  });
}

export function cbor(song, out) {
  const head = (role, major, number) => {
    if (number < 24) return out.add(role, [(major << 5) | number]);
    const bits = [8, 16, 32].find((one) => number < 2 ** one);
    out.add("frame", [(major << 5) | (24 + Math.log2(bits / 8))]);
    return out.fixed(role, bits / 8, `setUint${bits}`, number);
  };
  const text = (role, value) => {
    const bytes = utf8.encode(value);
    head("frame", 3, bytes.length);
    out.add(role, bytes);
  };
  named(song, out, {
    map: (size) => head("frame", 5, size),
    array: (size) => head("frame", 4, size),
    name: (word) => text("name", word),
    text,
    whole: (number) => (number < 0 ? head("value", 1, -1 - number) : head("value", 0, number)),
    float(number) {
      out.add("frame", [0xfb]);
      out.fixed("value", 8, "setFloat64", number);
    },
    nothing: () => out.add("value", [0xf6]),
  });
}

export function bson(song, out) {
  /** A document of [name, type, write] triples, with its length before it. */
  const document = (target, fields) => {
    const inner = apart(target.field, (writer) => {
      for (const [name, type, write, field = writer.field] of fields) {
        writer.of(field, () => {
          writer.add("frame", [type]);
          writer.text("name", name);
          writer.add("frame", [0]);
          write(writer);
        });
      }
      writer.add("frame", [0]);
    });
    target.fixed("frame", 4, "setInt32", lengthOf(inner) + 4, true);
    append(target, inner);
  };
  const text = (value) => (writer) => {
    const bytes = utf8.encode(value);
    writer.fixed("frame", 4, "setInt32", bytes.length + 1, true);
    writer.add("value", bytes);
    writer.add("frame", [0]);
  };
  const note = ({ pitch, beats }) => (writer) => document(writer, [
    pitch === null ? ["pitch", 0x0a, () => {}] : ["pitch", 0x02, text(pitch)],
    ["beats", 0x01, (one) => one.fixed("value", 8, "setFloat64", beats, true)],
  ]);
  const array = (all, type, write) => (writer) => document(writer, all.map((one, at) => [String(at), type, write(one)]));
  document(out, FIELDS.map((field) => {
    if (TEXTS.includes(field)) return [field, 0x02, text(song[field]), field];
    if (field === "melody") return [field, 0x04, array(song.melody, 0x03, note), field];
    if (field === "aliases") return [field, 0x04, array(song.aliases, 0x02, text), field];
    return [field, 0x10, (writer) => writer.fixed("value", 4, "setInt32", song[field], true), field];
  }));
}

// Binary formats with a schema

/** Seven bits a byte, the lowest first; takes a BigInt from 0 on. */
function varint(number) {
  const bytes = [];
  let rest = BigInt(number);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest);
  return bytes;
}

const zigzag = (number) => varint(number < 0 ? -2 * number - 1 : 2 * number);

export function avro(song, out) {
  const text = (value) => {
    const bytes = utf8.encode(value);
    out.add("frame", zigzag(bytes.length));
    out.add("value", bytes);
  };
  const array = (all, write) => {
    if (all.length) out.add("frame", zigzag(all.length));
    all.forEach(write);
    out.add("frame", [0]);
  };
  for (const field of FIELDS) {
    out.of(field, () => {
      if (TEXTS.includes(field)) text(song[field]);
      else if (field === "aliases") array(song.aliases, text);
      else if (field !== "melody") out.add("value", zigzag(song[field]));
      else {
        array(song.melody, ({ pitch, beats }) => {
          out.add("frame", zigzag(pitch === null ? 0 : 1)); // which of null and string it is
          if (pitch !== null) text(pitch);
          out.fixed("value", 8, "setFloat64", beats, true);
        });
      }
    });
  }
}

export function protobuf(song, out) {
  const [NUMBER, DOUBLE, BYTES] = [0, 1, 2]; // wire types
  const tag = (writer, number, type) => writer.add("name", varint((number << 3) | type));
  const text = (writer, number, value) => {
    const bytes = utf8.encode(value);
    tag(writer, number, BYTES);
    writer.add("frame", varint(bytes.length));
    writer.add("value", bytes);
  };
  const note = ({ pitch, beats }) => (writer) => {
    if (pitch !== null) text(writer, 1, pitch);
    if (beats !== 0 || Object.is(beats, -0)) {
      tag(writer, 2, DOUBLE);
      writer.fixed("value", 8, "setFloat64", beats, true);
    }
  };
  FIELDS.forEach((field, at) => out.of(field, () => {
    const number = at + 1;
    if (field === "melody") {
      for (const one of song.melody) {
        const inner = apart(field, note(one));
        tag(out, number, BYTES);
        out.add("frame", varint(lengthOf(inner)));
        append(out, inner);
      }
    } else if (field === "aliases") song.aliases.forEach((alias) => text(out, number, alias));
    else if (TEXTS.includes(field)) {
      if (song[field]) text(out, number, song[field]);
    } else if (song[field]) { // a zero is what a missing field means
      tag(out, number, NUMBER);
      out.add("value", varint(BigInt.asUintN(64, BigInt(song[field]))));
    }
  }));
}
