"""Any song, for hypothesis: every text, every number that a song's fields allow."""

from __future__ import annotations

from hypothesis import strategies as st

from helpers.music import Note, Song

TEXTS = st.text(max_size=12)  # all of Unicode but half characters, which are no text anywhere
WHOLE = st.integers(-(2**31), 2**31 - 1)
NOTES = st.builds(
    Note,
    pitch=st.none() | st.sampled_from(["A4", "D#5", "Bb3", "R"]) | TEXTS,
    beats=st.floats(allow_nan=False, allow_infinity=False),
)
SONGS = st.builds(
    Song,
    id=st.text(min_size=1, max_size=12),
    title=TEXTS,
    composer=TEXTS,
    year=WHOLE,
    key=TEXTS,
    tempo=WHOLE,
    genre=TEXTS,
    melody=st.lists(NOTES, max_size=4).map(tuple),
    aliases=st.lists(TEXTS, max_size=3).map(tuple),
)


def texts_of(song: Song) -> list[str]:
    """Every text in a song."""
    pitches = [note.pitch for note in song.melody if note.pitch is not None]
    return [song.id, song.title, song.composer, song.key, song.genre, *pitches, *song.aliases]
