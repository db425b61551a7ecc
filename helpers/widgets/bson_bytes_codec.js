// BSON by its specification, version 1.1 (bsonspec.org): a document to bytes, and the bytes taken apart
// again: each byte once, in order, with what it is and how it is read.

import { BadDocument, dateText, doubleText, readDocument } from "./bson_bytes_json.js";
import { hexOf, plural } from "./bytes.js";

export const TYPES = { // the byte before each field that says what kind of value follows
  double: 0x01, string: 0x02, document: 0x03, array: 0x04, binary: 0x05, objectId: 0x07, bool: 0x08,
  date: 0x09, null: 0x0a, int32: 0x10, timestamp: 0x11, int64: 0x12, maxKey: 0x7f, minKey: 0xff,
};
const KINDS = Object.fromEntries(Object.entries(TYPES).map(([kind, code]) => [code, kind]));
const EMPTY = { null: "null", minKey: "the smallest of all keys", maxKey: "the largest of all keys" };
export const LARGEST = 2048; // bytes of a document
const MOST_HEX = 12; // bytes written out in a sentence
const MOST_TEXT = 60; // characters of a text

/** What a text in Extended JSON is in BSON: the document, its bytes, and the bytes taken apart. */
export function bsonOf(source) {
  const document = readDocument(source);
  const bytes = encode(document);
  if (bytes.length > LARGEST) {
    throw new BadDocument(`This document takes ${bytes.length} bytes, and the picture shows up to ${LARGEST}; MongoDB itself takes up to 16 MiB.`);
  }
  return { ...dissect(bytes), document, bytes };
}

/** The bytes of a document {kind, value}. */
export function encode(document) {
  const out = [];
  const utf8 = new TextEncoder();
  const fixed = (size, method, value) => {
    const view = new DataView(new ArrayBuffer(size));
    view[method](0, value, true); // little-endian
    out.push(...new Uint8Array(view.buffer));
  };
  const int32 = (value) => fixed(4, "setInt32", value);
  const text = (value) => {
    for (const byte of utf8.encode(value)) out.push(byte);
    out.push(0);
  };
  const fields = (list) => {
    const start = out.length;
    int32(0); // its length, known at the end
    for (const { name, value } of list) {
      out.push(TYPES[value.kind]);
      text(name);
      write[value.kind]?.(value.value, value);
    }
    out.push(0);
    const size = out.length - start;
    for (let at = 0; at < 4; at += 1) out[start + at] = (size >>> (8 * at)) & 0xff; // little-endian
  };
  const write = {
    document: fields,
    array: fields,
    double: (value) => fixed(8, "setFloat64", value),
    string(value) {
      int32(utf8.encode(value).length + 1);
      text(value);
    },
    binary(value, { subtype }) {
      int32(value.length);
      out.push(subtype, ...value);
    },
    objectId: (value) => out.push(...value.match(/../g).map((pair) => parseInt(pair, 16))),
    bool: (value) => out.push(Number(value)),
    date: (value) => fixed(8, "setBigInt64", value),
    int32,
    int64: (value) => fixed(8, "setBigInt64", value),
    timestamp({ t, i }) {
      fixed(4, "setUint32", i);
      fixed(4, "setUint32", t);
    },
  };
  fields(document.value);
  return Uint8Array.from(out);
}

const quoted = (text) => JSON.stringify(text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}\u2026` : text);

/** Takes bytes apart; raises BadDocument where they are no BSON that this module knows.

    Gives `parts`, {start, end, role, field, what, how} in order, which cover each byte once; `fields`, {path,
    name, kind, start, end, depth, reading}, of which the first is the whole document; and the `document`. */
export function dissect(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const parts = [];
  const fields = [{ path: "", name: "", kind: "document", start: 0, end: bytes.length, depth: 0, reading: "" }];
  let at = 0;
  let field = 0; // the one that the next part belongs to

  const wrong = (words) => { throw new BadDocument(`Byte ${at}: ${words}.`); };
  const hex = (from, to) => {
    const shown = [...bytes.subarray(from, Math.min(to, from + MOST_HEX))].map(hexOf).join(" ");
    return to - from > MOST_HEX ? `${shown} \u2026` : shown;
  };
  /** The next part; `how` makes its sentence from its bytes as text. */
  function take(size, role, what, how) {
    const [start, end] = [at, at + size];
    if (size < 0 || end > bytes.length) wrong("the bytes end too early");
    at = end;
    const part = { start, end, role, field, what, how: "" };
    if (size) parts.push(part);
    part.how = how(hex(start, end), start, end);
    return part;
  }
  const number = (method, size, role, what, as, means = "") => {
    let value;
    take(size, role, what, (shown, start) => {
      value = view[method](start, true);
      return `${as}, little-endian: ${shown} = ${method === "getFloat64" ? doubleText(value) : value}${means && means(value)}`;
    });
    return value;
  };
  const int32 = (role, what, means) => number("getInt32", 4, role, what, "int32", means);
  const ending = (what, how) => {
    if (bytes[at] !== 0) wrong(`a 00 byte ${what}, and this is none`);
    take(1, "terminator", `the 00 that ${what}`, () => how);
  };
  const text = (size, role, what) => {
    let value;
    take(size, role, what, (shown, start, end) => {
      value = utf8.decode(bytes.subarray(start, end));
      const characters = [...value].length;
      const counts = characters === size ? "" : `: ${plural(characters, "character")} in ${plural(size, "byte")}`;
      return `UTF-8: ${shown} = ${quoted(value)}${counts}`;
    });
    return value;
  };

  const read = {
    document: (me) => content(me),
    array: (me) => content(me),
    double: () => number("getFloat64", 8, "value", "", "64-bit floating point (IEEE 754)"),
    string() {
      const size = int32("length", "the text's length", () => ": so many bytes of text follow, the 00 at their end included");
      const value = text(size - 1, "value", "");
      ending("ends the text", "00 ends the text. The length before the text says the same.");
      return value;
    },
    objectId() {
      const start = at;
      take(4, "value", "ObjectId, first part: the time", (shown) => {
        const seconds = view.getUint32(start, false);
        return `uint32, big-endian: ${shown} = ${seconds} seconds since 1970 = ${new Date(1000 * seconds).toISOString().replace(".000Z", "Z")}`;
      });
      take(5, "value", "ObjectId, second part: a random number", (shown) => `5 bytes as they are: ${shown}, one random number for each process that makes ObjectIds`);
      take(3, "value", "ObjectId, third part: a counter", (shown, from) =>
        `3 bytes, big-endian: ${shown} = ${65536 * bytes[from] + view.getUint16(from + 1, false)}, one more for each ObjectId of the process`);
      return [...bytes.subarray(start, at)].map(hexOf).join("");
    },
    bool() {
      if (bytes[at] > 1) wrong("a bool is 00 or 01");
      take(1, "value", "", (shown) => `one byte: ${shown} = ${shown === "01"}`);
      return bytes[at - 1] === 1;
    },
    date: () => number("getBigInt64", 8, "value", "", "int64",
      (value) => ` milliseconds since 1970${dateText(value) && ` = ${dateText(value)}`}`),
    int32: () => int32("value", ""),
    int64: () => number("getBigInt64", 8, "value", "", "int64"),
    timestamp() {
      const i = number("getUint32", 4, "value", "a number among those of the same second", "uint32");
      const t = number("getUint32", 4, "value", "the time", "uint32", () => " seconds since 1970");
      return { t, i };
    },
    binary() {
      const size = int32("length", "the number of bytes", () => ": so many bytes of data follow after the next one");
      take(1, "type", "the subtype", (shown) => `one byte: ${shown}, what kind of data it is (00 is any)`);
      const start = at;
      take(size, "value", "", (shown) => `${plural(size, "byte")} as they are: ${shown}`);
      return bytes.slice(start, at);
    },
  };

  /** The fields of a document or an array, which field `me` holds. */
  function content(me) {
    const { kind, depth, path } = fields[me];
    const start = at;
    const whose = me ? `the ${kind}` : "the whole document";
    const size = int32("length", `the length of ${whose}`, () => `: ${whose} takes so many bytes, these four and the 00 at its end included`);
    const found = [];
    while (at < bytes.length && bytes[at] !== 0) {
      field = fields.length;
      const type = KINDS[bytes[at]] ?? wrong(`no type ${hexOf(bytes[at])} is known here`);
      const one = { path: "", name: "", kind: type, start: at, end: 0, depth: depth + 1, reading: "" };
      fields.push(one);
      take(1, "type", "", (shown) => `one byte: ${shown} = ${type}${Object.hasOwn(EMPTY, type) ? ". No bytes follow for the value: the type says it all" : ""}`);
      const end = bytes.indexOf(0, at);
      one.name = text((end < 0 ? bytes.length : end) - at, "name", kind === "array" ? "the place in the array" : "");
      one.path = me ? `${path}.${one.name}` : one.name;
      ending("ends the name", "00 ends the name. So a name itself cannot hold a 00.");
      const first = parts.length;
      const value = { kind: type, value: Object.hasOwn(read, type) ? read[type](field) : null };
      if (type === "binary") value.subtype = bytes[parts[first].end];
      field = me;
      one.end = at;
      one.reading = reading(type, value.value, parts.slice(first));
      found.push({ name: one.name, value });
    }
    ending(`ends ${whose}`, `00 where the next type would stand: ${whose} ends here.`);
    if (at - start !== size) wrong(`${whose} has another length than it says`);
    return found;
  }

  const value = content(0);
  fields[0].reading = plural(value.length, "field");
  if (at !== bytes.length) wrong("something follows after the end of the document");
  return { parts, fields, document: { kind: "document", value } };
}

/** How a whole value is read, in a few words. */
function reading(kind, value, parts) {
  if (kind === "document" || kind === "array") return plural(value.length, kind === "array" ? "value" : "field");
  if (kind === "objectId") return `ObjectId ${value}: time, random number, counter`;
  if (Object.hasOwn(EMPTY, kind)) return `${EMPTY[kind]}, with no bytes for the value`;
  return parts.filter(({ role }) => role === "value").map(({ how }) => how).join("; ") || "an empty value";
}
