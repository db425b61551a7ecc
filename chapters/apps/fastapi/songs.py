"""The songs: read from the catalogue's export, searched, added to. Nothing here knows HTTP."""

import json
import re
import unicodedata
from pathlib import Path

LONGEST_ID = 100  # characters; one letter of a title can become several of its id


def slug(text: str) -> str:
    """Without accents, case and punctuation: "Für Elise" is "fur-elise"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")


class Songs:
    """All songs, in the order of their ids. Requests may use it from several threads."""

    def __init__(self, folder: Path) -> None:
        """Read songs.json from the folder; its folder audio has the sound."""
        export = json.loads((folder / "songs.json").read_text("utf-8"))
        self._songs = {song["id"]: song for song in export}
        self._audio = folder / "audio"

    def get(self, song_id: str) -> dict | None:
        return self._songs.get(song_id)

    def search(self, words: str = "", after: str = "") -> list[dict]:
        songs = (self._songs[song_id] for song_id in sorted(self._songs) if song_id > after)
        part = slug(words)
        return [song for song in songs if part in slug(f"{song['title']} {song['composer']}")]

    def add(self, new: dict) -> dict | None:
        """The song with its id; None if there is one with this id already."""
        song = {"id": slug(new["title"])[:LONGEST_ID], **new}
        # one step: of two threads that add the same song, one gets None
        return song if self._songs.setdefault(song["id"], song) is song else None

    def audio(self, song_id: str) -> bytes | None:
        file = self._audio / f"{song_id}.wav"
        return file.read_bytes() if song_id in self._songs and file.exists() else None
