// A host for anywidgets in a page with no Jupyter behind it, with or without Python in the page.
//
// It implements the anywidget front-end module specification: a widget is a module whose default
// export is `{ initialize, render }`, or a function that returns that. Both may return a cleanup
// function; `initialize` may return an object instead, its exports for other widgets.
//
// The page holds its models as JSON (script#live-widgets: state, code, styles, binary buffers) and
// an element for each view (div.live-widget[data-model]). A widget starts when its element comes
// near the viewport. All views of a model share it.
//
// Once Python runs in the page (live_python.js), widgets also come from there, as messages of the
// Jupyter widget protocol 2.1: comm_open makes a model, and both sides send "update" and "custom".

import {
  addStyles, bytesOf, importText, isPlain, loadStyles, putBuffers, takeBuffers,
} from "./live_parts.js";

const NO_PYTHON =
  "There is no Python behind this page yet, so this widget can do only what needs no Python.";
const NEEDS_JUPYTER =
  "This widget works only in Jupyter: open the chapter's notebook to use it.";
const INTERNAL = /^(_esm|_css|_dom_classes|layout|tabbable|tooltip|_(model|view)_.*)$/;
const PATIENCE = 3000; // milliseconds that `invoke` waits if it is not told otherwise

const records = JSON.parse(document.getElementById("live-widgets")?.textContent ?? "{}");
const models = new Map(); // id -> Promise<Model>
const opened = new Map(); // id -> Model, of those that have Python behind them
let sendToPython = null; // a function of one comm message

/** The model with this identifier, made on first use. References of both kinds are accepted. */
export function getModel(reference) {
  const id = String(reference).replace(/^(IPY_MODEL_|anywidget:)/, "");
  if (!models.has(id)) models.set(id, createModel(id));
  return models.get(id);
}

/** Names the function that sends a comm message to Python. */
export function connect(send) {
  sendToPython = send;
}

/** Python is gone: its widgets stay as they are, and do what needs no Python. */
export function disconnect() {
  for (const model of opened.values()) model.live = false;
  opened.clear();
}

/** Takes a comm message from Python. */
export function receive({ comm_id: id, msg_type: type, target_name: target, data, buffers }) {
  if (type === "comm_open" && target === "jupyter.widget") {
    putBuffers(data.state, data.buffer_paths, buffers);
    const model = new Model(recordOf(id, data.state));
    opened.set(id, model);
    models.set(id, Promise.resolve(model));
  } else if (type === "comm_msg" && data.method === "update") {
    putBuffers(data.state, data.buffer_paths, buffers);
    opened.get(id)?.update(data.state);
  } else if (type === "comm_msg" && data.method === "custom") {
    const views = (buffers ?? []).map((buffer) => new DataView(buffer));
    opened.get(id)?.hear(data.content, views);
  } else if (type === "comm_close") {
    opened.get(id)?.close();
    opened.delete(id);
    models.delete(id);
  }
  // "echo_update" repeats what this page itself has sent: there is no second page to tell.
}

/** Shows a model in an element. Resolves to a function that removes the view again. */
export async function showWidget(id, element) {
  const view = new AbortController();
  try {
    const model = await getModel(id);
    await model.render(element, view.signal);
  } catch (error) {
    console.error(error);
    showError(element, error);
  }
  return () => view.abort();
}

async function createModel(id) {
  const record = records[id];
  if (!record) throw new Error(`the page holds no widget model "${id}"`);
  await Promise.all((record.buffers ?? []).map((buffer) => restoreBuffer(record.state, buffer)));
  return new Model(record);
}

/** Puts a binary value of the page back in its place in the state. */
async function restoreBuffer(state, { path, data, url }) {
  let bytes;
  if (url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`its data did not load (HTTP ${response.status})`);
    bytes = await response.arrayBuffer();
  } else {
    bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0)).buffer;
  }
  putBuffers(state, [path], [bytes]);
}

/** What the page keeps of a model that Python has opened, in the form of those it came with. */
function recordOf(id, values) {
  const state = Object.entries(values).filter(([name]) => !INTERNAL.test(name));
  return {
    id,
    state: Object.fromEntries(state),
    esmText: values._esm,
    cssText: values._css,
    classes: values._dom_classes,
    layoutModel: values.layout,
  };
}

class Model {
  live; // whether there is Python behind it
  #values;
  #record;
  #listeners = []; // { name, callback, owner }
  #started; // Promise of { render, exports }
  #unsaved = {}; // what `save_changes` is to send
  #elements = new Set(); // of its views
  #closing = new AbortController();

  constructor(record) {
    this.#record = record;
    this.#values = { ...record.state };
    this.live = record.id !== undefined;
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    if (sameValue(this.#values[name], value)) return;
    if (this.live) this.#unsaved[name] = value;
    this.#change({ [name]: value });
  }

  /** Values from Python: all are in place before anybody hears of one. */
  update(state) {
    const news = Object.entries(state).filter(([name, value]) => {
      return !INTERNAL.test(name) && !sameValue(this.#values[name], value);
    });
    for (const [name] of news) delete this.#unsaved[name];
    if (state._dom_classes) this.#setClasses(state._dom_classes);
    if (news.length) this.#change(Object.fromEntries(news));
  }

  #change(values) {
    Object.assign(this.#values, values);
    for (const [name, value] of Object.entries(values)) {
      this.#emit(`change:${name}`, (owner) => [owner, value]);
    }
    this.#emit("change", (owner) => [owner]);
  }

  /** A message that Python sent with `send`. */
  hear(content, buffers) {
    this.#emit("msg:custom", () => [content, buffers]);
  }

  #emit(name, details) {
    const hearing = this.#listeners.filter((one) => one.name === name);
    for (const { callback, owner } of hearing) callback(...details(owner));
  }

  save() {
    const changes = this.#unsaved;
    this.#unsaved = {};
    if (!this.live || !Object.keys(changes).length) return;
    const { buffers, ...data } = takeBuffers(changes);
    this.#post({ method: "update", ...data }, buffers);
  }

  send(content, buffers = []) {
    if (this.live) this.#post({ method: "custom", content }, buffers.map(bytesOf));
  }

  #post(data, buffers) {
    sendToPython?.({ comm_id: this.#record.id, msg_type: "comm_msg", data, buffers });
  }

  /** Python has closed the widget: its views go. */
  close() {
    this.live = false;
    this.#closing.abort();
  }

  /** What a widget's code sees. Its listeners go when `signal` aborts. */
  proxy(signal) {
    const isLive = () => this.live;
    const owner = {
      get: (name) => this.get(name),
      set: (name, value) => this.set(name, value),
      // Without Python there is nobody to save to or to send to; views are told by `set`.
      get live() {
        return isLive();
      },
      save_changes: () => this.save(),
      send: (content, _callbacks, buffers) => this.send(content, buffers),
      on: (names, callback) => {
        for (const name of names.split(/\s+/)) this.#listeners.push({ name, callback, owner });
      },
      off: (names, callback) => {
        const gone = names?.split(/\s+/);
        this.#listeners = this.#listeners.filter(
          (one) =>
            one.owner !== owner ||
            (gone && !gone.includes(one.name)) ||
            (callback && one.callback !== callback),
        );
      },
      widget_manager: {
        get_model: async (reference) => (await getModel(reference)).proxy(signal),
      },
    };
    signal?.addEventListener("abort", () => owner.off());
    return owner;
  }

  /** Loads the code and initialises the model: once, however many views there are. */
  start() {
    this.#started ??= this.#load();
    return this.#started;
  }

  async #load() {
    const { esm, css, esmText, cssText } = this.#record;
    if (!esm && !esmText) throw new Error(NEEDS_JUPYTER);
    const [module] = await Promise.all([
      esm ? import(new URL(esm, document.baseURI)) : importText(esmText),
      css ? loadStyles(css) : cssText && addStyles(cssText),
    ]);
    let widget = module.default ?? module; // before 0.9, `render` was exported by name
    if (typeof widget === "function") widget = await widget();
    const model = this.proxy();
    const experimental = experimentalFor(model);
    const signal = this.#closing.signal;
    const result = await widget.initialize?.({ model, experimental, signal });
    signal.addEventListener("abort", () => typeof result === "function" && result());
    const exports = typeof result === "function" ? undefined : result;
    return { render: widget.render?.bind(widget), exports };
  }

  #setClasses(classes) {
    for (const element of this.#elements) {
      element.classList.remove(...(this.#record.classes ?? []));
      element.classList.add(...classes);
    }
    this.#record.classes = classes;
  }

  /** Gives a view's element the CSS properties of the model's layout, now and when they change. */
  async #layOut(element, signal) {
    const { layout, layoutModel } = this.#record;
    const apply = (values) => {
      for (const [name, value] of Object.entries(values)) {
        if (!name.startsWith("_")) element.style.setProperty(name.replaceAll("_", "-"), value);
      }
    };
    if (!layoutModel) return apply(layout ?? {});
    const model = await getModel(layoutModel);
    apply(model.#values);
    model.proxy(signal).on("change", () => apply(model.#values));
  }

  async render(element, viewSignal) {
    const view = new AbortController(); // it ends when its element goes, or with the widget
    for (const one of [viewSignal, this.#closing.signal]) {
      if (one.aborted) view.abort();
      else one.addEventListener("abort", () => view.abort(), { signal: view.signal });
    }
    const { signal } = view;
    const [{ render }] = await Promise.all([this.start(), this.#layOut(element, signal)]);
    if (signal.aborted || !render) return;
    element.classList.add(...(this.#record.classes ?? []));
    this.#elements.add(element);
    const model = this.proxy(signal);
    const experimental = experimentalFor(model);
    const cleanup = await render({ model, el: element, signal, experimental, host });
    const remove = () => {
      this.#elements.delete(element);
      cleanup?.();
      element.replaceChildren();
    };
    if (signal.aborted) remove();
    else signal.addEventListener("abort", remove);
  }
}

const never = new AbortController().signal; // for views that nobody removes
let asked = 0; // calls of `invoke` so far

/** `invoke` calls a method of the widget's Python class: anywidget's command messages. */
function experimentalFor(model) {
  const invoke = (name, msg, { buffers, signal = AbortSignal.timeout(PATIENCE) } = {}) => {
    if (!model.live) return Promise.reject(new Error(NO_PYTHON));
    const id = `${Date.now()}-${++asked}`;
    return new Promise((resolve, reject) => {
      const settle = (act, value) => {
        model.off("msg:custom", hear);
        signal.removeEventListener("abort", abort);
        act(value);
      };
      const abort = () => settle(reject, signal.reason);
      const hear = (answer, views) => {
        const isOurs = answer?.id === id && answer.kind === "anywidget-command-response";
        if (isOurs) settle(resolve, [answer.response, views]);
      };
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort);
      model.on("msg:custom", hear);
      model.send({ id, kind: "anywidget-command", name, msg }, undefined, buffers);
    });
  };
  return { invoke };
}

/** How one widget reaches another (anywidget 0.11, `host`). */
const host = {
  getModel: async (reference) => (await getModel(reference)).proxy(),
  getWidget: async (reference) => {
    const model = await getModel(reference);
    const { exports } = await model.start();
    return { exports, render: ({ el, signal }) => model.render(el, signal ?? never) };
  },
};

/** Equality by content, as Jupyter's models have it; binary values only equal themselves. */
function sameValue(one, other) {
  if (Object.is(one, other)) return true;
  if (!isPlain(one) || !isPlain(other) || Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && sameValue(one[key], other[key]))
  );
}

function showError(element, error) {
  const note = document.createElement("p");
  note.className = "live-widget-note";
  const reason = (error?.message ?? String(error)).replace(/\.$/, "");
  note.textContent =
    error?.message === NEEDS_JUPYTER
      ? NEEDS_JUPYTER
      : `This widget could not start (${reason}): reload the page to try again.`;
  element.replaceChildren(note);
}

const removers = new WeakMap(); // element -> Promise of the function that removes its view

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      nearby.unobserve(target);
      removers.set(target, showWidget(target.dataset.model, target));
    }
  },
  { rootMargin: "600px" },
);

/** Shows a model in an element once that is near the viewport; gives a function to remove it. */
export function showNearby(id, element) {
  element.dataset.model = id;
  nearby.observe(element);
  return () => {
    nearby.unobserve(element);
    removers.get(element)?.then((remove) => remove());
  };
}

for (const element of document.querySelectorAll(".live-widget")) {
  showNearby(element.dataset.model, element);
}
