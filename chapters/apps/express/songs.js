// The songs: read from the catalogue's export, searched, added to. Nothing here knows HTTP.

import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const LONGEST_ID = 100; // characters; one letter of a title can become several of its id

/** Without accents, case and punctuation: "Für Elise" is "fur-elise". */
export function slug(text) {
  const plain = text.normalize("NFKD").replace(/\P{ASCII}/gu, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** All songs, in the order of their ids. */
export class Songs {
  #songs = new Map();
  #ids;
  #audio;

  /** Reads songs.json from the folder; its folder audio has the sound. */
  constructor(folder) {
    for (const song of JSON.parse(readFileSync(join(folder, "songs.json"), "utf8"))) {
      this.#songs.set(song.id, song);
    }
    this.#ids = [...this.#songs.keys()].sort();
    this.#audio = join(folder, "audio");
  }

  get(id) {
    return this.#songs.get(id);
  }

  search(words = "", after = "") {
    const songs = this.#ids.filter((id) => id > after).map((id) => this.get(id));
    const part = slug(words);
    return songs.filter((song) => slug(`${song.title} ${song.composer}`).includes(part));
  }

  /** The song with its id; undefined if there is one with this id already. */
  add(fields) {
    const song = { id: slug(fields.title).slice(0, LONGEST_ID), ...fields };
    if (this.#songs.has(song.id)) return undefined;
    this.#songs.set(song.id, song);
    this.#ids.push(song.id);
    this.#ids.sort();
    return song;
  }

  /** The bytes of a song's sound; undefined if there is none. */
  async audio(id) {
    const file = join(this.#audio, `${id}.wav`);
    return this.#songs.has(id) && existsSync(file) ? readFile(file) : undefined;
  }
}
