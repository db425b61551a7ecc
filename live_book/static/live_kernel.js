// The page's side of its Python: one worker, the queue of what is to run, and how to stop it.
//
// It knows nothing of the page's elements. What happens is told through the functions in `on`:
// state(name, text), progress(text, loaded, total), cell(job, state), output(id, output),
// done(job, status, highlighted), comm(message), gone() - Python's names and widgets are lost.

const PATIENCE = 3000; // milliseconds that a run may take to end after Stop
const DOWNLOAD_FAILED =
  "Python could not be loaded. Check the connection, then press Retry: nothing is lost.";
const RESTARTED = "Python is new again: it has forgotten all names. Start with Run all.";
const STUBBORN =
  "The code could not be stopped, so Python was ended. All names are gone: start with Run all.";
const CRASHED = "Python broke down. All names are gone: start with Run all.";

export class Kernel {
  state = "off"; // "off" | "loading" | "ready" | "running" | "failed"
  #worker = null;
  #queue = []; // jobs: { cell, number, code, sweep, tolerant }
  #current = null; // the job that runs, with { url, timer }
  #settings;
  #on;

  /** settings: { worker: URL, runtime: URL with slash, prefetch: [names of modules] } */
  constructor(settings, on) {
    this.#settings = settings;
    this.#on = on;
  }

  get busy() {
    return this.#current !== null || this.#queue.length > 0;
  }

  get started() {
    return this.#worker !== null;
  }

  /** Loads Python, if it is not there yet. */
  start() {
    if (this.#worker) return;
    this.#enter("loading", "Python is being loaded.");
    const worker = new Worker(this.#settings.worker, { type: "module" });
    worker.onmessage = ({ data }) => worker === this.#worker && this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault(); // it is told to the reader below
      if (worker !== this.#worker) return;
      if (this.state === "loading") this.#fail(DOWNLOAD_FAILED);
      else this.#end("off", CRASHED);
    };
    this.#worker = worker;
    const { runtime, prefetch } = this.#settings;
    worker.postMessage({ type: "start", runtime, prefetch });
  }

  /** Puts jobs in the queue, and loads Python first if need be. */
  run(jobs) {
    for (const job of jobs) {
      this.#queue.push(job);
      this.#on.cell(job, "waiting");
    }
    if (this.#worker) this.#next();
    else this.start();
  }

  /** Stops the cell's run, or takes it out of the queue. */
  stop(cell) {
    if (this.#current?.cell === cell) this.#interrupt();
    this.#drop((job) => job.cell === cell);
  }

  stopAll() {
    this.#drop(() => true);
    if (this.#current) this.#interrupt();
  }

  /** Ends Python; the next run loads it anew. */
  restart() {
    this.#end("off", RESTARTED);
  }

  sendComm(message) {
    const buffers = message.buffers ?? [];
    this.#worker?.postMessage({ type: "comm", message: { ...message, buffers } });
  }

  #receive(message) {
    switch (message.type) {
      case "progress":
        return this.#on.progress(message.text, message.loaded, message.total);
      case "ready":
        this.#enter("ready", `Python ${message.python} is ready.`);
        return this.#next();
      case "failed":
        if (this.state === "loading") return this.#fail(message.text || DOWNLOAD_FAILED);
        return this.#end("off", CRASHED);
      case "output":
        return this.#on.output(message.cell, message.output);
      case "done":
        return this.#finish(message);
      case "comm":
        return this.#on.comm(message.message);
    }
  }

  #next() {
    if (this.#current || !["ready", "running"].includes(this.state)) return;
    const job = this.#queue.shift();
    if (!job) {
      if (this.state !== "ready") this.#enter("ready");
      return;
    }
    // The worker asks for this address while Python runs; once it is revoked, Python stops.
    const url = URL.createObjectURL(new Blob(["run"]));
    this.#current = Object.assign(job, { url, timer: 0 });
    this.#enter("running", `Cell ${job.number} is running.`);
    this.#on.cell(job, "running");
    const { cell, number, code } = job;
    this.#worker.postMessage({ type: "run", cell, number, code, interrupt: url });
  }

  #finish({ cell, status, highlighted }) {
    const job = this.#current;
    if (!job || job.cell !== cell) return;
    this.#settle();
    const stops = status === "interrupted" || (status === "error" && !job.tolerant);
    if (job.sweep && stops) this.#drop((other) => other.sweep === job.sweep);
    this.#on.done(job, status, highlighted);
    this.#next();
  }

  #settle() {
    clearTimeout(this.#current.timer);
    URL.revokeObjectURL(this.#current.url);
    this.#current = null;
  }

  #interrupt() {
    const job = this.#current;
    if (job.timer) return;
    URL.revokeObjectURL(job.url);
    this.#worker.postMessage({ type: "interrupt" });
    job.timer = setTimeout(() => this.#end("off", STUBBORN), PATIENCE);
    if (job.sweep) this.#drop((other) => other.sweep === job.sweep);
  }

  #drop(chosen) {
    const gone = this.#queue.filter(chosen);
    this.#queue = this.#queue.filter((job) => !chosen(job));
    for (const job of gone) this.#on.cell(job, "idle");
    if (gone.length) this.#on.state(this.state);
  }

  /** The download failed: what was to run stays in the queue for the next try. */
  #fail(text) {
    this.#terminate();
    this.#enter("failed", text);
  }

  /** Python is gone, and with it everything that was to run. */
  #end(state, text) {
    this.#drop(() => true);
    const job = this.#current;
    if (job) {
      this.#settle();
      this.#on.done(job, "interrupted");
    }
    this.#terminate();
    this.#on.gone();
    this.#enter(state, text);
  }

  #terminate() {
    this.#worker?.terminate();
    this.#worker = null;
  }

  #enter(state, text) {
    this.state = state;
    this.#on.state(state, text);
  }
}
