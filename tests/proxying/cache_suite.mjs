// The public tests for HTTP caches (npm: http-cache-tests), without their command line: its server
// listens on all addresses, and this one on the loopback address only.
//
// node cache_suite.mjs PACKAGES origin        serves; the first line that it prints is its port
// node cache_suite.mjs PACKAGES client URL    asks through a cache at URL; prints the results
import http from "node:http";
import { pathToFileURL } from "node:url";

const [packages, role, base] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${packages}/${path}`));

async function origin() {
  const handlers = {};
  for (const name of ["config", "test", "state"]) {
    handlers[name] = (await load(`http-cache-tests/server/handle-${name}.mjs`)).default;
  }
  const server = http.createServer((request, response) => {
    const segments = new URL(request.url, "http://localhost").pathname.split("/").slice(1);
    const handle = handlers[segments.shift()];
    if (handle) handle(segments, request, response);
    else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.resume().on("end", () => process.exit()); // whoever started it has gone
}

async function client() {
  const { default: suites } = await load("http-cache-tests/tests/index.mjs");
  const { runTests, getResults } = await load("http-cache-tests/client/runner.mjs");
  const { default: fetch } = await load("node-fetch/lib/index.mjs");
  await runTests(suites, fetch, false, base);
  const found = getResults();
  const tests = suites.flatMap((suite) => suite.tests).filter((test) => test.id in found);
  const passes = (id) =>
    found[id] === true && (tests.find((test) => test.id === id)?.depends_on ?? []).every(passes);
  const results = tests.map(({ id, kind }) => ({
    id,
    kind: kind ?? "required",
    passed: passes(id),
    said: found[id] === true ? "" : found[id].join(": "),
  }));
  console.log(JSON.stringify(results));
}

await (role === "origin" ? origin() : client());
