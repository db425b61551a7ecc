"""What a song is: the facts about it and its opening melody, note by note."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

_PITCH = re.compile(r"([A-G])(#{0,2}|b{0,2})(-?[0-9])")
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True, slots=True)
class Note:
    """One note of a melody.

    Attributes:
        pitch: scientific pitch notation, such as ``"A4"``, ``"D#5"`` or ``"Bb3"``; ``None`` is a
            rest.
        beats: how long it sounds, in quarter notes.
    """

    pitch: str | None
    beats: float

    @property
    def frequency(self) -> float | None:
        """The pitch in hertz, equal temperament, A4 = 440 Hz (ISO 16); ``None`` for a rest."""
        if self.pitch is None:
            return None
        return 440.0 * 2 ** ((midi_number(self.pitch) - 69) / 12)


def midi_number(pitch: str) -> int:
    """The number of a pitch in semitones, with A4 = 69 (MIDI 1.0).

    Raises:
        ValueError: the text is not a pitch in scientific notation.
    """
    match = _PITCH.fullmatch(pitch)
    if match is None:
        raise ValueError(
            "A pitch is a letter from A to G, then # or b if it is raised or lowered, then the "
            "octave: A4, D#5 or Bb3."
        )
    letter, accidental, octave = match.groups()
    shift = len(accidental) if accidental.startswith("#") else -len(accidental)
    return 12 * (int(octave) + 1) + _SEMITONES[letter] + shift


@dataclass(frozen=True, slots=True)
class Song:
    """One entry of the catalogue.

    Attributes:
        id: the song's name in a URL: lower-case ASCII letters, digits and hyphens.
        title, composer, genre: text.
        year: year of composition or first publication; ``source`` says which.
        key: such as ``"A minor"``.
        tempo: quarter notes a minute.
        melody: the opening, as notes in order.
        aliases: other names people know the song by.
        source: where the melody and the facts were read.
    """

    id: str
    title: str
    composer: str
    year: int
    key: str
    tempo: int
    genre: str
    melody: tuple[Note, ...]
    aliases: tuple[str, ...] = ()
    source: dict[str, str] = field(default_factory=dict, hash=False, compare=False)

    @property
    def seconds(self) -> float:
        """How long the melody takes at the song's tempo, in seconds."""
        return sum(note.beats for note in self.melody) * 60 / self.tempo

    def as_dict(self) -> dict[str, Any]:
        """The song as the API sends it: plain dicts, lists, strings and numbers."""
        return {
            "id": self.id,
            "title": self.title,
            "composer": self.composer,
            "year": self.year,
            "key": self.key,
            "tempo": self.tempo,
            "genre": self.genre,
            "melody": [{"pitch": note.pitch, "beats": note.beats} for note in self.melody],
        }


def parse_melody(text: str) -> tuple[Note, ...]:
    """Read a melody in the catalogue's short notation.

    Args:
        text: ``PITCH:BEATS`` parted by blanks, as in ``"E5:1/4 D#5:1/4 R:1"``; ``R`` is a rest.

    Raises:
        ValueError: a note is not of that form; the message names it.
    """
    notes = []
    for word in text.split():
        pitch, colon, beats = word.partition(":")
        try:
            length = Fraction(beats)
            if not colon or length <= 0:
                raise ValueError
            if pitch != "R":
                midi_number(pitch)
        except (ValueError, ZeroDivisionError):
            raise ValueError(
                f"{word[:40]!r} is not a note. A note is PITCH:BEATS, such as E5:1/4; R:1 is a rest."
            ) from None
        notes.append(Note(None if pitch == "R" else pitch, round(float(length), 6)))
    return tuple(notes)
