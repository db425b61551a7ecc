// Node's own http module with the least around it: files of one folder, and what a method may do.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const root = path.resolve(process.argv[2]);
const server = http.createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    const target = new URL(request.url, "http://a");
    const file = path.join(root, target.pathname === "/" ? "index.html" : path.normalize(target.pathname));
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { Allow: "GET, HEAD" }).end();
    } else if (!file.startsWith(root + path.sep) || !fs.existsSync(file)) {
      response.writeHead(404).end();
    } else {
      response.writeHead(200, { "Content-Type": "text/plain" }).end(fs.readFileSync(file));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
