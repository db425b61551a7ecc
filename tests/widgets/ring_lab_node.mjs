// Lets Python call the model of the ring lab: `node ring_lab_node.mjs MODULE`, then a line of JSON
// {call, arguments} in for a line of JSON {result} or {failed} out.

import { pathToFileURL } from "node:url";

import { answerLines } from "./answer_lines.mjs";

const widget = await import(pathToFileURL(process.argv[2]));

const listed = (cell) => cell && [cell.timestamp, cell.deleted, cell.value];

const calls = {
  exports: () => [Object.keys(widget).sort(), typeof widget.default().render],
  levels: () => widget.LEVELS,
  defaults: () => widget.DEFAULTS,
  tokens: (keys) => keys.map((key) => String(widget.tokenOf(key))),
  ring: (nodes, tokens) => new widget.Ring(nodes, tokens).tokens.map(({ token, node }) => [String(token), node]),
  replicas: (nodes, tokens, key, count) => new widget.Ring(nodes, tokens).replicas(key, count),
  meaning: (settings) => widget.meaning(settings),
  stamp: (seconds) => widget.stamp(seconds),
  told: (events) => widget.told(events),
  /** What the cards say of each node, after a script. */
  states: (settings, script, key) => {
    const cluster = new widget.Cluster(settings);
    for (const [what, ...given] of script) cluster[what](...given);
    return widget.look(cluster, key).nodes.map(widget.stateOf);
  },
  /** A new cluster that does a script of [what, ...arguments]; what came of each, and all that happened. */
  play: (settings, script) => {
    const cluster = new widget.Cluster(settings);
    const results = script.map(([what, ...given]) => {
      if (what === "switch") return Object.assign(cluster, ...given) && null;
      try {
        return cluster[what](...given) ?? null;
      } catch (error) {
        if (!(error instanceof widget.Refused)) throw error;
        return [error.what, error.needs, error.alive];
      }
    });
    return {
      results,
      log: cluster.log.map(({ time, kind, source, target, text }) => [time, kind, source, target, text]),
      kept: cluster.nodes.map((node) => [...cluster.kept.get(node)].map(([key, cell]) => [key, listed(cell)])),
      hints: cluster.nodes.map((node) => cluster.hints.get(node)
        .map(({ target, key, cell, kept }) => [target, key, listed(cell), kept])),
    };
  },
};

await answerLines(calls);
