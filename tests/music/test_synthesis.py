"""The sound: measured in the samples, as a listener's ear and an audio program would."""

from __future__ import annotations

import dataclasses
import io
import math
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.music import SAMPLE_RATE, SONGS, Note, audio_etag, find_song, render_wav

from .support import ELISE, always_the_same, make_song

FADING = 0.12  # seconds after the last note
PEAK = 32_767


def samples(wav: bytes) -> np.ndarray:
    """The samples of a WAV file, as the standard library reads it, between -1 and 1."""
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert (file.getframerate(), file.getcomptype()) == (SAMPLE_RATE, "NONE")
        frames = file.readframes(file.getnframes())
        assert len(frames) == 2 * file.getnframes()
    return np.frombuffer(frames, "<i2") / PEAK


def strongest_partial(sound: np.ndarray) -> float:
    """The frequency of the highest peak in the spectrum, in hertz.

    Between the lines of the spectrum it is found by a parabola through the logarithms of the
    three highest.
    """
    padded = 1 << (8 * len(sound) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), padded))
    top = int(np.argmax(spectrum))
    left, middle, right = np.log(spectrum[top - 1 : top + 2])
    between = (left - right) / (2 * (left - 2 * middle + right))
    return (top + between) * SAMPLE_RATE / padded


def one_note(pitch: str, beats: float = 1.0) -> np.ndarray:
    return samples(render_wav(make_song(melody=(Note(pitch, beats),), tempo=60)))


# a few of the catalogue, whatever it holds: from its beginning, its middle and its end
SOME = sorted({SONGS[0], SONGS[len(SONGS) // 2], SONGS[-1]}, key=lambda song: song.id)


@pytest.mark.parametrize("song", SOME, ids=lambda song: song.id)
def test_the_catalogue_sounds(song):
    sound = samples(render_wav(song))
    assert len(sound) / SAMPLE_RATE == pytest.approx(song.seconds + FADING, abs=1 / SAMPLE_RATE)
    assert 0.8 < np.abs(sound).max() < 0.9  # loud, and not clipped
    assert np.sqrt(np.mean(sound**2)) > 0.02  # heard, not a single crack in silence
    assert abs(np.mean(sound)) < 0.002  # no offset, which would click at both ends
    assert abs(sound[0]) < 0.001 and abs(sound[-1]) < 0.01


def test_the_file_is_riff_with_the_sizes_that_it_has():
    wav = render_wav(ELISE)
    assert (wav[:4], wav[8:16]) == (b"RIFF", b"WAVEfmt ")
    assert int.from_bytes(wav[4:8], "little") == len(wav) - 8
    assert wav[36:40] == b"data"
    assert int.from_bytes(wav[40:44], "little") == len(wav) - 44


def test_the_sound_lasts_as_long_as_the_melody_and_its_fading():
    melody = (Note("C4", 1), Note(None, 2), Note("E4", 0.5))
    sound = samples(render_wav(make_song(melody=melody, tempo=120)))
    assert len(sound) == int((3.5 * 60 / 120 + FADING) * SAMPLE_RATE)


@pytest.mark.parametrize(
    "pitch", ["A1", "E2", "C3", "A3", "C4", "F#4", "A4", "Bb4", "D#5", "E5", "A5", "C6", "G6"]
)
def test_the_strongest_partial_is_the_notes_pitch(pitch):
    heard, wanted = strongest_partial(one_note(pitch)), Note(pitch, 1).frequency
    assert abs(1200 * math.log2(heard / wanted)) < 3  # cents; trained ears tell about 5


@pytest.mark.parametrize("pitch", ["F5", "F6", "F7", "C8", "B##8"])
def test_high_notes_have_no_partials_that_fold_back(pitch):
    sound = one_note(pitch)
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    pitch_hertz = Note(pitch, 1).frequency
    # every partial is a whole multiple of the pitch; between them is next to nothing
    off = np.abs(hertz / pitch_hertz - np.round(hertz / pitch_hertz)) * pitch_hertz
    between = spectrum[off > 60].sum() / spectrum.sum()
    assert between < 1e-3
    assert abs(1200 * math.log2(strongest_partial(sound) / pitch_hertz)) < 3


def test_a_note_has_several_partials_and_the_upper_ones_die_first():
    sound = one_note("A3", beats=2)

    def strength(start: float, partial: int) -> float:
        part = sound[int(start * SAMPLE_RATE) :][: SAMPLE_RATE // 4]
        turn = np.exp(-2j * np.pi * 220 * partial * np.arange(len(part)) / SAMPLE_RATE)
        return float(np.abs(np.sum(part * np.hanning(len(part)) * turn)))

    early, late = ([strength(at, n) for n in (1, 2, 3, 4, 5)] for at in (0.02, 1.5))
    assert all(s > 0.02 * early[0] for s in early)
    assert late[0] < early[0]  # a plucked string fades
    assert late[4] / late[0] < 0.2 * early[4] / early[0]


def test_notes_start_and_end_without_a_click():
    melody = tuple(Note(pitch, 0.5) for pitch in ("C4", "G4", "C4", "E4", None, "C4"))
    sound = samples(render_wav(make_song(melody=melody, tempo=120)))
    # the steepest a wave at full strength gets from one sample to the next: 2 pi f / sample rate
    # for its strongest partials; a click would jump by a large part of the whole range
    steepest_inside = np.abs(np.diff(one_note("G4"))).max()
    assert np.abs(np.diff(sound)).max() < 1.5 * steepest_inside < 0.6
    for start in (0, 0.25, 0.5, 0.75, 1.25):
        at = int(start * SAMPLE_RATE)
        assert np.abs(np.diff(sound[max(0, at - 2) : at + 8])).max() < 0.12


def test_rests_are_silent():
    melody = (Note(None, 1), Note("C4", 1), Note(None, 2), Note("C4", 1))
    sound = samples(render_wav(make_song(melody=melody, tempo=60)))
    assert not sound[:SAMPLE_RATE].any()
    assert not sound[int((2 + FADING) * SAMPLE_RATE) + 1 : 4 * SAMPLE_RATE].any()
    assert sound[SAMPLE_RATE : 2 * SAMPLE_RATE].any() and sound[4 * SAMPLE_RATE :].any()


@pytest.mark.parametrize("melody", [(), (Note(None, 1),), (Note(None, 1), Note(None, 4))])
def test_a_song_without_a_note_is_refused_by_name(melody):
    with pytest.raises(ValueError, match="nothing to hear: 'a-song'"):
        render_wav(make_song(melody=melody))


def test_equal_songs_give_equal_bytes():
    render_wav.cache_clear()
    first = render_wav(make_song())
    render_wav.cache_clear()
    assert render_wav(make_song(source={"melody": "elsewhere"})) == first


@settings(always_the_same, max_examples=25)
@given(
    st.lists(
        st.builds(
            Note,
            st.sampled_from([None, "C0", "C-1", "A4", "B8", "G9"]),
            st.sampled_from([5e-324, 1e-6, 0.001, 0.1, 1 / 3, 2.0]),
        ),
        min_size=1,
        max_size=6,
    ).filter(lambda notes: any(note.pitch for note in notes)),
    st.sampled_from([20, 120, 400]),
)
def test_any_melody_is_a_file_of_its_length_that_does_not_clip(melody, tempo):
    song = make_song(melody=tuple(melody), tempo=tempo)
    sound = samples(render_wav.__wrapped__(song))
    assert len(sound) == int((song.seconds + FADING) * SAMPLE_RATE)
    assert np.abs(sound).max() <= 0.86


# ---- the entity tag --------------------------------------------------------------------------


def test_the_tag_is_strong_and_quoted():
    tag = audio_etag(ELISE)
    assert tag[0] == tag[-1] == '"' and len(tag) == 18
    assert all("!" <= c <= "~" and c != '"' for c in tag[1:-1])  # etagc (RFC 9110, 8.8.3)


@pytest.mark.parametrize(
    "change",
    [
        {"tempo": 241},
        {"melody": (Note("C4", 1.0), Note(None, 0.5))},
        {"melody": (Note("C4", 1.0), Note(None, 0.5), Note("G#4", 0.5))},
        {"melody": (Note("C4", 1.0), Note(None, 0.5), Note("G4", 0.6))},
        {"melody": (Note("C4", 1.0000001), Note(None, 0.5), Note("G4", 0.5))},
        {"melody": (Note(None, 0.5), Note("C4", 1.0), Note("G4", 0.5))},
    ],
)
def test_the_tag_changes_with_the_sound(change):
    assert audio_etag(make_song(**change)) != audio_etag(make_song())


def test_the_tag_does_not_change_with_what_is_not_heard():
    heard_the_same = dataclasses.replace(make_song(), title="Other", year=1, id="other")
    assert audio_etag(heard_the_same) == audio_etag(make_song())
    assert render_wav(heard_the_same) == render_wav(make_song())


def test_equal_songs_have_equal_tags_however_their_numbers_are_written():
    whole, fraction = make_song(melody=(Note("C4", 1),)), make_song(melody=(Note("C4", 1.0),))
    assert whole == fraction and audio_etag(whole) == audio_etag(fraction)


def test_songs_of_the_catalogue_have_tags_of_their_own():
    tags = {audio_etag(song): song.id for song in SONGS}
    assert len(tags) == len(SONGS)
    assert find_song(SONGS[0].title) == SONGS[0]
