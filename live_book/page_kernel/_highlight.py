"""Colour code as the built page does: the same spans, so the same styles."""

from __future__ import annotations

from functools import cache
from typing import Any


def highlight(code: str) -> str:
    """The HTML inside ``<pre>`` for the text of a cell."""
    from pygments import highlight as colour

    return colour(code, *_tools())


@cache
def _tools() -> tuple[Any, Any]:
    # Late: the lexer imports those of a dozen other languages, and no output waits for it.
    from ipython_pygments_lexers import IPython3Lexer
    from pygments.formatters import HtmlFormatter

    return IPython3Lexer(stripnl=False), HtmlFormatter(nowrap=True)
