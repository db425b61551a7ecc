"""The application's own tests. To run them: pytest"""

from fastapi.testclient import TestClient

from app import app, get_songs

client = TestClient(app)


class OneSong:
    def get(self, song_id: str) -> dict | None:
        song = {
            "id": "a-song",
            "title": "A song",
            "composer": "A Reader",
            "year": 2026,
            "genre": "study",
        }
        return song if song_id == "a-song" else None


def test_a_song_is_found_by_its_id():
    app.dependency_overrides[get_songs] = OneSong
    assert client.get("/songs/a-song").json()["title"] == "A song"


def test_an_unknown_song_is_a_problem():
    app.dependency_overrides[get_songs] = OneSong
    answer = client.get("/songs/no-such-song")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
