// Lets Python call the encoder of the BSON widget: `node bson_bytes_node.mjs MODULE`, then a line of JSON
// {call, arguments} in for a line of JSON {result} or {failed} out. Bytes travel as hexadecimal digits.

import { pathToFileURL } from "node:url";

import { answerLines } from "./answer_lines.mjs";

const widget = await import(pathToFileURL(process.argv[2]));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** What `act` gives, or {bad: the sentence} for a document that is none. */
const orBad = (act) => {
  try {
    return act();
  } catch (error) {
    if (error instanceof widget.BadDocument) return { bad: error.message };
    throw error;
  }
};

const calls = {
  exports: () => [Object.keys(widget).sort(), typeof widget.default().render],
  constants: () => ({ largest: widget.LARGEST, longest: widget.LONGEST_TEXT, notShown: widget.NOT_SHOWN, types: widget.TYPES }),
  /** As the page takes a text. */
  bson: (text) => orBad(() => {
    const { bytes, document, parts, fields } = widget.bsonOf(text);
    return { bytes: hex(bytes), compact: widget.compactJson(document), parts, fields };
  }),
  /** A text's bytes, however many. */
  encode: (text) => orBad(() => hex(widget.encode(widget.readDocument(text)))),
  /** Bytes taken apart, as JSON, and encoded again. */
  dissect: (digits) => orBad(() => {
    const { parts, fields, document } = widget.dissect(Uint8Array.from(Buffer.from(digits, "hex")));
    return { parts, fields, compact: widget.compactJson(document), again: hex(widget.encode(document)) };
  }),
  told: (text, field, part) => {
    const taken = widget.bsonOf(text);
    return widget.told(taken, field, part === null ? null : taken.parts[part]);
  },
};

await answerLines(calls);
