"""Songs, notes and pitches, held against the MIDI numbers, ISO 16 and music21."""

from __future__ import annotations

import dataclasses
import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21.pitch import Pitch

from helpers.music import Note, Song
from helpers.music._song import midi_number, parse_melody

from .support import always_the_same, make_song

PITCHES = st.builds(
    "{}{}{}".format,
    st.sampled_from("ABCDEFG"),
    st.sampled_from(["", "#", "##", "b", "bb"]),
    st.integers(-1, 9),
)
BEATS = st.fractions(min_value=Fraction(1, 64), max_value=16, max_denominator=64)


@pytest.mark.parametrize(
    ("pitch", "number", "hertz"),
    [  # middle C is 60 (MIDI 1.0); A4 is 440 Hz (ISO 16); the rest: twelve equal steps an octave
        ("C-1", 0, 8.1758),
        ("A0", 21, 27.5),
        ("E2", 40, 82.4069),
        ("C4", 60, 261.6256),
        ("C#4", 61, 277.1826),
        ("Db4", 61, 277.1826),
        ("A4", 69, 440.0),
        ("Bb4", 70, 466.1638),
        ("Cb5", 71, 493.8833),
        ("B#4", 72, 523.2511),
        ("F##5", 79, 783.9909),
        ("Ebb5", 74, 587.3295),
        ("C8", 108, 4186.0090),
        ("G9", 127, 12543.8540),
    ],
)
def test_pitches_have_their_standard_number_and_frequency(pitch, number, hertz):
    assert midi_number(pitch) == number
    assert Note(pitch, 1).frequency == pytest.approx(hertz, abs=0.00006)


@always_the_same
@given(PITCHES)
def test_music21_gives_every_pitch_the_same_number_and_frequency(pitch):
    # music21 writes a flat as "-", so the octave, which may be -1, is set apart
    name, octave = pitch.rstrip("-0123456789"), pitch.lstrip("ABCDEFGb#")
    reference = Pitch(name[0] + name[1:].replace("b", "-"))
    reference.octave = int(octave)
    assert midi_number(pitch) == int(reference.ps)
    assert Note(pitch, 1).frequency == pytest.approx(reference.frequency)


@pytest.mark.parametrize(
    "text", ["", "H4", "a4", "A", "4", "A10", "A#b4", "A###4", "Abbb4", " A4", "A4\n", "A--1", "A٤"]
)
def test_what_is_no_pitch_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="A4, D#5 or Bb3"):
        midi_number(text)


def test_a_rest_has_no_frequency():
    assert Note(None, 1).frequency is None


@always_the_same
@given(st.lists(st.tuples(st.none() | PITCHES, BEATS)))
def test_a_melody_is_read_back_as_it_was_written(notes):
    text = " ".join(f"{pitch or 'R'}:{beats}" for pitch, beats in notes)
    read = parse_melody(text)
    assert [note.pitch for note in read] == [pitch for pitch, _ in notes]
    assert [note.beats for note in read] == pytest.approx([float(b) for _, b in notes], abs=1e-6)


def test_blanks_and_lines_part_notes():
    assert parse_melody(" C4:1\n\tR:1/2  D4:0.25 ") == (
        Note("C4", 1.0),
        Note(None, 0.5),
        Note("D4", 0.25),
    )


@pytest.mark.parametrize(
    "wrong",
    ["C4", "C4:", ":1", "C4:0", "C4:-1", "C4:1/0", "C4:x", "H4:1", "r:1", "C4:nan", "C4:1:2"],
)
def test_a_wrong_note_is_named(wrong):
    with pytest.raises(ValueError, match="PITCH:BEATS") as caught:
        parse_melody(f"C4:1 {wrong} C4:1")
    assert repr(wrong) in str(caught.value)


@always_the_same
@given(st.text(max_size=200))
def test_any_text_is_a_melody_or_a_short_value_error(text):
    try:
        notes = parse_melody(text)
    except ValueError as error:
        assert len(str(error)) < 600
    else:
        assert all(note.beats > 0 for note in notes)


def test_seconds_follow_the_tempo():
    melody = (Note("C4", 1), Note(None, 2), Note("C4", 0.5))
    assert make_song(tempo=60, melody=melody).seconds == 3.5
    assert make_song(tempo=120, melody=melody).seconds == 1.75


def test_equal_songs_are_equal_wherever_they_were_read():
    one, other = make_song(source={"melody": "a book"}), make_song(source={"melody": "a score"})
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one


@pytest.mark.parametrize(
    "change", [{"title": "B"}, {"tempo": 1}, {"melody": (Note("C4", 2),)}, {"aliases": ("B",)}]
)
def test_a_song_that_differs_is_another_song(change):
    assert dataclasses.replace(make_song(), **change) != make_song()


def test_songs_and_notes_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_song().title = "Another"
    with pytest.raises(dataclasses.FrozenInstanceError):
        Note("C4", 1).beats = 2


def test_the_shape_the_api_sends():
    song = make_song(aliases=("Other",), source={"melody": "a book"})
    assert song.as_dict() == {
        "id": "a-song",
        "title": "A Song",
        "composer": "Nobody",
        "year": 1800,
        "key": "C major",
        "tempo": 240,
        "genre": "study",
        "melody": [
            {"pitch": "C4", "beats": 1.0},
            {"pitch": None, "beats": 0.5},
            {"pitch": "G4", "beats": 0.5},
        ],
    }
    assert isinstance(song, Song)
