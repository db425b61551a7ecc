"""The tables of composers and songs, as makemigrations wrote them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Composer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="Song",
            fields=[
                ("id", models.SlugField(max_length=100, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=100)),
                ("year", models.PositiveSmallIntegerField()),
                ("genre", models.CharField(max_length=40)),
                ("search", models.TextField(editable=False)),
                (
                    "composer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="music.composer"
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
    ]
