// What the host of widgets is made of: their code and styles, and binary values in their state.
// In Python these are bytes, here DataViews, and between them buffers that travel beside the state
// (Jupyter widget protocol: "buffer_paths").

const styles = new Map(); // URL or text -> Promise, so that a stylesheet is added once

export function loadStyles(url) {
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

const texts = new Map(); // text of a module -> Promise of the module, one for all its widgets

/** The module that a text is, or that an address as text names. */
export function importText(text) {
  if (!texts.has(text)) {
    const isAddress = /^https?:\/\//.test(text);
    const file = () => new Blob([text], { type: "text/javascript" });
    const url = isAddress ? text : URL.createObjectURL(file());
    const loaded = import(url);
    if (!isAddress) loaded.finally(() => URL.revokeObjectURL(url)).catch(() => {});
    texts.set(text, loaded);
  }
  return texts.get(text);
}

export function addStyles(text) {
  if (/^https?:\/\//.test(text)) return loadStyles(text);
  if (!styles.has(text)) {
    const style = Object.assign(document.createElement("style"), { textContent: text });
    document.head.append(style);
    styles.set(text, Promise.resolve());
  }
  return styles.get(text);
}

/** Puts binary values into a state, as the DataViews that Jupyter gives. */
export function putBuffers(state, paths = [], buffers = []) {
  paths.forEach((path, index) => {
    const holder = path.slice(0, -1).reduce((value, key) => value[key], state);
    holder[path.at(-1)] = new DataView(buffers[index]);
  });
}

/** Takes binary values out of a state, which stays as it is: { state, buffer_paths, buffers }. */
export function takeBuffers(state) {
  const [paths, buffers] = [[], []];
  const strip = (value, path) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      paths.push(path);
      buffers.push(bytesOf(value));
      return null; // a list keeps its length; in an object Python puts the value in its place
    }
    if (Array.isArray(value)) return value.map((item, index) => strip(item, [...path, index]));
    if (!isPlain(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, strip(item, [...path, key])]),
    );
  };
  return { state: strip(state, []), buffer_paths: paths, buffers };
}

/** A copy of the bytes of a binary value. */
export function bytesOf(value) {
  if (value instanceof ArrayBuffer) return value.slice(0);
  return value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
}

/** Whether a value is a list or an object as JSON has them. */
export function isPlain(value) {
  return Array.isArray(value) || Object.getPrototypeOf(Object(value)) === Object.prototype;
}
