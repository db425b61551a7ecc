// Lets Python call the model of the cache timeline: `node cache_timeline_node.mjs MODULE`, then a
// line of JSON {call, arguments} in for a line of JSON {result} or {failed} out.

import { pathToFileURL } from "node:url";

import { answerLines } from "./answer_lines.mjs";

const widget = await import(pathToFileURL(process.argv[2]));

const seen = ({ number, asked, answered, outcome, age, version, outdated }) =>
  ({ number, asked, answered, outcome, age, version, outdated });

/** All that a test may ask about a timeline. */
const state = (line) => ({
  now: line.now, requests: line.requests.map(seen), originRequests: line.originRequests, bytes: line.bytes,
  tally: line.tally, hitRatio: line.hitRatio, outdated: line.outdated, oldest: line.oldest,
  age: line.entry && widget.ageOf(line.entry, line.now),
  ttl: line.entry && widget.ttlOf(line.entry, line.now),
  phase: widget.phaseOf(line.entry, line.now),
  calls: line.calls.map(({ asked, due, status, version }) => ({ asked, due, status, version })),
  kept: line.kept.map(({ from, to, entry }) => ({ from, to, version: entry.version })),
});

const calls = {
  exports: () => [Object.keys(widget).sort(), typeof widget.default().render],
  outcomes: () => widget.OUTCOMES,
  cover: () => widget.COVER,
  header: (settings) => widget.headerOf(settings),
  words: (settings) => widget.meaning(settings),
  /** What is said after a script. */
  situation: (settings, script) => {
    const line = new widget.Timeline(settings);
    for (const [time, what, ...given] of script) {
      line.run(time);
      if (what) line[what](...given);
    }
    return widget.situation(line);
  },
  /** A new timeline that does a script of [time, what, ...arguments]; its state after each. */
  play: (settings, script, seed = 1) => {
    const line = new widget.Timeline(settings, { seed });
    const told = [];
    const requests = new Set(); // all of them: the timeline forgets what is long ago
    const origin = new Set();
    line.tell = (what, detail) => {
      told.push([line.now, what]);
      if (what === "answer" || what === "wait") requests.add(detail);
      if (what === "call") origin.add(detail);
    };
    const states = script.map(([time, what, ...given]) => {
      line.run(time);
      if (what) line[what](...given);
      return state(line);
    });
    const calls = [...origin].map(({ asked, due, status, version }) => ({ asked, due, status, version }));
    return { states, told, requests: [...requests].map(seen), calls };
  },
};

await answerLines(calls);
