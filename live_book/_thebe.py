"""Unplug sphinx-thebe, which Jupyter Book always loads and which points at a third party.

Setting `thebe: false` does not stop it, so its listeners and its stylesheet are taken out.
"""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.config import Config


def _unplug(app: Sphinx, config: Config) -> None:
    for name, listeners in app.events.listeners.items():
        app.events.listeners[name] = [
            one
            for one in listeners
            if not getattr(one.handler, "__module__", "").startswith("sphinx_thebe")
        ]
    app.registry.css_files[:] = [
        entry for entry in app.registry.css_files if entry[0] != "sphinx-thebe.css"
    ]


def setup(app: Sphinx) -> None:
    """Unplug once every extension is loaded, before any listener runs."""
    app.connect("config-inited", _unplug)
