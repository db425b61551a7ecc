"""The catalogue holds what its sources say, and every entry is well formed.

A melody from the music21 corpus is cited in a form that a program can follow:

    music21 corpus PATH[ #TUNE]; part P; notes A-B[; up N | ; down N]

PATH is a file of the corpus, TUNE the number of a tune in a file of many, P the part counted from
1, A-B the notes and rests counted from 1, N a number of semitones. `tests/music/melody_from_score.py`
says it in full and reads it. Here each of these scores is parsed again, and the entry has to be
the same note for note. Other melodies come from LilyPond files that are not at hand; their
citations name the file and the bars.
"""

from __future__ import annotations

import itertools
import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

from helpers.music._library import song_id_for
from tests.music import melody_from_score as reader

ROOT = Path(__file__).parents[2]
ENTRIES = json.loads((ROOT / "helpers/music/catalogue.json").read_text("utf-8"))
BY_ID = {entry["id"]: entry for entry in ENTRIES}
CORPUS = "music21 corpus "
FROM_CORPUS = [e["id"] for e in ENTRIES if e["source"]["melody"].startswith(CORPUS)]

FACTS = ["id", "title", "aliases", "composer", "year", "key", "tempo", "genre"]
NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
STEPS = {
    "major": {0, 2, 4, 5, 7, 9, 11},
    "minor": {0, 2, 3, 5, 7, 8, 10, 11},  # with the raised seventh of harmonic minor
    "dorian": {0, 2, 3, 5, 7, 9, 10},
    "mixolydian": {0, 2, 4, 5, 7, 9, 10},
}


def notes_of(entry: dict) -> list[tuple[str, Fraction]]:
    pairs = (note.split(":") for note in entry["melody"].split(" "))
    return [(pitch, Fraction(beats)) for pitch, beats in pairs]


def semitones(pitch: str) -> int:
    """The height of a pitch in semitones, C4 being 60."""
    moved = pitch.count("#") - pitch[1:].count("b")
    return NATURAL[pitch[0]] + moved + 12 * (int(pitch[-1]) + 1)


def heights(entry: dict) -> list[int]:
    return [semitones(pitch) for pitch, _ in notes_of(entry) if pitch != "R"]


def as_text(melody: list[tuple[str, Fraction]]) -> str:
    return " ".join(f"{pitch}:{beats}" for pitch, beats in melody)


every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])


# ---- what the sources say --------------------------------------------------------------------


@pytest.mark.parametrize("song_id", FROM_CORPUS)
@pytest.mark.filterwarnings("ignore")  # music21 warns of old spellings in its own files
def test_a_melody_from_the_corpus_is_the_one_in_the_score(song_id):
    pytest.importorskip("music21", reason="music21 reads the scores: see requirements-dev.txt")
    entry = BY_ID[song_id]
    assert as_text(reader.read_citation(entry["source"]["melody"])) == entry["melody"]


def test_more_than_half_of_the_melodies_can_be_read_again():
    assert len(FROM_CORPUS) > len(ENTRIES) / 2


@every_entry
def test_melody_and_facts_are_cited(entry):
    assert list(entry["source"]) == ["melody", "facts"]
    melody, facts = entry["source"].values()
    assert melody.startswith((CORPUS, "Mutopia Project, ftp/", "GitHub repository "))
    if not melody.startswith(CORPUS):
        assert re.search(r"\.\w+; .*(\bbars?\b|all notes)", melody), "names a file and bars"
    assert len(facts) > 10 and facts == facts.strip()


@pytest.mark.parametrize(
    "song_id, opening",
    [
        # in semitones above the first note, so that the key does not matter
        ("fur-elise", [0, -1, 0, -1, 0, -5, -2, -4, -7]),
        ("ode-to-joy", [0, 0, 1, 3, 3, 1, 0, -2, -4, -4, -2, 0, 0, -2, -2]),
        ("ah-vous-dirai-je-maman", [0, 0, 7, 7, 9, 9, 7, 7, 5, 5, 4, 4, 2, 2]),
        ("frere-jacques", [0, 2, 4, 0, 0, 2, 4, 0, 4, 5, 7]),
        ("symphony-no-5", [0, 0, 0, -4, -2, -2, -2, -5]),
        ("jingle-bells", [0, 0, 0, 0, 0, 0, 0, 3, -4, -2, 0]),
        ("amazing-grace", [0, 5, 9, 5, 9, 7, 5, 2, 0]),
        ("stille-nacht-heilige-nacht", [0, 2, 0, -3, 0, 2, 0, -3, 7, 7, 4]),
        ("greensleeves", [0, 3, 5, 7, 8, 7, 5, 2, -2]),
        ("auld-lang-syne", [0, 5, 5, 5, 9, 7, 5, 7, 9]),
    ],
)
def test_a_tune_that_everybody_knows_begins_as_everybody_knows_it(song_id, opening):
    found = heights(BY_ID[song_id])
    assert [height - found[0] for height in found[: len(opening)]] == opening


def test_fur_elise_begins_on_e5():
    assert BY_ID["fur-elise"]["melody"].startswith(
        "E5:1/4 D#5:1/4 E5:1/4 D#5:1/4 E5:1/4 B4:1/4 D5:1/4 C5:1/4 A4:1/2 "
    )


# ---- the shape of the entries ----------------------------------------------------------------


@every_entry
def test_an_entry_is_well_formed(entry):
    assert list(entry) == [*FACTS, "melody", "source"]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry["id"])
    assert entry["id"] == song_id_for(entry["title"])
    assert all(text == text.strip() != "" for text in [entry["title"], entry["composer"]])
    assert entry["title"] not in entry["aliases"]
    assert len(set(entry["aliases"])) == len(entry["aliases"])
    assert type(entry["year"]) is int and 1500 <= entry["year"] <= 1925
    assert type(entry["tempo"]) is int and 40 <= entry["tempo"] <= 220
    assert re.fullmatch(r"[A-G][#b]? (major|minor|dorian|mixolydian)", entry["key"])


@every_entry
def test_a_melody_is_a_short_phrase_in_its_key(entry):
    notes = notes_of(entry)
    assert 12 <= len(notes) <= 48
    assert "R" not in (notes[0][0], notes[-1][0]), "begins and ends with a sound"
    assert all(re.fullmatch(r"R|[A-G][#b]?[2-8]", pitch) for pitch, _ in notes)
    assert all(beats > 0 for _, beats in notes)
    assert all(semitones("C2") <= height <= semitones("C8") for height in heights(entry))
    assert 5 <= sum(beats for _, beats in notes) * 60 / entry["tempo"] <= 12

    tonic, mode = entry["key"].split()
    scale = {(semitones(f"{tonic}4") + step) % 12 for step in STEPS[mode]}
    inside = sum(height % 12 in scale for height in heights(entry))
    assert inside >= 0.8 * len(heights(entry)), "most notes belong to the key"


def test_there_are_enough_songs_in_order_and_none_twice():
    titles = [entry["title"].casefold() for entry in ENTRIES]
    assert len(ENTRIES) >= 64
    assert titles == sorted(titles)
    assert len(set(titles)) == len(titles)
    assert len(BY_ID) == len(ENTRIES)
    assert len({tuple(heights(entry)) for entry in ENTRIES}) == len(ENTRIES)


def test_no_alias_is_the_title_or_the_alias_of_another_song():
    names = [n.casefold() for e in ENTRIES for n in [e["title"], *e["aliases"]]]
    assert sorted(names) == sorted(set(names))


def test_genres_are_a_small_vocabulary():
    genres = [entry["genre"] for entry in ENTRIES]
    assert 10 <= len(set(genres)) <= 18
    assert all(re.fullmatch(r"[a-z]+( [a-z]+)*", genre) for genre in genres)
    assert sum(genres.count(genre) == 1 for genre in set(genres)) <= 3


# ---- the reader ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phrase, relative, melody",
    [
        ("c'4 e' g'2", None, "C4:1 E4:1 G4:2"),
        ("c4 g c, f b", "c'", "C4:1 G3:1 C3:1 F3:1 B3:1"),  # the LilyPond manual: fourths or less
        ("c'4 g c'' b'", "c", "C4:1 G3:1 C6:1 B6:1"),
        ("fis4. es8 bes16 r8 d4..", "c''", "F#5:3/2 Eb5:1/2 Bb4:1/4 R:1/2 D5:7/4"),
        ("c'2~ c'8 d'8~ e'4", None, "C4:5/2 D4:1/2 E4:1"),
        ("c'8*2/3 d' e'", None, "C4:1/3 D4:1/3 E4:1/3"),
    ],
)
def test_a_lilypond_phrase_is_read(phrase, relative, melody):
    assert as_text(reader.read_lilypond(phrase, relative)) == melody


@pytest.mark.parametrize(
    "citation", ["", "music21 corpus x; part 1", "music21 corpus x; part one; notes 1-2"]
)
def test_a_citation_of_another_form_is_refused(citation):
    with pytest.raises(ValueError, match="does not have the form"):
        reader.read_citation(citation)


@pytest.mark.parametrize(
    "low, by, high", [("Bb3", 12, "Bb4"), ("C4", 2, "D4"), ("Fb5", -24, "Fb3"), ("R", 12, "R")]
)
def test_a_pitch_is_moved(low, by, high):
    assert reader.transpose(low, by) == high


def test_heights_rise_along_the_keyboard():
    scale = [
        "B3",
        "C4",
        "C#4",
        "D4",
        "Eb4",
        "E4",
        "F4",
        "F#4",
        "G4",
        "Ab4",
        "A4",
        "Bb4",
        "B4",
        "C5",
    ]
    assert all(semitones(b) - semitones(a) == 1 for a, b in itertools.pairwise(scale))
