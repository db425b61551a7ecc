// The application's own tests. To run them: npm test

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";

import { makeApp } from "./app.js";

const song = { id: "a-song", title: "A song", composer: "A Reader", year: 2026, genre: "study" };
const oneSong = { get: (id) => (id === song.id ? song : undefined) };
const server = makeApp(oneSong).listen(0, "127.0.0.1");
await once(server, "listening");
after(() => server.close());

const get = (path) => fetch(`http://127.0.0.1:${server.address().port}${path}`);

test("a song is found by its id", async () => {
  const answer = await get("/songs/a-song");
  assert.equal((await answer.json()).title, "A song");
});

test("an unknown song is a problem", async () => {
  const answer = await get("/songs/no-such-song");
  assert.equal(answer.status, 404);
  assert.match(answer.headers.get("Content-Type"), /^application\/problem\+json/);
});
