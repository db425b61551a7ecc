"""Puts JupyterLite onto the site: each chapter as a notebook in the browser, in `lite/`.

`live_book.build` calls `build` after the book. JupyterLite starts the same Python as the pages do,
from the site's `_runtime/`; nothing of it comes from another host.
"""

from __future__ import annotations

from ._build import LiteNotBuilt, build

__all__ = ["LiteNotBuilt", "build"]
