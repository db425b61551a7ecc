"""Audio written into a page as a data URL becomes a file beside it, fetched when played.

`IPython.display.Audio` puts the whole sound into the HTML in base64. A few seconds of sound are
hundreds of kilobytes, which every reader of the page would download.
"""

from __future__ import annotations

import binascii
import html
import re
from base64 import b64decode

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from ._assets import is_html, to_root, write_extract

logger = logging.getLogger(__name__)

_AUDIO = re.compile(r"<audio\b(?P<attributes>[^>]*)>(?P<inside>.*?)</audio>", re.S | re.I)
_DATA_URL = re.compile(
    r"""src=(?P<quote>["'])data:audio/(?P<kind>[\w.+-]+)(?:;[^,;"']*)*;base64,"""
    r"""(?P<data>[^"']*)(?P=quote)""",
    re.I,
)
_SUFFIXES = {
    "wav": ".wav",
    "x-wav": ".wav",
    "wave": ".wav",
    "vnd.wave": ".wav",
    "mpeg": ".mp3",
    "mp3": ".mp3",
    "ogg": ".ogg",
    "webm": ".webm",
    "mp4": ".m4a",
    "flac": ".flac",
}


class _Page:
    """Rewrites the audio elements of one page and counts them for their labels."""

    def __init__(self, app: Sphinx, docname: str) -> None:
        self.app = app
        self.docname = docname
        self.labels: dict[str, int] = {}

    def label(self, section: str) -> str:
        self.labels[section] = self.labels.get(section, 0) + 1
        number = self.labels[section]
        return f"Audio: {section}" + (f" ({number})" if number > 1 else "")

    def rewrite(self, text: str, section: str) -> str:
        return _AUDIO.sub(lambda match: self._element(match, section), text)

    def _element(self, match: re.Match[str], section: str) -> str:
        attributes = _DATA_URL.sub(self._extract, match["attributes"])
        inside = _DATA_URL.sub(self._extract, match["inside"])
        # A page that starts to play by itself is a barrier (WCAG 2.2, 1.4.2), and `preload`
        # is ignored on an element that plays at once.
        attributes = re.sub(
            r"""\s(controls|preload|autoplay)(=("[^"]*"|'[^']*'|[^\s>]*))?""",
            "",
            " " + attributes,
            flags=re.I,
        ).strip()
        if not re.search(r"\b(aria-label|aria-labelledby|title)=", attributes, re.I):
            attributes += f' aria-label="{html.escape(self.label(section))}"'
        return f'<audio controls preload="none" {attributes.strip()}>{inside}</audio>'

    def _extract(self, match: re.Match[str]) -> str:
        try:
            content = b64decode("".join(html.unescape(match["data"]).split()), validate=True)
        except binascii.Error:
            logger.warning(
                "An audio output holds broken base64 data and was left as it is. Run the notebook "
                "again.",
                location=self.docname,
                type="live_book",
                subtype="audio",
            )
            return match[0]
        suffix = _SUFFIXES.get(match["kind"].lower(), ".bin")
        path = write_extract(self.app, "audio", suffix, content)
        return f'src="{to_root(self.docname)}{path}"'


def _section_title(node: nodes.Node) -> str:
    parent = node.parent
    while parent is not None and not isinstance(parent, nodes.section):
        parent = parent.parent
    title = parent.next_node(nodes.title) if parent is not None else None
    return title.astext() if title is not None else "this page"


def _rewrite_outputs(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if not is_html(app):
        return
    page = _Page(app, docname)
    for node in list(doctree.findall(nodes.raw)):
        text = node.astext()
        if node.get("format") == "html" and "<audio" in text.lower():
            fresh = page.rewrite(text, _section_title(node))
            node.replace_self(nodes.raw("", fresh, format="html", classes=node["classes"]))


def setup(app: Sphinx) -> None:
    """Rewrite the outputs of each page as it is written."""
    app.connect("doctree-resolved", _rewrite_outputs, priority=700)
