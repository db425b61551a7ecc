// Starts the music API in Express. To run it: npm install, then npm start

import { join } from "node:path";

import { makeApp } from "./app.js";
import { Songs } from "./songs.js";

const PORT = Number(process.env.PORT ?? 8000);
const MUSIC_DATA = process.env.MUSIC_DATA ?? join(import.meta.dirname, "..", "data");
const MUSIC_LARGEST_BODY = Number(process.env.MUSIC_LARGEST_BODY ?? 65_536); // bytes

const app = makeApp(new Songs(MUSIC_DATA), MUSIC_LARGEST_BODY);
const server = app.listen(PORT, "127.0.0.1", () => {
  const line = { time: new Date(), level: "INFO", message: "listening", port: PORT };
  console.log(JSON.stringify(line));
});

process.on("SIGTERM", () => {
  server.close(); // takes no new connection, and lets running requests finish
  setInterval(() => server.closeIdleConnections(), 100).unref();
  setTimeout(() => server.closeAllConnections(), 8_000).unref();
});
