// What the cache timeline tells beside its picture: in sentences, figures and a table.

import { node, put } from "./dom.js";
import { headerOf, phaseOf, ttlOf } from "./cache_timeline_model.js";

export const WORDS = { // for each outcome: in the legend, and of one client
  hit: ["hit", "gets the fresh copy"],
  stale: ["stale, being renewed", "gets the stale copy, while the cache asks the origin"],
  miss: ["miss", "gets what the origin sent"],
  revalidated: ["revalidated (304)", "gets the copy, which the origin called still good (304)"],
  collapsed: ["collapsed", "gets what came for another client"],
  "stale-if-error": ["stale for an error", "gets the stale copy in the place of an error"],
  error: ["error 503", "gets an error (503)"],
};
const FIGURES = ["Requests", "Hit ratio", "Origin asked", "Origin sent", "Oldest answer", "Out of date"];
const HEADS = ["Time", "Outcome", "Age", "Cover", "Waited", "Out of date"];
const ROWS = 10;

export const inSeconds = (time) => `${(time / 1000).toFixed(1)} s`;

/** What the header allows a shared cache. */
export function meaning({ max_age, s_maxage, stale_while_revalidate: renewing, stale_if_error: failing }) {
  const lifetime = s_maxage ?? max_age;
  const first = lifetime ? `A shared cache may use an answer for ${lifetime} s without asking`
    : "A shared cache has to ask before every use";
  const said = [s_maxage === null ? `${first}.` : `${first}: s-maxage goes before max-age.`];
  if (s_maxage !== null && (renewing || failing)) {
    said.push("But s-maxage also forbids it to use what is stale: the rest has no effect here.");
  } else {
    if (renewing) said.push(`For ${renewing} s more it may use it while it asks.`);
    if (failing) said.push(`Up to ${failing} s after it got stale, it may stand in for an error.`);
  }
  return said.join(" ");
}

/** How it is now, and what that means for the next client. */
export function situation({ entry, now, up, settings, calls }) {
  if (!entry) {
    return calls.some(({ due, outdated }) => due > now && !outdated)
      ? "Nothing is kept yet: the first answer is on its way."
      : "Nothing is kept: the next client waits for the origin.";
  }
  const ttl = ttlOf(entry, now);
  const phase = phaseOf(entry, now);
  const next = entry.renewing ? "the cache is asking the origin" : "the next one makes the cache ask the origin";
  const said = {
    fresh: `Fresh for ${ttl} s more: clients get the copy at once, and the origin hears nothing.`,
    window: `Stale for ${-ttl} s, but clients still get it at once; ${next}.`,
    stale: `Stale for ${-ttl} s: the next client waits while the cache asks the origin ${
      entry.tagged ? "whether it is still good" : "for it anew (there is no ETag to ask with)"}.`,
  }[phase];
  const standsIn = entry.mayBeStale && -ttl < entry.ifError;
  const down = up || phase === "fresh" ? "" : standsIn
    ? " The origin is down: the copy stands in for the error." : " The origin is down, too.";
  const old = headerOf(entry.rules) === headerOf(settings) ? "" : ` It came with ${headerOf(entry.rules)}.`;
  return `${said}${down}${old}`;
}

/** What has become of a request, in a sentence. */
export function told({ outcome, age, version }) {
  if (!outcome) return "A client asks, and has to wait for the origin.";
  const cover = version === null ? "" : ` Cover ${version}${age === null ? "" : `, Age ${age}`}.`;
  return `A client ${WORDS[outcome][1]}.${cover}`;
}

/** The figures, with bars for the hit ratio and the origin's share of the load. */
export function createFigures() {
  const tiles = FIGURES.map((words, at) => {
    const value = node("dd");
    const bar = at === 1 || at === 2 ? node("div", { class: "ct-meter", "aria-hidden": "true" }, node("span")) : "";
    return { value, bar, element: node("div", {}, node("dt", {}, words), value, bar) };
  });
  const show = (timeline) => {
    const { total, hitRatio, originRequests: asked, bytes, oldest, outdated, requests } = timeline;
    const all = total + requests.filter(({ outcome }) => !outcome).length;
    const values = [
      all, total ? `${Math.round(100 * hitRatio)} %` : "\u2013", `${asked} time${asked === 1 ? "" : "s"}`,
      `${bytes / 1000} kB`, `Age ${oldest} s`, outdated ? `up to ${inSeconds(outdated)}` : "never",
    ];
    tiles.forEach(({ value, bar }, at) => {
      put(value, values[at]);
      const share = at === 1 ? hitRatio : all && Math.min(1, asked / all);
      if (bar) bar.firstChild.style.width = `${Math.round(100 * share)}%`;
    });
  };
  return { element: node("dl", {}, ...tiles.map(({ element }) => element)), show };
}

/** The last requests, for those who do not see the picture and those who want to know exactly. */
export function createTable() {
  const body = node("tbody");
  const table = node("table", {},
    node("caption", {}, "The newest first; times in seconds. Out of date: for how long the origin had had another cover."),
    node("thead", {}, node("tr", {}, ...HEADS.map((words) => node("th", { scope: "col" }, words)))), body);
  const element = node("details", {}, node("summary", {}, `The last ${ROWS} requests`), table);
  let last;
  const show = ({ requests, changes }) => {
    if (!element.open || last === changes) return;
    last = changes;
    body.replaceChildren(...requests.slice(-ROWS).reverse().map((one) => {
      const { asked, answered, outcome, age, version, outdated } = one;
      const exact = (time) => (time / 1000).toFixed(1);
      const cells = outcome
        ? [WORDS[outcome][0], age ?? "\u2013", version ?? "\u2013", exact(answered - asked), outdated ? exact(outdated) : "no"]
        : ["waits", "\u2013", "\u2013", "\u2013", "\u2013"];
      return node("tr", {}, node("th", { scope: "row" }, exact(asked)), ...cells.map((words) => node("td", {}, words)));
    }));
  };
  return { element, show };
}

/** What is worth a sentence while it runs, for those who listen: `hear` gets all events. */
export function createNews() {
  let change = null; // {version, at, old}: a cover that no client has got yet
  let trouble = "";
  return {
    changed: (version, at) => { change = { version, at, old: change?.old ?? 0 }; },
    hear(what, { outcome, version, answered }) {
      if (what !== "answer") return "";
      if (change && version !== null) {
        if (version < change.version) change.old += 1;
        else {
          const { at, old } = change;
          change = null;
          return `${inSeconds(answered - at)} after the change a client gets cover ${version}, the first one; ${
            old} answer${old === 1 ? "" : "s"} had the old cover meanwhile.`;
        }
      }
      const before = trouble;
      trouble = outcome === "error" || outcome === "stale-if-error" ? outcome : "";
      if (before === trouble) return "";
      return trouble ? `A client ${WORDS[outcome][1]}.` : "The clients are well served again.";
    },
  };
}

