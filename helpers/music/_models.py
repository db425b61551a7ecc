"""What the API takes and gives: FastAPI checks requests against these and documents them."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ._song import Note, Song

_LONGEST_MELODY = 60  # seconds


def _printable(text: str) -> str:
    kinds = [unicodedata.category(c) for c in text]
    if "Cc" in kinds or all(kind[0] in "CMZ" for kind in kinds):
        raise ValueError("Write at least one visible character, and no control characters")
    return text


def _whole(number: Any) -> Any:
    # 2026.0 is an integer in JSON Schema, and JSON itself does not tell the two apart
    return int(number) if isinstance(number, float) and number.is_integer() else number


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]


class NoteModel(BaseModel):
    """One note: its pitch (null for a rest) and its length in quarter notes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    # octaves 0 to 8: a piano's, and what half the sample rate of the sound leaves room for
    pitch: Annotated[str | None, Field(pattern=r"^[A-G](#{0,2}|b{0,2})[0-8]$")]
    beats: Annotated[float, Field(gt=0, le=16, allow_inf_nan=False)]


class NoteOut(BaseModel):
    """One note: its pitch (null for a rest) and its length in quarter notes."""

    pitch: str | None
    beats: float


class NewSong(BaseModel):
    """A song as a client sends it."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "title": "My First Song",
                    "composer": "A Reader",
                    "year": 2026,
                    "key": "C major",
                    "tempo": 120,
                    "genre": "study",
                    "melody": [{"pitch": "C5", "beats": 1}, {"pitch": "E5", "beats": 1}],
                }
            ]
        },
    )

    title: Text
    composer: Text
    year: Annotated[int, Field(ge=1, le=2100), BeforeValidator(_whole)]
    key: Annotated[
        str, Field(pattern=r"^[A-G][#b]? (major|minor|dorian|phrygian|lydian|mixolydian|locrian)$")
    ]
    tempo: Annotated[
        int, Field(ge=20, le=400, description="quarter notes a minute"), BeforeValidator(_whole)
    ]
    genre: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_printable)]
    melody: Annotated[list[NoteModel], Field(min_length=1, max_length=256)]

    @model_validator(mode="after")
    def _can_be_heard(self) -> NewSong:
        if all(note.pitch is None for note in self.melody):
            raise ValueError("A melody needs at least one note that is not a rest")
        if sum(note.beats for note in self.melody) * 60 / self.tempo > _LONGEST_MELODY:
            raise ValueError(f"A melody lasts at most {_LONGEST_MELODY} seconds at its tempo")
        return self

    def as_song(self, song_id: str) -> Song:
        """The song under the id that it gets in the catalogue."""
        fields = self.model_dump(exclude={"melody"})
        melody = tuple(Note(note.pitch, float(note.beats)) for note in self.melody)
        return Song(id=song_id, melody=melody, **fields)


class SongModel(BaseModel):
    """A song as the service gives it; see NewSong for what each field may hold."""

    id: str
    title: str
    composer: str
    year: int
    key: str
    tempo: int
    genre: str
    melody: list[NoteOut]


class SongSummary(BaseModel):
    """A song in a list: enough to choose by."""

    id: str
    title: str
    composer: str
    year: int
    genre: str


class SongPage(BaseModel):
    """One page of a list; ``next`` is the address of the page after it, null on the last one."""

    items: list[SongSummary]
    next: str | None


class Plays(BaseModel):
    """How often a song has been played."""

    plays: int


def problem_documentation(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the problems that an operation may answer with."""
    schema = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    }
    return {
        status: {
            "description": "Problem details (RFC 9457)",
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }
