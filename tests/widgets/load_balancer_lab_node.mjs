// Lets Python call the model of the load balancer lab: `node load_balancer_lab_node.mjs MODULE`,
// then a line of JSON {call, arguments} in for a line of JSON {result} or {failed} out.

import { pathToFileURL } from "node:url";

import { answerLines } from "./answer_lines.mjs";

const widget = await import(pathToFileURL(process.argv[2]));
let lab;

/** Of the requests that count, those at a server. */
const counted = () => [...lab.requests].filter((request) =>
  widget.AT_SERVER.includes(request.state) && request.counted === lab.begun);

/** All that a test may ask about the lab. */
const state = () => ({
  begun: lab.begun, counted: counted().length,
  now: lab.now, arrived: lab.arrived, done: lab.done, lost: lab.lost, inFlight: lab.inFlight,
  times: [...lab.times],
  last: Object.fromEntries(lab.lastOf),
  servers: lab.servers.map(({ name, up, out, given, done, failed, line, work }) =>
    ({ name, up, out, given, done, failed, line: line.length, work: work.filter(Boolean).length })),
  open: lab.servers.map((server) => lab.open(server)),
  openCounted: lab.servers.map((server) => counted().filter((request) => request.server === server).length),
});

const calls = {
  exports: () => Object.keys(widget).sort(),
  algorithms: () => Object.keys(widget.ALGORITHMS),
  /** The servers that an algorithm chooses, in a script of [what, ...arguments]. */
  play: (name, servers, script, numbers) => {
    const at = { next: 0 };
    const algorithm = new widget.ALGORITHMS[name][0](() => numbers[at.next++ % numbers.length]);
    for (const [server, weight] of servers) algorithm.add(server, weight);
    return script.map(([what, ...given]) => {
      if (what !== "choose") return algorithm[what](...given) ?? null;
      const [client, without] = given;
      return algorithm.choose({ client }, without);
    });
  },
  crc32: (bytes) => widget.crc32(bytes),
  percentile: (times, part) => widget.percentile(times, part),
  bucketed: (times) => widget.bucketed(times),
  news: (before, now) => widget.news(before, now),
  clients: () => widget.CLIENTS,
  /** A new lab that goes on to the times, with the settings that come there. */
  run: (seed, history) => {
    lab = new widget.Lab(history[0][1], { seed });
    const told = [];
    lab.tell = (what, request, server) => told.push([lab.now, what, server?.name ?? null]);
    const states = history.map(([time, settings], at) => {
      if (at && settings) lab.change(settings);
      lab.run(time);
      return state();
    });
    return { states, told };
  },
  replay: (list, until) => {
    lab.replay(list);
    lab.run(lab.now + until);
    return state();
  },
  step: () => {
    const { what, server } = lab.step();
    return [lab.now, what, server?.name ?? null];
  },
};

await answerLines(calls);
