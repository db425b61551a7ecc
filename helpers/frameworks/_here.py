"""The Python applications inside this process: what a notebook looks into, and what a page runs."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from ..serving._interface import IN_PAGE
from ._export import export, write
from ._frameworks import FRAMEWORKS, framework_named

_WITH_SOUND = ("fur-elise",)  # rendering takes a while in a page

_DATABASE = "file:music?mode=memory&cache=shared"

_django_log: list[io.StringIO] = []
_anchors: list[sqlite3.Connection] = []
"""Connections that keep the database in memory while Django has none open."""


def data_folder() -> Path:
    """Where the catalogue's export is; in a page with the sound of one song only."""
    if not IN_PAGE:
        return export()
    folder = Path(tempfile.gettempdir()) / "music-data"
    if not (folder / "songs.json").exists():
        write(folder, _WITH_SOUND)
    return folder


def load_app(name: str) -> ModuleType:
    """Import the FastAPI or the Flask application into this process, anew each time.

    Args:
        name: "fastapi" or "flask".

    Returns:
        Its module `app`, with the application as its attribute `app`.

    Raises:
        ValueError: there is no such application, or it is not in Python, or it is Django's.
    """
    if name not in ("fastapi", "flask"):
        framework_named(name)
        raise ValueError(f"load_app takes 'fastapi' or 'flask', not {name!r}.")
    return imported(name)[0]


def imported(name: str, **variables: str) -> tuple[ModuleType, io.StringIO]:
    """An application's module `app`, and what it logs from now on.

    Two of the applications have modules of the same names. So this one's are forgotten again
    after the import: the application holds them itself.

    Args:
        name: "fastapi" or "flask".
        variables: what it finds in its environment.
    """
    folder = str(FRAMEWORKS[name].folder)
    log = io.StringIO()
    settings = {"MUSIC_DATA": str(data_folder()), **variables}
    sys.path.insert(0, folder)
    before = set(sys.modules)
    try:
        with _environment(settings), contextlib.redirect_stdout(log):
            return importlib.import_module("app"), log
    finally:
        sys.path.remove(folder)
        for new in set(sys.modules) - before:
            if (getattr(sys.modules[new], "__file__", None) or "").startswith(folder):
                del sys.modules[new]


def models() -> ModuleType:
    """The models of the Django application, with the catalogue in a database in memory.

    A notebook has a running event loop, in which Django's ORM refuses to work unless it is told
    that this is meant (DJANGO_ALLOW_ASYNC_UNSAFE, which its documentation names for notebooks).

    Returns:
        The application's module `music.models`, with `Song` and `Composer`.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    set_up_django()
    return importlib.import_module("music.models")


def django_application() -> tuple[Any, io.StringIO]:
    """The Django application as WSGI, which needs no thread, and what it logs.

    Its database has the catalogue and nothing else, as after any start.
    """
    found = models()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    found.Song.objects.all().delete()
    found.Composer.objects.all().delete()
    with contextlib.redirect_stdout(_django_log[0]):  # it sets up the log once more
        with _environment({"MUSIC_DATA": str(data_folder())}):
            call_command("load_songs", verbosity=0)
        return get_wsgi_application(), _django_log[0]


def set_up_django() -> None:
    """Make Django ready in this process, once: its settings, and the catalogue in a database.

    The database is in memory, and shared: Django opens a connection for each context, and a
    notebook runs each cell in one of its own.
    """
    if _django_log:
        return
    log = io.StringIO()
    folder = str(FRAMEWORKS["django"].folder)
    _anchors.append(sqlite3.connect(_DATABASE, uri=True, check_same_thread=False))
    settings = {
        "DJANGO_SETTINGS_MODULE": "service.settings",
        "MUSIC_DATA": str(data_folder()),
        "MUSIC_DATABASE": _DATABASE,
    }
    sys.path.insert(0, folder)
    import django
    from django.core.management import call_command

    with _environment(settings), contextlib.redirect_stdout(log):
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("load_songs", verbosity=0)
    _django_log.append(log)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Environment variables that are there for a while; others that change meanwhile are kept."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
