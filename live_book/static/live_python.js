// Python in the page: the bar under the title, and what ties cells, outputs and Python together.
//
// Nothing of Python is loaded before the reader first presses Run. Whoever has done so before on
// this site gets it faster on the next page: its files are fetched while the browser has nothing
// to do, and Python starts as soon as a Run button is pointed at.

import { Cell, Memory } from "./live_cells.js";
import { Kernel } from "./live_kernel.js";

const UNSUPPORTED =
  "This browser cannot run Python in the page: a newer one can. Below are recorded outputs.";
const USED_BEFORE = "live-python-used";
const LONG = 700; // milliseconds of work after which the bar comes into sight
const LINGER = 5000; // milliseconds for which it stays, to say how the work ended

const script = document.querySelector("script[data-runtime]");
const runtime = new URL(script.dataset.runtime, document.baseURI).href;
const root = document.documentElement;

/** A module of one function that catches an exception: Pyodide is built with these. */
const EXCEPTIONS = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 0, 6, 64, 25, 11, 11,
]);

function isSupported() {
  try {
    const probe = document.createElement("div");
    probe.contentEditable = "plaintext-only"; // throws where it is unknown
    return typeof Worker === "function" && WebAssembly.validate(EXCEPTIONS);
  } catch {
    return false;
  }
}

class Page {
  #cells = new Map(); // id -> Cell, in the order of the page
  #bar = {};
  #widgets; // Promise of the module live_widgets.js
  #ran = new Set(); // the cells whose names this Python knows
  #lacks = new Set(); // the cells that asked for a name it does not know
  #inSight = false;
  #timer = 0;

  constructor() {
    const memory = new Memory();
    const actions = {
      run: (cell) => this.#run([cell]),
      runAbove: (cell) => this.#sweep(this.#above(cell), cell),
      stop: (cell) => this.kernel.stop(cell.id),
      next: (cell) => this.#all()[this.#all().indexOf(cell) + 1],
    };
    const numbers = script.dataset.numbers?.split(" ").map(Number) ?? [];
    const elements = document.querySelectorAll("div.cell");
    elements.forEach((element, index) => {
      const needs = [...element.classList].some((name) => name.startsWith("tag_needs-"));
      if (needs || !element.querySelector(".cell_input pre")) return;
      const number = numbers[index] || index + 1;
      const cell = new Cell(element, number, { actions, memory, widgets: () => this.widgets() });
      this.#cells.set(cell.id, cell);
    });
    this.#all()[0]?.element.querySelector(".live-run-above").remove(); // there is none above
    this.kernel = new Kernel(
      {
        runtime,
        worker: new URL(script.dataset.worker ?? "live_python_worker.js", document.baseURI),
        prefetch: importedNames(this.#all().map((cell) => cell.code)),
      },
      {
        state: (name, text) => this.#show(name, text),
        progress: (text, loaded, total) => this.#progress(text, loaded, total),
        cell: (job, state) => this.#follow(this.#cells.get(job.cell), state),
        output: (id, output) => this.#add(this.#cells.get(id), output),
        done: (job, status, highlighted) => this.#done(job, status, highlighted),
        comm: (message) => this.widgets().then((host) => host.receive(message)),
        gone: () => {
          this.#ran.clear();
          this.#widgets?.then((host) => host.disconnect());
        },
      },
    );
    this.#makeBar();
    this.#show("off");
    if (wasUsedBefore()) this.#prepare();
  }

  #all() {
    return [...this.#cells.values()];
  }

  #above(cell) {
    return this.#all().slice(0, this.#all().indexOf(cell));
  }

  /** The host of widgets, loaded with the first one and told where their Python is. */
  widgets() {
    // By the address that the page may have it under already: it must not be there twice.
    const loaded = document.querySelector('script[src*="live_widgets.js"]')?.src;
    this.#widgets ??= import(loaded ?? new URL("live_widgets.js", import.meta.url).href).then(
      (host) => {
        host.connect((message) => this.kernel.sendComm(message));
        return host;
      },
    );
    return this.#widgets;
  }

  #run(cells, sweep) {
    noteUse();
    const jobs = cells
      .filter((cell) => !["waiting", "running"].includes(cell.state))
      .map(({ id, number, code, tolerant }) => ({ cell: id, number, code, tolerant, sweep }));
    for (const { cell } of jobs) this.#cells.get(cell).outputs.prepare(!sweep);
    this.kernel.run(jobs);
  }

  /** Runs cells in order, until one of them fails; `asked` is the cell whose button was pressed. */
  #sweep(cells, asked = null) {
    this.#run(cells, { left: cells.length, asked });
  }

  #add(cell, output) {
    if (!cell) return;
    const allAboveRan = this.#above(cell).every((one) => this.#ran.has(one.id));
    if (output.ename === "NameError" && !allAboveRan) this.#lacks.add(cell.id);
    cell.outputs.add(output);
  }

  #follow(cell, state) {
    if (state === "running") cell.outputs.begin();
    cell.setState(state);
  }

  #done({ cell: id, number, code, sweep, tolerant }, status, highlighted) {
    const cell = this.#cells.get(id);
    cell.finish(code, status, highlighted);
    this.#ran.add(id);
    if (this.#lacks.delete(id)) cell.say("a name is missing: press Run all above, then Run");
    this.#progress("");
    const failed = cell.raises && !cell.isEdited ? "ended in the error that it shows" : "failed";
    const words = { ok: "finished", error: failed, interrupted: "was stopped" };
    let text = `Cell ${number} ${words[status]}.`;
    if (sweep) {
      sweep.left -= 1;
      const goesOn = status === "ok" || (status === "error" && tolerant);
      if (!sweep.left) text = "All cells have run.";
      else if (!goesOn) text = `Cell ${number} ${words[status]}: the next ones were not run.`;
      if (!sweep.left && sweep.asked) text = "The cells above have run.";
      if (!sweep.left || !goesOn) sweep.asked?.say(goesOn ? "the cells above have run" : text);
    }
    this.#bar.status.textContent = text;
  }

  #makeBar() {
    const bar =
      document.querySelector(".live-bar") ??
      Object.assign(document.createElement("div"), { className: "live-bar" });
    const promise = bar.querySelector(".live-status")?.textContent;
    bar.replaceChildren();
    bar.setAttribute("role", "region");
    bar.ariaLabel = "Python on this page";
    const add = (tag, name, properties) => {
      const made = Object.assign(document.createElement(tag), properties);
      made.classList.add(`live-${name}`);
      bar.append(made);
      return made;
    };
    const button = (name, textContent, onclick, title = "") => {
      const made = add("button", name, { type: "button", textContent, onclick, title });
      made.classList.add("live-button");
      return made;
    };
    const status = add("p", "status", { textContent: promise ?? "" });
    status.setAttribute("role", "status");
    const parts = { bar, status };
    parts.runAll = button("run-all", "Run all", () => this.#sweep(this.#all()));
    parts.stop = button("stop-all", "Stop", () => this.kernel.stopAll());
    parts.retry = button("retry", "Retry", () => this.kernel.start());
    const restart = () => this.kernel.restart();
    parts.restart = button("restart", "Restart", restart, "Python forgets all names");
    parts.text = add("span", "progress-text", {});
    parts.progress = add("progress", "progress", { max: 1, ariaLabel: "Python is being loaded" });
    this.#bar = parts;
    if (!bar.isConnected) document.querySelector("h1")?.after(bar);
  }

  #show(state, text) {
    root.dataset.livePython = state;
    if (text) this.#bar.status.textContent = text;
    const { bar, runAll, stop, retry, restart } = this.#bar;
    const focused = document.activeElement;
    const busy = this.kernel?.busy ?? false;
    stop.hidden = !busy;
    retry.hidden = state !== "failed";
    restart.hidden = !["ready", "running"].includes(state);
    this.#keepInSight(busy || state === "failed", state === "failed" || state === "loading");
    this.#progress(state === "loading" ? "Loading Python" : "");
    if (focused?.hidden && focused.closest(".live-bar")) runAll.focus({ preventScroll: true });
  }

  /** The bar stays in sight while something takes long, and a while to say how it ended. */
  #keepInSight(wanted, atOnce) {
    if (wanted === this.#inSight && !atOnce) return;
    this.#inSight = wanted;
    clearTimeout(this.#timer);
    const move = () => this.#bar.bar.classList.toggle("live-follows", wanted);
    if (wanted && atOnce) move();
    else this.#timer = setTimeout(move, wanted ? LONG : LINGER);
  }

  /** Says what is being loaded and how much of it is left; nothing without a text. */
  #progress(text, loaded, total) {
    const { progress, text: words } = this.#bar;
    if (this.kernel?.state !== "loading" && !(loaded < total)) text = ""; // it has arrived
    progress.hidden = words.hidden = !text;
    if (total) {
      progress.max = total;
      progress.value = loaded;
    } else {
      progress.removeAttribute("value");
    }
    const left = total - loaded > 5e4 ? `, ${((total - loaded) / 1e6).toFixed(1)} MB left` : "";
    words.textContent = text.replace(/[.:\u2026].*$/, "") + left;
  }

  /** For whoever has run something on this site before. */
  #prepare() {
    const start = ({ target }) => {
      if (target.closest?.(".live-run, .live-run-all, .live-run-above")) this.kernel.start();
    };
    for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, start);
    if (navigator.connection?.saveData) return;
    const idle = window.requestIdleCallback ?? ((act) => setTimeout(act, 2000));
    const fetchAll = () => idle(() => prefetch(importedNames(this.#all().map((one) => one.code))));
    if (document.readyState === "complete") fetchAll();
    else addEventListener("load", fetchAll, { once: true });
  }
}

/** The top-level names of the modules that the code imports. */
export function importedNames(codes) {
  const names = new Set();
  for (const line of codes.join("\n").split("\n")) {
    const found = line.match(/^\s*(?:from\s+([\w.]+)\s+import\b|import\s+(.+))/);
    if (!found) continue;
    for (const one of (found[1] ?? found[2]).split(",")) {
      const name = one.trim().match(/^[A-Za-z_]\w*/);
      if (name) names.add(name[0]);
    }
  }
  return [...names];
}

/** Asks the browser to fetch what this page's Python will load, and to keep it. */
async function prefetch(names) {
  const response = await fetch(new URL("manifest.json", runtime)).catch(() => null);
  if (!response?.ok) return;
  const { files = {}, packages = {} } = await response.json();
  const wanted = Object.values(packages).filter(
    (one) => one.kernel || one.imports.some((name) => names.includes(name)),
  );
  for (const file of [...Object.keys(files), ...wanted.map((one) => one.file)]) {
    const link = Object.assign(document.createElement("link"), { rel: "prefetch" });
    link.href = new URL(file, runtime);
    document.head.append(link);
  }
}

function wasUsedBefore() {
  try {
    return localStorage.getItem(USED_BEFORE) !== null;
  } catch {
    return false;
  }
}

function noteUse() {
  try {
    localStorage.setItem(USED_BEFORE, "yes");
  } catch {
    // No storage: each page starts as if it were the first.
  }
}

if (isSupported()) {
  new Page();
} else {
  root.dataset.livePython = "unsupported";
  const bar = document.querySelector(".live-bar");
  if (bar) bar.textContent = UNSUPPORTED;
}
