// Lets Python call the model of the server at work: `node server_at_work_node.mjs MODULE`, then a
// line of JSON {call, arguments} in for a line of JSON {result} or {failed} out.

import { pathToFileURL } from "node:url";

import { answerLines } from "./answer_lines.mjs";

const widget = await import(pathToFileURL(process.argv[2]));
const calls = {
  exports: () => [Object.keys(widget).sort(), typeof widget.default.render],
  simulate: (settings) => widget.simulate(settings),
  threadsAt: (settings, times) => times.map(widget.simulate(settings).threadsAt),
  statesAt: (settings, time) => {
    return widget.simulate(settings).clients.map((client) => widget.stateAt(client, time));
  },
  axisEnd: (settings) => widget.axisEnd(settings),
  moments: (settings) => widget.moments(widget.simulate(settings)),
};

await answerLines(calls);
