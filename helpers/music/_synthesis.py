"""Turn a song's notes into sound, with the standard library alone.

A note is a sum of partials: sine waves at whole multiples of its pitch. Right after the stroke
all partials sound; the upper ones die away first, as on a plucked string. Both colours are
calculated once as tables of a single wave, and every note reads along them at its own speed
(wavetable synthesis; see Julius O. Smith, "Spectral Audio Signal Processing", Appendix G).
"""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array
from functools import lru_cache
from hashlib import sha256

from ._song import Song

SAMPLE_RATE = 22_050
"""Samples a second: half of a CD's, which keeps the bytes few and the melody clear."""

_VERSION = 1  # to be raised with every change to the sound: it is part of the entity tag
_TABLE_SIZE = 2048
_BRIGHT = (1.0, 0.55, 0.35, 0.22, 0.14, 0.09, 0.06, 0.04)
_MELLOW = (1.0, 0.28, 0.10, 0.03)
_PURE = (1.0,)
_ATTACK = 0.006  # seconds from silence to full strength: shorter than this clicks
_RELEASE = 0.12  # seconds in which a note fades after its time is up
_LOUDEST = 0.85 * 32767


def _one_wave(strengths: tuple[float, ...]) -> list[float]:
    turn = 2 * math.pi / _TABLE_SIZE
    total = sum(strengths)
    return [
        sum(s * math.sin(turn * i * n) for n, s in enumerate(strengths, 1)) / total
        for i in range(_TABLE_SIZE)
    ]


@lru_cache(maxsize=1)
def _tables() -> tuple[list[float], list[float], list[float]]:
    return _one_wave(_BRIGHT), _one_wave(_MELLOW), _one_wave(_PURE)


def _add_note(track: list[float], start: int, frequency: float, seconds: float) -> None:
    bright, mellow, pure = _tables()
    # partials above half the sample rate would fold back as wrong notes
    if frequency * len(_BRIGHT) >= SAMPLE_RATE / 2:
        bright = mellow
    if frequency * len(_MELLOW) >= SAMPLE_RATE / 2:
        bright = mellow = pure
    step = frequency * _TABLE_SIZE / SAMPLE_RATE
    held, attack = int(seconds * SAMPLE_RATE), int(_ATTACK * SAMPLE_RATE)
    length = min(held + int(_RELEASE * SAMPLE_RATE), len(track) - start)
    fading = 1 / max(1, length - held)
    dimmer = math.exp(-1 / (0.9 * SAMPLE_RATE))  # the whole note, over most of a second
    duller = math.exp(-1 / (0.15 * SAMPLE_RATE))  # its upper partials, six times as fast
    mask, phase, strength, shine = _TABLE_SIZE - 1, 0.0, 1.0, 1.0
    for i in range(length):
        at = int(phase) & mask
        sample = mellow[at]
        sample = (sample + shine * (bright[at] - sample)) * strength
        if i < attack:
            sample *= i / attack
        elif i > held:
            sample *= 1 - (i - held) * fading
        track[start + i] += sample
        phase += step
        strength *= dimmer
        shine *= duller


@lru_cache(maxsize=32)
def render_wav(song: Song) -> bytes:
    """The song's opening melody as a WAV file.

    Args:
        song: any song with at least one note.

    Returns:
        A RIFF WAV file: mono, 16 bits a sample, ``SAMPLE_RATE`` samples a second. The last note
        is followed by its own fading, 0.12 seconds. Equal songs give equal bytes.

    Raises:
        ValueError: the song has no note to play.
    """
    if all(note.pitch is None for note in song.melody):
        raise ValueError(f"There is nothing to hear: {song.id!r} has no notes in its melody.")
    track = [0.0] * int((song.seconds + _RELEASE) * SAMPLE_RATE)
    beat = 60 / song.tempo
    now = 0.0
    for note in song.melody:
        if note.frequency is not None:
            _add_note(track, int(now * SAMPLE_RATE), note.frequency, note.beats * beat)
        now += note.beats * beat
    return _wav_file(track)


def audio_etag(song: Song) -> str:
    """The entity tag of the song's WAV file (RFC 9110, section 8.8.3), quotes included.

    It is made from what decides the bytes (the notes, the tempo, this module's version), so that
    nothing has to be rendered to know it.
    """
    notes = " ".join(f"{note.pitch}:{float(note.beats)!r}" for note in song.melody)
    return f'"{sha256(f"{_VERSION} {song.tempo} {notes}".encode()).hexdigest()[:16]}"'


def _wav_file(track: list[float]) -> bytes:
    loudest = max(max(track), -min(track)) or 1.0
    samples = array("h", (int(sample * _LOUDEST / loudest) for sample in track))
    if sys.byteorder == "big":
        samples.byteswap()  # a WAV file is little-endian on every machine
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(samples.itemsize)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(samples.tobytes())
    return file.getvalue()
