"""Anywidgets in the published page, shown by a small static host instead of Jupyter's manager.

myst-nb writes the state of every widget of the notebook's kernel into the page and loads
require.js and html-manager from third parties. Here a page gets the models that it shows and
those that they refer to, their code and styles as files beside it, and `live_widgets.js`.

Formats: widget state is `application/vnd.jupyter.widget-state+json` version 2 (ipywidgets, "Model
state"); the code of a widget follows the anywidget front-end module specification.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from ._assets import is_html, to_root, write_extract

logger = logging.getLogger(__name__)

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"

NO_SCRIPT = "This is a live widget: turn JavaScript on in this browser to use it."
NEEDS_JUPYTER = "This widget works only in Jupyter: open the chapter's notebook to use it."
NOT_SAVED = "This widget was not saved with the page: open the chapter's notebook to use it."

_REFERENCE = re.compile(r"^(?:IPY_MODEL_|anywidget:)(\w+)$")
_VIEW_SCRIPT = re.compile(rf'<script type="{re.escape(VIEW)}">(.*?)</script>', re.S)
_OUTSIDE = re.compile(
    r"""(?:\bfrom\s*|\bimport\s*\(?\s*|@import\s+(?:url\()?\s*|\burl\(\s*)["']?(https?:)?//""" r"\w"
)
_LARGE_BUFFER = 4096
"""Bytes from which a binary value becomes a file of its own, fetched when its widget starts."""


class WidgetPage:
    """The models that one page needs, out of the state of its notebook's kernel."""

    def __init__(self, app: Sphinx, docname: str, state: dict[str, Any]) -> None:
        self.app = app
        self.docname = docname
        self.state = state
        self.models: dict[str, dict[str, Any]] = {}

    def placeholder(self, model_id: str) -> str:
        """The element that a view becomes; the model and its children are added to the page."""
        record = self.state.get(model_id)
        if record is None:
            self._warn(
                "The state of a widget is missing, so the page cannot show it. Keep the widget "
                "open until the notebook ends, and run the notebook again."
            )
            return _note(NOT_SAVED)
        if not _is_anywidget(record):
            self._warn(
                f"{record.get('model_name', 'A widget')} is a widget of "
                f"{record.get('model_module', 'another package')}, which does not work in the "
                "published page. Write it as an anywidget with inputs of its own."
            )
            return _note(NEEDS_JUPYTER)
        self._add(model_id)
        return (
            f'<div class="live-widget" data-model="{model_id}">'
            f'<noscript><p class="live-widget-note">{NO_SCRIPT}</p></noscript></div>'
        )

    def script(self) -> str:
        """The models as one JSON script element for `live_widgets.js`."""
        # "<" would end the element early inside a string.
        text = json.dumps(self.models, separators=(",", ":")).replace("<", "\\u003c")
        return f'<script type="application/json" id="live-widgets">{text}</script>'

    def _add(self, model_id: str) -> None:
        if model_id in self.models or model_id not in self.state:
            return
        record = self.state[model_id]
        values = record.get("state", {})
        model: dict[str, Any] = {
            "state": {key: value for key, value in values.items() if not _is_internal(key)}
        }
        self.models[model_id] = model
        if _is_anywidget(record):
            self._add_code(model, values)
            layout = self.state.get(_referred(values.get("layout")) or "", {}).get("state", {})
            styles = {
                key.replace("_", "-"): value
                for key, value in layout.items()
                if isinstance(value, str) and not key.startswith("_")
            }
            if styles:
                model["layout"] = styles
        if values.get("_dom_classes"):
            model["classes"] = values["_dom_classes"]
        if record.get("buffers"):
            model["buffers"] = [self._buffer(one) for one in record["buffers"]]
        for child in _references(model["state"]):
            self._add(child)

    def _add_code(self, model: dict[str, Any], values: dict[str, Any]) -> None:
        name = re.sub(r"\W+", "-", str(values.get("_anywidget_id", "widget")).rsplit(".", 1)[-1])
        for key, suffix in (("_esm", ".js"), ("_css", ".css")):
            text = values.get(key)
            if not text:
                continue
            if text.startswith(("http://", "https://")) or _OUTSIDE.search(text):
                self._warn(
                    f"The {key} of the widget {name} loads something from another site. The page "
                    "makes no such request: put what it needs beside it."
                )
            path = write_extract(self.app, f"widget-{name}", suffix, text.encode())
            model[key.strip("_")] = to_root(self.docname) + path

    def _buffer(self, buffer: dict[str, Any]) -> dict[str, Any]:
        # Other encodings than base64 do not exist so far; nbclient and ipywidgets write this one.
        content = base64.b64decode(buffer["data"])
        if len(content) < _LARGE_BUFFER:
            return {"path": buffer["path"], "data": buffer["data"]}
        path = write_extract(self.app, "data", ".bin", content)
        return {"path": buffer["path"], "url": to_root(self.docname) + path}

    def _warn(self, text: str) -> None:
        logger.warning(text, location=self.docname, type="live_book", subtype="widgets")


def _note(sentence: str) -> str:
    return f'<p class="live-widget-note">{sentence}</p>'


def _is_anywidget(record: dict[str, Any]) -> bool:
    return record.get("model_module") == "anywidget"


def _is_internal(key: str) -> bool:
    return key in {"_esm", "_css", "_dom_classes", "layout", "tabbable", "tooltip"} or (
        key.startswith(("_model_", "_view_"))
    )


def _referred(value: Any) -> str | None:
    match = _REFERENCE.match(value) if isinstance(value, str) else None
    return match[1] if match else None


def _references(value: Any) -> Iterator[str]:
    """The identifiers of the models that a state refers to, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif model_id := _referred(value):
        yield model_id


def _saved_state(app: Sphinx, docname: str) -> dict[str, Any]:
    metadata = getattr(app.env, "nb_metadata", {}).get(docname, {})
    _, attributes = metadata.get("js_files", {}).get("ipywidgets_state", (None, {}))
    return json.loads(attributes["body"])["state"] if attributes else {}


def _show_widgets(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put placeholders where the views are, and the models at the end of the page."""
    if not is_html(app):
        return
    page = WidgetPage(app, docname, _saved_state(app, docname))
    for node in list(doctree.findall(nodes.raw)):
        match = _VIEW_SCRIPT.fullmatch(node.astext().strip())
        if match and node.get("format") == "html":
            markup = page.placeholder(json.loads(match[1])["model_id"])
            node.replace_self(nodes.raw("", markup, format="html"))
    if page.models:
        doctree.append(nodes.raw("", page.script(), format="html"))
        doctree["live_widgets"] = True


def _load_host(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree) -> None:
    """Load the host on pages with widgets, and nowhere the state of the whole kernel."""
    if not is_html(app):
        return
    if doctree is not None and doctree.get("live_widgets"):
        app.add_js_file("live_widgets.js", type="module")
    context["script_files"] = [
        one
        for one in context["script_files"]
        if getattr(one, "attributes", {}).get("type") != STATE
    ]


def _no_third_party(app: Sphinx, config: Config) -> None:
    config.nb_ipywidgets_js = {}


def setup(app: Sphinx) -> None:
    """Take over widgets from myst-nb."""
    app.connect("config-inited", _no_third_party)
    app.connect("doctree-resolved", _show_widgets, priority=700)
    app.connect("html-page-context", _load_host, priority=700)
