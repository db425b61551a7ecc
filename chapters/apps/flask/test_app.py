"""The application's own tests. To run them: python -m pytest"""

from app import app

client = app.test_client()


class OneSong:
    def get(self, song_id: str) -> dict | None:
        song = {"id": "a-song", "title": "A song", "composer": "A Reader", "year": 2026}
        return song if song_id == "a-song" else None


def test_a_song_is_found_by_its_id(monkeypatch):
    monkeypatch.setattr("app.songs", OneSong())
    assert client.get("/songs/a-song").json["title"] == "A song"


def test_an_unknown_song_is_a_problem(monkeypatch):
    monkeypatch.setattr("app.songs", OneSong())
    answer = client.get("/songs/no-such-song")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
