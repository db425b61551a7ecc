"""A Sphinx extension that makes the published page work with no server and puts it on a diet.

Add it to Jupyter Book's `_config.yml` under `sphinx: extra_extensions` (see README.md). It acts
on HTML builds only. Each concern is one module; each module has a `setup(app)` of its own.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from . import (
    _assets,
    _audio,
    _head,
    _layout,
    _lite,
    _math,
    _missing,
    _not_found,
    _python,
    _streams,
    _stylesheet,
    _thebe,
    _tracebacks,
    _widgets,
)

__all__ = ["setup"]

__version__ = "0.1.0"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect every part of the extension to a Sphinx application."""
    parts = (_assets, _thebe, _lite, _python, _widgets, _audio, _tracebacks, _math, _layout, _head)
    for part in (*parts, _missing, _streams, _not_found, _stylesheet):
        part.setup(app)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
