"""What the chapters of Fundamentals of Backend Engineering import.

One folder a building block, named like the table of contents. A chapter needs two names from
here; the rest it takes from the folder it is about::

    from helpers import serve, environment
    from helpers.music import SONGS, find_song, render_wav, create_app
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a reader with an older Python deserves one clear line
    raise ImportError(
        "This course needs Python 3.11 or newer, and this is Python "
        f"{sys.version_info[0]}.{sys.version_info[1]}. Install a newer Python from python.org, "
        "then run `make book` or `pip install -r requirements.txt` again."
    )

from . import environment
from .serving import Server, serve

__all__ = ["Server", "environment", "serve"]
