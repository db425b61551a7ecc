"""The application's own tests. To run them: python manage.py test"""

from django.test import TestCase

from .models import Song


class SongTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        Song.objects.add(title="A song", composer="A Reader", year=2026, genre="study")

    def test_a_song_is_found_by_its_id(self) -> None:
        self.assertEqual(self.client.get("/songs/a-song").json()["title"], "A song")

    def test_an_unknown_song_is_a_problem(self) -> None:
        answer = self.client.get("/songs/no-such-song")
        self.assertEqual(answer.status_code, 404)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
