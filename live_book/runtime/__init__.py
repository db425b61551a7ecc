"""Gathers the Python that runs in the published page: Pyodide and wheels, in one folder.

    python -m live_book.runtime          gather what `pins.json` names
    python -m live_book.runtime pin      choose the newest versions within `packages.toml`

The build calls `gather`, which makes the folder once, and `place`, which puts it onto the site.
"""

from __future__ import annotations

from ._errors import RuntimeNotGathered
from ._gather import gather
from ._place import place

__all__ = ["RuntimeNotGathered", "gather", "place"]
