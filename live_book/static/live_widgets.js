// A host for anywidgets in a page with no Jupyter behind it.
//
// It implements the anywidget front-end module specification: a widget is a module whose default
// export is `{ initialize, render }`, or a function that returns that. Both may return a cleanup
// function; `initialize` may return an object instead, its exports for other widgets.
//
// The page holds its models as JSON (script#live-widgets: state, code, styles, binary buffers) and
// an element for each view (div.live-widget[data-model]). A widget starts when its element comes
// near the viewport. All views of a model share it.

const NO_PYTHON =
  "There is no Python behind this page yet, so this widget can do only what needs no Python.";

const records = JSON.parse(document.getElementById("live-widgets")?.textContent ?? "{}");
const models = new Map(); // id -> Promise<Model>

/** The model with this identifier, made on first use. References of both kinds are accepted. */
export function getModel(reference) {
  const id = String(reference).replace(/^(IPY_MODEL_|anywidget:)/, "");
  if (!models.has(id)) models.set(id, createModel(id));
  return models.get(id);
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

/** Puts a binary value back in its place in the state, as the DataView that Jupyter gives. */
async function restoreBuffer(state, { path, data, url }) {
  let bytes;
  if (url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`its data did not load (HTTP ${response.status})`);
    bytes = await response.arrayBuffer();
  } else {
    bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0)).buffer;
  }
  const last = path.at(-1);
  const holder = path.slice(0, -1).reduce((value, key) => value[key], state);
  holder[last] = new DataView(bytes);
}

class Model {
  #values;
  #record;
  #listeners = []; // { name, callback, owner }
  #started; // Promise of { render, exports }

  constructor(record) {
    this.#record = record;
    this.#values = { ...record.state };
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    if (sameValue(this.#values[name], value)) return;
    this.#values[name] = value;
    this.#emit(`change:${name}`, value);
    this.#emit("change");
  }

  #emit(name, ...details) {
    const proxies = [...this.#listeners].filter((one) => one.name === name);
    for (const { callback, owner } of proxies) callback(owner, ...details);
  }

  /** What a widget's code sees. Its listeners go when `signal` aborts. */
  proxy(signal) {
    const owner = {
      get: (name) => this.get(name),
      set: (name, value) => this.set(name, value),
      // Nobody is there to save to or to send to; views are told by `set`.
      live: false,
      save_changes: () => {},
      send: () => {},
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
    const { esm, css } = this.#record;
    if (!esm) throw new Error("it has no code of its own (it is not an anywidget)");
    const [module] = await Promise.all([
      import(new URL(esm, document.baseURI)),
      css && loadStyles(css),
    ]);
    let widget = module.default ?? module; // before 0.9, `render` was exported by name
    if (typeof widget === "function") widget = await widget();
    const model = this.proxy();
    const result = await widget.initialize?.({ model, experimental, signal: never });
    const exports = typeof result === "function" ? undefined : result;
    return { render: widget.render?.bind(widget), exports };
  }

  async render(element, signal) {
    const { render } = await this.start();
    if (signal.aborted || !render) return;
    element.classList.add(...(this.#record.classes ?? []));
    for (const [name, value] of Object.entries(this.#record.layout ?? {})) {
      element.style.setProperty(name, value);
    }
    const view = { model: this.proxy(signal), el: element, signal, experimental, host };
    const cleanup = await render(view);
    const remove = () => {
      cleanup?.();
      element.replaceChildren();
    };
    if (signal.aborted) remove();
    else signal.addEventListener("abort", remove);
  }
}

const never = new AbortController().signal; // models live as long as the page
const experimental = { invoke: () => Promise.reject(new Error(NO_PYTHON)) };

/** How one widget reaches another (anywidget 0.11, `host`). */
const host = {
  getModel: async (reference) => (await getModel(reference)).proxy(),
  getWidget: async (reference) => {
    const model = await getModel(reference);
    const { exports } = await model.start();
    return { exports, render: ({ el, signal }) => model.render(el, signal ?? never) };
  },
};

const styles = new Map(); // URL -> Promise, so that a stylesheet is added once

function loadStyles(url) {
  if (!styles.has(url)) {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
    const loaded = new Promise((resolve, reject) => {
      link.onload = resolve;
      link.onerror = () => reject(new Error("its styles did not load"));
    });
    document.head.append(link);
    styles.set(url, loaded);
  }
  return styles.get(url);
}

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

function isPlain(value) {
  return Array.isArray(value) || Object.getPrototypeOf(Object(value)) === Object.prototype;
}

function showError(element, error) {
  const note = document.createElement("p");
  note.className = "live-widget-note";
  const reason = (error?.message ?? String(error)).replace(/\.$/, "");
  note.textContent = `This widget could not start (${reason}): reload the page to try again.`;
  element.replaceChildren(note);
}

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      nearby.unobserve(target);
      showWidget(target.dataset.model, target);
    }
  },
  { rootMargin: "600px" },
);
for (const element of document.querySelectorAll(".live-widget")) nearby.observe(element);
