// One song in nine formats, byte for byte as `helpers.formats` writes it.
import { avro, bson, cbor, messagePack, protobuf } from "./format_bytes_binary.js";
import { Writer } from "./format_bytes_parts.js";
import { csv, json, plainText, xml } from "./format_bytes_texts.js";

const WRITERS = {
  "plain text": plainText, CSV: csv, JSON: json, XML: xml, MessagePack: messagePack, CBOR: cbor, BSON: bson,
  Avro: avro, "Protocol Buffers": protobuf,
};
export const NAMES = Object.keys(WRITERS);

/** The song in a format, as parts. */
export function partsOf(song, format) {
  const out = new Writer();
  WRITERS[format](song, out);
  return out.parts;
}

/** The song's bytes in a format. */
export const bytesOf = (song, format) => Uint8Array.from(partsOf(song, format).flatMap(({ bytes }) => bytes));
