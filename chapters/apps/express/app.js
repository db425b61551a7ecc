// The music API in Express: its addresses, and what it does for every request.

import { randomUUID } from "node:crypto";
import { join } from "node:path";

import express from "express";
import createError from "http-errors";
import onHeaders from "on-headers";
import { z } from "zod";

import { byteRange } from "./audio.js";
import { handleError, validate } from "./problems.js";

const JSON_IN_UTF_8 = /^application\/json[ \t]*(;[ \t]*charset=(utf-8|"utf-8")[ \t]*)?$/i;

/** A text without control characters and halves of surrogate pairs. */
function text(longest) {
  return z.string().max(longest).regex(/^[^\p{Cc}\p{Cs}]+$/u);
}

const NewSong = z.strictObject({
  title: text(100).regex(/[A-Za-z0-9]/),
  composer: text(100),
  year: z.int().min(1).max(2100),
  genre: text(40),
});

const Search = z.object({
  q: z.string().max(100).default(""),
  limit: z.string().regex(/^[0-9]+$/).pipe(z.coerce.number().min(1).max(100)).default(20),
  cursor: z.string().regex(/^[a-z0-9-]{1,100}$/).default(""),
});

/** Gives every request an id, times it, and writes a line about it. */
function observe(req, res, next) {
  const begun = performance.now();
  const took = () => Number((performance.now() - begun).toFixed(1)); // milliseconds
  const sent = req.get("X-Request-Id") ?? "";
  const id = /^[A-Za-z0-9._-]{1,64}$/.test(sent) ? sent : randomUUID();
  const { method, path } = req;
  res.set("X-Request-Id", id);
  onHeaders(res, () => res.set("Server-Timing", `app;dur=${took()}`));
  res.on("close", () => {
    const { error } = res.locals;
    const line = { time: new Date(), level: error ? "ERROR" : "INFO", message: "request" };
    const fields = { id, method, path, status: res.statusCode, ms: took() };
    console.log(JSON.stringify({ ...line, ...fields, exception: error?.stack }));
  });
  next();
}

/** Reads a body that is JSON in UTF-8, and not too large. */
function jsonBody(largest) {
  function checkType(req, res, next) {
    if (!JSON_IN_UTF_8.test(req.get("Content-Type"))) {
      throw createError(415, { headers: { Accept: "application/json" } });
    }
    if ((req.get("Content-Encoding") ?? "identity") !== "identity") {
      throw createError(415, { headers: { "Accept-Encoding": "identity" } });
    }
    next();
  }

  function parse(req, res, next) {
    try {
      req.body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(req.body));
    } catch {
      throw createError(400);
    }
    next();
  }

  // express.json() would take an empty body for {}, and replace what is not UTF-8
  return [checkType, express.raw({ type: () => true, limit: largest }), parse];
}

/** Answers the methods that an address does not take. */
function only(methods) {
  return () => {
    throw createError(405, { headers: { Allow: methods } });
  };
}

export function makeApp(songs, largestBody) {
  const app = express();
  app.enable("case sensitive routing");
  app.enable("strict routing"); // /songs/ is not /songs
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("views", join(import.meta.dirname, "views"));
  app.set("view engine", "ejs");
  app.use(observe);

  app
    .route("/")
    .get((req, res) => {
      res.render("songs", { songs: songs.search() });
    })
    .all(only("GET, HEAD"));

  app
    .route("/health")
    .get((req, res) => {
      res.json({ status: "ok" });
    })
    .all(only("GET, HEAD"));

  app
    .route("/songs")
    .get((req, res) => {
      const { q, limit, cursor } = validate(Search, req.query, "parameter");
      const found = songs.search(q, cursor);
      const next = found.length > limit ? found[limit - 1].id : null;
      res.json({ items: found.slice(0, limit), next });
    })
    .post(jsonBody(largestBody), (req, res) => {
      const song = songs.add(validate(NewSong, req.body, "pointer"));
      if (song === undefined) throw createError(409);
      res.status(201).location(`/songs/${song.id}`).json(song);
    })
    .all(only("GET, HEAD, POST"));

  app
    .route("/songs/:id")
    .get((req, res) => {
      const song = songs.get(req.params.id);
      if (song === undefined) throw createError(404);
      res.json(song);
    })
    .all(only("GET, HEAD"));

  app
    .route("/songs/:id/audio")
    .get(async (req, res) => {
      const sound = await songs.audio(req.params.id);
      if (sound === undefined) throw createError(404);
      const size = sound.length;
      const part = req.method === "GET" ? byteRange(req.headers, size) : undefined;
      const [start, end] = part ?? [0, size];
      if (part && start >= size) {
        throw createError(416, { headers: { "Content-Range": `bytes */${size}` } });
      }
      if (part) res.status(206).set("Content-Range", `bytes ${start}-${end - 1}/${size}`);
      res.set("Accept-Ranges", "bytes").type("audio/wav").send(sound.subarray(start, end));
    })
    .all(only("GET, HEAD"));

  app.use(() => {
    throw createError(404);
  });
  app.use(handleError);
  return app;
}
