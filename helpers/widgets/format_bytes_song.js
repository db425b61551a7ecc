// A song as the reader writes it into the form, and what is wrong with it.

const LONGEST = { title: 40, composer: 40, melody: 120, aliases: 80 }; // characters
const NOTE = /^(R|[A-G](?:#{0,2}|b{0,2})[0-8]):(\d{1,2}(?:\.\d{1,4})?)$/;
const WELL_FORMED = /^[^\u0000-\u001f\u0085\u2028\u2029\ufffe\uffff]*$/; // what all nine formats carry
const MOST_BEATS = 16;

export class BadSong extends Error {}

function text(name, value) {
  const plain = value.trim();
  if (plain.length > LONGEST[name]) throw new BadSong(`The ${name} has ${plain.length} characters, and ${LONGEST[name]} are enough here.`);
  if (!WELL_FORMED.test(plain) || !plain.isWellFormed()) throw new BadSong(`The ${name} holds a character that not all formats carry.`);
  return plain;
}

/** What a line such as E5:0.25 R:1 says. */
function notes(line) {
  const words = text("melody", line).split(/\s+/).filter(Boolean);
  return words.map((word) => {
    const [, pitch, beats] = NOTE.exec(word) ?? [];
    if (!pitch || Number(beats) === 0 || Number(beats) > MOST_BEATS) {
      throw new BadSong(`"${word}" is no note. Write a pitch and its length, such as E5:0.25; R:1 is a rest.`);
    }
    return { pitch: pitch === "R" ? null : pitch, beats: Number(beats) };
  });
}

/** The song in the form's fields, on the ground of another song; BadSong says in a sentence why not. */
export function songOf(form, ground) {
  const year = Number(form.year);
  if (!/^\d{1,10}$/.test(form.year.trim()) || year > 2147483647) {
    throw new BadSong("The year is a whole number from 0 to 2147483647, which is as much as an int32 holds.");
  }
  return {
    ...ground, year, title: text("title", form.title), composer: text("composer", form.composer), melody: notes(form.melody),
    aliases: text("aliases", form.aliases).split(";").map((one) => one.trim()).filter(Boolean),
  };
}

/** The form's fields for a song. */
export const formOf = ({ title, composer, year, melody, aliases }) => ({
  title, composer, year: String(year), aliases: aliases.join("; "),
  melody: melody.map(({ pitch, beats }) => `${pitch ?? "R"}:${beats}`).join(" "),
});
