"""Read the opening melody of a score, the way the entries of the catalogue were read.

A development script: it shows where the notes in `helpers/music/catalogue.json` come from and lets
anyone read them again. Two kinds of score are understood:

- a file of the music21 corpus, named by a citation such as
  `music21 corpus miscFolk/americanfifeopus.abc #6; part 1; notes 1-24; up 12`
  which means: tune 6 of that file (`#N` is the tune's `X:` number, only in ABC files with many
  tunes), its first part (counted from 1, top of the page first), the 1st to the 24th note or rest,
  and every note raised by 12 semitones (`up` or `down`; left out when nothing is moved);
- a phrase copied from a LilyPond file, such as those of the Mutopia Project.

Run it with `python tests/music/melody_from_score.py "music21 corpus ..."`, or with
`python tests/music/melody_from_score.py --lilypond "e''16 dis'' e''"`, or, for a phrase in relative
octaves, with `--lilypond "e16 dis e" --relative "c''"`. It prints the melody in the catalogue's
form: `PITCH:BEATS` with beats in quarter notes, `R` a rest.
"""

from __future__ import annotations

import argparse
import re
from fractions import Fraction
from functools import cache
from itertools import zip_longest

CITATION = re.compile(
    r"music21 corpus (?P<path>\S+)(?: #(?P<tune>\d+))?; part (?P<part>\d+)"
    r"; notes (?P<first>\d+)-(?P<last>\d+)(?:; (?P<direction>up|down) (?P<semitones>\d+))?"
)
LILYPOND_TOKEN = re.compile(
    r"(?P<step>[a-grs])(?P<accidental>is|es|s(?![a-z]))?(?P<octave>[',]*)[!?]?"
    r"(?P<length>\d+)?(?P<dots>\.*)(?P<scale>\*\d+/\d+)?(?P<tie>~?)"
)
ACCIDENTALS = {"is": "#", "es": "b", "s": "b", None: ""}

Melody = list[tuple[str, Fraction]]


@cache
def read_part(path: str, tune: int | None, part: int) -> Melody:
    """All notes and rests of one part of a corpus file, as (pitch or "R", quarter notes).

    They come in written order: repeats are not played twice. Grace notes are dropped, tied notes
    become one, and of notes that start together (a chord, two voices) only the highest stays.
    Raises an exception of music21 or IndexError if there is no such file, tune or part.
    """
    from music21 import corpus

    score = corpus.parse(path, number=tune)
    voice = (list(score.parts) or [score])[part - 1]
    highest: dict[Fraction, tuple] = {}
    for element in voice.stripTies().flatten().notesAndRests:
        if element.duration.isGrace or "Harmony" in element.classes or not element.quarterLength:
            continue
        pitch = None if element.isRest else max(element.pitches)
        height = -1.0 if pitch is None else pitch.ps
        start = Fraction(element.offset).limit_denominator(64)
        if start not in highest or height > highest[start][0]:
            beats = Fraction(element.quarterLength).limit_denominator(64)
            highest[start] = (height, pitch, beats)
    melody: Melody = []
    starts = sorted(highest)
    for start, following in zip_longest(starts, starts[1:]):
        _, pitch, beats = highest[start]
        if following is not None:
            # a long note ends where the next one of another voice begins
            beats = min(beats, following - start)
        melody.append((pitch.nameWithOctave.replace("-", "b") if pitch else "R", beats))
    return melody


def transpose(pitch: str, semitones: int) -> str:
    """Move a pitch by semitones; whole octaves keep its spelling ("Bb3" up 12 is "Bb4")."""
    if pitch == "R" or not semitones:
        return pitch
    if semitones % 12 == 0:
        return f"{pitch[:-1]}{int(pitch[-1]) + semitones // 12}"
    from music21.pitch import Pitch

    return Pitch(pitch.replace("b", "-")).transpose(semitones).nameWithOctave.replace("-", "b")


def read_citation(citation: str) -> Melody:
    """The melody a corpus citation stands for; ValueError if the citation is not of that form."""
    match = CITATION.fullmatch(citation)
    if match is None:
        raise ValueError(f"This citation does not have the form in the script's head: {citation!r}")
    tune = int(match["tune"]) if match["tune"] else None
    notes = read_part(match["path"], tune, int(match["part"]))
    semitones = int(match["semitones"] or 0) * (-1 if match["direction"] == "down" else 1)
    chosen = notes[int(match["first"]) - 1 : int(match["last"])]
    return [(transpose(pitch, semitones), beats) for pitch, beats in chosen]


def read_lilypond(phrase: str, relative: str | None = None) -> Melody:
    """A single-line LilyPond phrase with Dutch note names; ties become one note.

    `relative` is the pitch the first note is near to (LilyPond's relative octaves: each note lies
    within a fourth of the one before); None means that octaves are written out in full. A length
    may carry a factor, as in LilyPond: `c8*2/3` is one note of a triplet.
    """
    melody: Melody = []
    tied, length = False, Fraction(1)
    near = _place(relative[0], relative[1:]) if relative else None
    for token in LILYPOND_TOKEN.finditer(re.sub(r"\\\w+|[()\[\]|^_\-<>]", " ", phrase)):
        if token["length"]:
            length = Fraction(4, int(token["length"])) * (2 - Fraction(1, 2 ** len(token["dots"])))
            length *= Fraction(token["scale"][1:]) if token["scale"] else 1
        if token["step"] in "rs":
            melody.append(("R", length))
            continue
        place = _place(token["step"], token["octave"])
        if near is not None:
            place = _place(token["step"], "")
            place += 7 * (round(Fraction(near - place, 7)) + _marks(token["octave"]))
            near = place
        pitch = f"{token['step'].upper()}{ACCIDENTALS[token['accidental']]}{place // 7}"
        if tied and melody[-1][0] == pitch:
            melody[-1] = (pitch, melody[-1][1] + length)
        else:
            melody.append((pitch, length))
        tied = bool(token["tie"])
    return melody


def _marks(octave: str) -> int:
    return octave.count("'") - octave.count(",")


def _place(step: str, octave: str) -> int:
    """The place of a written note, counted in steps of the scale from C0."""
    return "cdefgab".index(step) + 7 * (3 + _marks(octave))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Read an opening melody from a score.")
    parser.add_argument("citation", nargs="?", help='"music21 corpus PATH #N; part P; notes A-B"')
    parser.add_argument("--lilypond", help="a phrase copied from a LilyPond file")
    parser.add_argument("--relative", help="the reference pitch of \\relative, such as c''")
    asked = parser.parse_args()
    if asked.lilypond:
        found = read_lilypond(asked.lilypond, asked.relative)
    else:
        found = read_citation(asked.citation or parser.error("name a citation or --lilypond"))
    print(" ".join(f"{pitch}:{beats}" for pitch, beats in found))
