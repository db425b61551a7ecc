"""The songs: kept in the database, searched, added to. Nothing here knows HTTP."""

import re
import unicodedata

from django.conf import settings
from django.db import IntegrityError, models, transaction

LONGEST_ID = 100  # characters; one letter of a title can become several of its id


def slug(text: str) -> str:
    """Without accents, case and punctuation: "Für Elise" is "fur-elise"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")


class Composer(models.Model):
    name = models.CharField(max_length=100, unique=True)


class Songs(models.QuerySet):
    def search(self, words: str = "", after: str = "") -> "Songs":
        return self.filter(search__contains=slug(words), id__gt=after)

    def add(self, title: str, composer: str, **fields: object) -> "Song | None":
        """The song with its id; None if there is one with this id already."""
        song_id = slug(title)[:LONGEST_ID]
        try:
            with transaction.atomic():
                composer, _ = Composer.objects.get_or_create(name=composer)
                return self.create(id=song_id, title=title, composer=composer, **fields)
        except IntegrityError:
            return None


class Song(models.Model):
    id = models.SlugField(primary_key=True, max_length=LONGEST_ID)
    title = models.CharField(max_length=100)
    composer = models.ForeignKey(Composer, on_delete=models.PROTECT)
    year = models.PositiveSmallIntegerField()
    genre = models.CharField(max_length=40)
    search = models.TextField(editable=False)

    objects = Songs.as_manager()

    class Meta:
        ordering = ("id",)

    def save(self, *args, **kwargs) -> None:
        self.search = slug(f"{self.title} {self.composer.name}")
        super().save(*args, **kwargs)

    def audio(self) -> bytes | None:
        file = settings.MUSIC_DATA / "audio" / f"{self.id}.wav"
        return file.read_bytes() if file.exists() else None
