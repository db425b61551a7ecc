// Lets Python call the codecs of the format widget: `node format_bytes_node.mjs MODULE`, then a line of
// JSON {call, arguments} in for a line of JSON {result} or {failed} out. Bytes travel as hexadecimal digits.

import { pathToFileURL } from "node:url";

import { answerLines } from "./answer_lines.mjs";

const { bytesOf, NAMES, partsOf, pythonFloat } = await import(pathToFileURL(process.argv[2]));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

const calls = {
  names: () => NAMES,
  bytes: (song, format) => hex(bytesOf(song, format)),
  parts: (song, format) => partsOf(song, format).map(({ field, role, bytes }) => [field, role, hex(bytes)]),
  float: pythonFloat,
};

await answerLines(calls);
