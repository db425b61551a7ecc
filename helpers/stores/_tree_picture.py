"""Draw an index as what it is, a B-tree, with the way that a search takes through it.

A B-tree keeps its keys sorted, many to a page, and above them pages that say where to go on
(R. Bayer and E. McCreight, Organization and Maintenance of Large Ordered Indices, 1972). This one
is small enough to draw: three keys to a page. A real page of SQLite has room for about a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

KEYS_IN_A_PAGE = 3
MOST_KEYS = 27  # more would not fit into the width of a page
_PAGE, _GAP, _LINE, _LEVEL = 118, 14, 17, 56


@dataclass(frozen=True)
class Page:
    """A page of the tree: its keys, the pages below it, and where it is drawn."""

    keys: tuple[str, ...]
    below: tuple[Page, ...] = ()

    @property
    def first(self) -> str:
        """The smallest key of this page and all below it."""
        return self.below[0].first if self.below else self.keys[0]

    def way_to(self, key: str) -> list[Page]:
        """The pages that a search for the key reads, from this one to a leaf."""
        if not self.below:
            return [self]
        place = sum(divider <= key for divider in self.keys)
        return [self, *self.below[place].way_to(key)]


class IndexTree:
    """An index over some keys, and the search for one of them.

    Args:
        keys: the values of the indexed column; each counts once.
        wanted: the value to look for.

    Raises:
        ValueError: there are no keys, or more than 27.
    """

    def __init__(self, keys: Iterable[str], wanted: str) -> None:
        self.keys = sorted(set(keys))
        self.wanted = wanted
        if not 1 <= len(self.keys) <= MOST_KEYS:
            raise ValueError(
                f"IndexTree draws 1 to {MOST_KEYS} different keys, and these are {len(self.keys)}."
            )
        level = [
            Page(tuple(self.keys[place : place + KEYS_IN_A_PAGE]))
            for place in range(0, len(self.keys), KEYS_IN_A_PAGE)
        ]
        self.leaves = level
        while len(level) > 1:
            groups = [
                level[place : place + KEYS_IN_A_PAGE]
                for place in range(0, len(level), KEYS_IN_A_PAGE)
            ]
            level = [Page(tuple(p.first for p in group[1:]), tuple(group)) for group in groups]
        self.root = level[0]
        self.way = self.root.way_to(wanted)

    @property
    def found(self) -> bool:
        """Whether the key is there."""
        return self.wanted in self.way[-1].keys

    def __repr__(self) -> str:
        pages = " > ".join(f"[{', '.join(page.keys)}]" for page in self.way)
        end = "found" if self.found else "not there"
        return (
            f"{self.wanted}: {pages}: {end}, {len(self.way)} pages read; "
            f"without the index: {len(self.leaves)} pages"
        )

    def _repr_html_(self) -> str:
        """The SVG in a box that scrolls sideways on a narrow screen."""
        name = escape(f"The way through the index to {self.wanted}")
        return (
            f'<div style="overflow-x:auto" tabindex="0" role="group" aria-label="{name}">'
            f"{self.svg()}</div>"
        )

    def svg(self) -> str:
        """The picture as an SVG element; the pages that are read have a thick edge and a mark."""
        depth = len(self.way)
        width = len(self.leaves) * (_PAGE + _GAP)
        box = KEYS_IN_A_PAGE * _LINE + 12
        height = depth * box + (depth - 1) * _LEVEL + 44
        parts: list[str] = []
        self._draw(self.root, 0, 24.0, iter(range(len(self.leaves))), parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" role="img" '
            f'style="width:100%;min-width:{width * 0.7:g}px;max-width:{width}px;color:inherit" '
            'fill="currentColor" font-family="ui-monospace, Menlo, Consolas, monospace">'
            f"<title>{escape(f'The way through the index to {self.wanted}')}</title>"
            f"<desc>{escape(repr(self))}</desc>{''.join(parts)}</svg>"
        )

    def _draw(self, page: Page, level: int, y: float, leaves: Iterable, parts: list[str]) -> float:
        """Draw a page and what is below it; returns the middle of the page, from the left."""
        box = KEYS_IN_A_PAGE * _LINE + 12
        read = any(page is one for one in self.way)
        if page.below:
            middles = [
                self._draw(one, level + 1, y + box + _LEVEL, leaves, parts) for one in page.below
            ]
            middle = (middles[0] + middles[-1]) / 2
            for one, x in zip(page.below, middles, strict=True):
                thick = read and any(one is another for another in self.way)
                end = y + box + _LEVEL - (20 if thick else 0)  # room for the words above the page
                parts.append(
                    f'<line x1="{middle:g}" y1="{y + box:g}" x2="{x:g}" y2="{end:g}" '
                    f'stroke="currentColor" stroke-width="{4 if thick else 1}"/>'
                )
        else:
            middle = next(leaves) * (_PAGE + _GAP) + (_PAGE + _GAP) / 2
        x = middle - _PAGE / 2
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{_PAGE}" height="{box}" rx="6" fill="currentColor" '
            f'fill-opacity="{0.16 if read else 0.04}" stroke="currentColor" '
            f'stroke-width="{3 if read else 1}"/>'
        )
        if read:
            words = f"read {level + 1}"
            if not page.below:
                words += ": found" if self.found else ": not there"
            parts.append(
                f'<text x="{middle:g}" y="{y - 7:g}" text-anchor="middle" font-size="13" '
                f'font-weight="700">{words}</text>'
            )
        for number, key in enumerate(page.keys):
            weight = ' font-weight="700"' if key == self.wanted and not page.below else ""
            short = key if len(key) <= 13 else key[:12] + "…"
            parts.append(
                f'<text x="{x + 8:g}" y="{y + 6 + _LINE * (number + 0.75):g}" font-size="13"'
                f"{weight}>{escape(short)}</text>"
            )
        return middle
