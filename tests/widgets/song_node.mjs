// Lets Python call the song widget's JavaScript: `node song_node.mjs MODULE`, then a line of JSON
// {call, arguments} in for a line of JSON {result} or {failed} out.

import { pathToFileURL } from "node:url";

import { answerLines } from "./answer_lines.mjs";

const widget = await import(pathToFileURL(process.argv[2]));
const { buildRequest, exchange, findSong, fold, renderWav, slips } = widget;
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
let songs = [];
let phrases = {};

const calls = {
  exports: () => [Object.keys(widget).sort(), typeof widget.default.render],
  load: (state) => void ({ songs, phrases } = state),
  find: (name, among = songs) => {
    const { song, suggestions } = findSong(name, among);
    return song ? song.id : suggestions;
  },
  fold,
  foldAll: (texts) => texts.map(fold),
  slips,
  wav: (song) => base64(renderWav(song)),
  request: (kind, name, server) => buildRequest(kind, name, server, songs),
  exchange: (request) => {
    const response = exchange(request, songs, phrases);
    return { ...response, body: base64(response.body) };
  },
};

await answerLines(calls);
