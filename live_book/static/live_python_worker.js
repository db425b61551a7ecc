// Runs the Python of a page in a web worker: starts Pyodide, runs cells one after the other, and
// sends their outputs. The Python side is the package page_kernel.
//
// Messages of the page: start, run, interrupt, comm; to the page: progress, ready, failed, output,
// done, comm.

const POLL = 200; // milliseconds between two looks at whether the page wants the cell to stop
const AGAIN = 1000; // milliseconds until a cell that ignored a stop is stopped again

let runtime = ""; // the folder with Pyodide and the packages
let packages = {}; // the packages of the manifest, by name
let owners = {}; // top-level module -> package
let python = null; // Pyodide
let kernel = null; // page_kernel's Kernel
let started = null; // settles when Python has started or cannot
let running = null; // the run message of the cell that runs
let lastRun = Promise.resolve();

const downloads = new Map(); // package -> promise of its bytes
const arrived = new Map(); // package -> its bytes
const installed = new Set();

// --- Progress ------------------------------------------------------------------------------------

const progress = { text: "Loading Python", loaded: 0, total: 0, posted: 0 };

function report(force = false) {
  const now = performance.now();
  if (!force && now - progress.posted < 50) return;
  progress.posted = now;
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const { text, loaded, total } = progress;
  const left = loaded < total ? `: ${megabytes(loaded)} of ${megabytes(total)} MB` : "";
  postMessage({ type: "progress", text: text + left, loaded: Math.min(loaded, total), total });
}

function count(bytes) {
  progress.loaded += bytes;
  report();
}

class DownloadFailed extends Error {}

async function answer(url) {
  const response = await fetch(url).catch((error) => {
    throw new DownloadFailed(`${error.message} for ${url}`);
  });
  if (!response.ok) throw new DownloadFailed(`${response.status} for ${url}`);
  return response;
}

// The bytes of a file whose size the manifest knows, without a second copy.
async function download(file, size) {
  const reader = (await answer(runtime + file)).body.getReader();
  let bytes = new Uint8Array(size);
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > bytes.length) {
      const larger = new Uint8Array(2 * (filled + value.length));
      larger.set(bytes);
      bytes = larger;
    }
    bytes.set(value, filled);
    filled += value.length;
    count(value.length);
  }
  return bytes.subarray(0, filled);
}

// --- Packages ------------------------------------------------------------------------------------

function downloadPackage(name) {
  if (!downloads.has(name)) {
    const { file, bytes } = packages[name];
    const promise = download(file, bytes);
    downloads.set(name, promise);
    promise.then((content) => arrived.set(name, content), () => downloads.delete(name));
  }
  return downloads.get(name);
}

// The packages of some modules, with all that the manifest says they need.
function needed(modules) {
  const found = new Set();
  const add = (name) => {
    if (!packages[name] || found.has(name)) return;
    found.add(name);
    (packages[name].depends ?? []).forEach(add);
  };
  modules.forEach((module) => add(owners[module]));
  return [...found];
}

// The names of the files in a zip archive, read from its central directory (APPNOTE 4.3.12).
function namesIn(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end > 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  const names = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const length = view.getUint16(at + 28, true);
    names.push(new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + length)));
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return names;
}

// Python imports compiled modules straight from a wheel, which is much faster than to unpack it.
// Wheels with extension modules, with sources or with files that their code may read are unpacked;
// of those in the kernel `page_kernel` knows what they read.
const MAY_STAY = /\.(dist-info|data)\/|\/py\.typed$|\.(pyc|pyi|md|rst|txt)$|\/$/;

function install(name, bytes) {
  const mayStay = (one) => MAY_STAY.test(one) && !one.includes("__pycache__");
  if (packages[name].kernel || namesIn(bytes).every(mayStay)) {
    const path = `/lib/wheels/${packages[name].file}`;
    python.FS.mkdirTree("/lib/wheels");
    python.FS.writeFile(path, bytes, { canOwn: true });
    python.runPython(`import sys; sys.path.append(${JSON.stringify(path)})`);
  } else {
    python.unpackArchive(bytes, "wheel", { extractDir: python._api.sitePackages });
  }
  installed.add(name);
  arrived.delete(name);
}

// Fetch and install a package while an import waits for it. The only way to wait here is a
// synchronous request; a page that named its imports, and waited, does not come here.
function bring(name) {
  if (installed.has(name)) return;
  let bytes = arrived.get(name);
  if (!bytes) {
    const { file, bytes: size } = packages[name];
    Object.assign(progress, { text: `Loading ${name}`, loaded: 0, total: size });
    report(true);
    const request = new XMLHttpRequest();
    request.open("GET", runtime + file, false);
    request.responseType = "arraybuffer";
    request.send();
    if (request.status !== 200) throw new Error(`${request.status} for ${file}`);
    bytes = new Uint8Array(request.response);
    Object.assign(progress, { text: "", loaded: size });
    report(true);
  }
  install(name, bytes);
}

const IMPORT = /^[ \t]*(?:from[ \t]+(\w+)|import[ \t]+([\w., \t]+))/gm;

// Download what the code of a cell imports before it runs, so that its imports need not wait.
async function downloadImports(code) {
  const modules = [...code.matchAll(IMPORT)].flatMap(([, from, list]) =>
    from ? [from] : list.split(",").map((one) => one.trim().split(/[.\s]/)[0]));
  const missing = needed(modules).filter((name) => !installed.has(name) && !arrived.has(name));
  if (!missing.length) return;
  const total = missing.reduce((sum, name) => sum + packages[name].bytes, 0);
  const text = `Loading ${missing.length > 3 ? `${missing.length} packages` : missing.join(", ")}`;
  Object.assign(progress, { text, loaded: 0, total });
  report(true);
  await Promise.allSettled(missing.map(downloadPackage)); // a failed one fails in its import
  Object.assign(progress, { text: "", loaded: total });
  report(true);
}

// --- Start ---------------------------------------------------------------------------------------

async function start({ prefetch = [] }) {
  const wasm = compile();
  const library = answer(`${runtime}python_stdlib.zip`);
  const scripts = Promise.all(["", ".asm"].map((part) => import(`${runtime}pyodide${part}.mjs`)));
  for (const one of [wasm, library, scripts]) one.catch(() => {}); // heard of below
  const manifest = await (await answer(`${runtime}manifest.json`)).json();
  packages = manifest.packages;
  for (const [name, { imports }] of Object.entries(packages)) {
    for (const module of imports) owners[module] ??= name;
  }
  const first = Object.keys(packages).filter((name) => packages[name].kernel);
  const size = Object.values(manifest.files).reduce((sum, bytes) => sum + bytes, 0);
  progress.total = first.reduce((sum, name) => sum + packages[name].bytes, size);
  const wheels = Promise.all(first.map(downloadPackage));
  wheels.catch(() => {});

  const [{ loadPyodide }] = await scripts;
  count(manifest.files["pyodide.mjs"] + manifest.files["pyodide.asm.mjs"]);
  python = await withEarlyDownloads({ wasm, library }, () => loadPyodide({
    indexURL: runtime,
    env: { HOME: "/home/pyodide", LANG: "C.UTF-8", TERM: "dumb" },
  }));
  await wheels;
  Object.assign(progress, { text: "Starting Python", loaded: progress.total });
  report(true);
  needed(prefetch).forEach((name) => downloadPackage(name).catch(() => {}));
  for (const name of first) install(name, await downloads.get(name));
  python._api.on_fatal = fail;
  kernel = startKernel();
  python.setInterruptBuffer(interruptBuffer);
  postMessage({ type: "ready", python: manifest.python });
}

function startKernel() {
  const later = Object.entries(owners).filter(([, name]) => !installed.has(name));
  const page = python.pyimport("page_kernel._page");
  try {
    return page.start({ post, wait, stopAsked, bring }, JSON.stringify(Object.fromEntries(later)));
  } finally {
    page.destroy();
  }
}

// Compile Pyodide's WebAssembly while it downloads. The bytes are counted on a copy: a stream of
// our own would keep the browser from caching the compiled code.
async function compile() {
  const response = await answer(`${runtime}pyodide.asm.wasm`);
  const counted = response.clone().body.pipeTo(
    new WritableStream({ write: (chunk) => count(chunk.length) }));
  const [module] = await Promise.all([WebAssembly.compileStreaming(response), counted]);
  return module;
}

// Pyodide asks for its files when its scripts have loaded; by then they are on their way.
async function withEarlyDownloads({ wasm, library }, action) {
  const { fetch: plainFetch } = self;
  const { instantiateStreaming } = WebAssembly;
  self.fetch = async (target, options) => {
    const url = String(target?.url ?? target);
    if (url.endsWith("/pyodide.asm.wasm")) return new Response(); // compile() has it
    if (url.endsWith("/python_stdlib.zip")) return counting(await library);
    const response = await plainFetch(target, options);
    return url.endsWith("/pyodide-lock.json") ? counting(response) : response;
  };
  WebAssembly.instantiateStreaming = async (response, imports) => {
    const module = await wasm;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  try {
    // A failed download of either would leave Pyodide waiting for ever.
    return await Promise.race([action(), failureOf(wasm), failureOf(library)]);
  } finally {
    self.fetch = plainFetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

function counting(response) {
  const transform = (chunk, controller) => {
    count(chunk.length);
    controller.enqueue(chunk);
  };
  return new Response(response.body.pipeThrough(new TransformStream({ transform })), response);
}

const failureOf = (promise) => new Promise((_, reject) => promise.catch(reject));

function sentence(error) {
  // A script that cannot be imported is a TypeError.
  if (error instanceof DownloadFailed || (error instanceof TypeError && !python)) {
    return "Python could not be loaded: a download failed. Check the connection and try again.";
  }
  // Of a Python traceback the last line says what happened.
  const reason = String(error.message || error).trim().split("\n").at(-1);
  return `Python could not start in this browser: ${reason}`;
}

// --- Run -----------------------------------------------------------------------------------------

async function run(message) {
  const { cell, number, code, interrupt, storeHistory = true } = message;
  try {
    await started;
  } catch {
    return; // the page was told that Python failed
  }
  if (!isAlive(interrupt)) {
    postMessage({ type: "done", cell, status: "interrupted", highlighted: kernel.highlight(code) });
    return;
  }
  running = message;
  stopped = -AGAIN;
  try {
    await downloadImports(code);
    await kernel.run(cell, number, code, storeHistory);
  } catch (error) {
    fail(error);
  } finally {
    running = null;
  }
}

// Pyodide itself broke: nothing can run in this worker any more.
let failed = false;
function fail(error) {
  if (failed) return;
  failed = true;
  console.error(error);
  const text = "Python broke down and must be started again: its names are gone.";
  if (running) {
    const { cell } = running;
    const output = { output_type: "stream", name: "stderr", text: `${text}\n` };
    postMessage({ type: "output", cell, output });
    postMessage({ type: "done", cell, status: "error", highlighted: null });
  }
  postMessage({ type: "failed", text });
}

function post(json, buffers) {
  const message = JSON.parse(json);
  if (message.type === "done") running = null; // the page withdraws the run's address now
  if (message.type !== "comm") return postMessage(message);
  message.message.buffers = Array.from(buffers, (one) => one.slice().buffer);
  postMessage(message, message.message.buffers);
}

// --- Stop ----------------------------------------------------------------------------------------

// A page without cross-origin isolation shares no memory with its workers. So a cell that computes
// looks whether the blob: address of its run still exists; the page withdraws it to stop the cell.
let looked = 0;
let stopped = -AGAIN;

function isAlive(url) {
  if (!url) return true;
  const request = new XMLHttpRequest();
  try {
    request.open("GET", url, false);
    request.send();
    return request.status === 200;
  } catch {
    return false;
  }
}

function stopAsked() {
  const now = performance.now();
  if (!running || now - looked < POLL || now - stopped < AGAIN) return false;
  looked = now;
  if (isAlive(running.interrupt)) return false;
  stopped = now;
  return true;
}

// Python reads element 0 every now and then while it computes; 2 is SIGINT.
const interruptBuffer = {
  get 0() { return stopAsked() ? 2 : 0; },
  set 0(value) {},
};

const clock = makeClock();

// Shared memory of one's own, to sleep on, is there without cross-origin isolation.
function makeClock() {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const cell = new Int32Array(memory.buffer);
    Atomics.wait(cell, 0, 0, 0);
    return cell;
  } catch {
    return null; // no shared memory: sleeping keeps the processor busy
  }
}

function wait(milliseconds) {
  if (clock) Atomics.wait(clock, 0, 0, milliseconds);
  else for (const end = performance.now() + milliseconds; performance.now() < end; );
}

// --- Messages ------------------------------------------------------------------------------------

const handlers = {
  start(message) {
    runtime = message.runtime;
    started = start(message);
    started.catch((error) => {
      console.error(error);
      postMessage({ type: "failed", text: sentence(error) });
    });
  },
  run(message) {
    lastRun = lastRun.then(() => run(message));
  },
  interrupt() {
    if (!running || !kernel) return;
    stopped = performance.now();
    kernel.interrupt();
  },
  comm({ message }) {
    const { buffers = [], ...rest } = message;
    kernel?.comm(JSON.stringify(rest), buffers);
  },
};

self.onmessage = ({ data }) => {
  try {
    handlers[data.type]?.(data);
  } catch (error) {
    console.error(error);
  }
};
