"""Bring the songs of the catalogue's export into the database: python manage.py load_songs"""

import json

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from music.models import Composer, Song


class Command(BaseCommand):
    help = "Add the songs of songs.json; those that are there already are brought up to date."

    @transaction.atomic
    def handle(self, *args, **options) -> None:
        songs = json.loads((settings.MUSIC_DATA / "songs.json").read_text("utf-8"))
        for song in songs:
            composer, _ = Composer.objects.get_or_create(name=song.pop("composer"))
            Song(composer=composer, **song).save()
        self.stdout.write(f"{len(songs)} songs loaded")
