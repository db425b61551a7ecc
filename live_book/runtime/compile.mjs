// Runs _repack.py inside Pyodide, in Node: only the Python of the page can compile for the page.
//
//     node compile.mjs <Pyodide's folder> <_repack.py> <jobs.json>
//
// jobs.json: [{ "source": path, "target": path, "rules": {...} }, ...]. Prints "done" after each.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, script, list] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: folder });
python.runPython(readFileSync(script, "utf8"));
const repack = python.globals.get("repack");

for (const { source, target, rules } of JSON.parse(readFileSync(list, "utf8"))) {
  python.FS.writeFile("/in.zip", new Uint8Array(readFileSync(source)));
  repack("/in.zip", "/out.zip", JSON.stringify(rules));
  writeFileSync(`${target}.part`, python.FS.readFile("/out.zip"));
  renameSync(`${target}.part`, target);
  console.log("done");
}
process.exit(0);
