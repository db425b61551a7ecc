"""What the proxy has counted, as a table that a notebook draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

_STYLE = "border-collapse:collapse;font:inherit;color:inherit;background:transparent;margin:0"
_CELL = "padding:.2em .5em;border-bottom:1px solid currentColor;white-space:nowrap;"
_MARKS = {"up": "●", "starting": "◐", "draining": "◌", "down": "✕"}
_TITLES = ("server", "state", "weight", "requests", "failures", "retries", "open", "median ms")


@dataclass(frozen=True)
class Row:
    """One server's figures.

    Attributes:
        url: which server.
        state: "up", "starting" (after a recovery, with less than its share), "draining", "down".
        weight: as it was set.
        requests: how many were sent to it, further tries of the same request included.
        failures: how many it did not answer.
        retries: how many it got after another server had failed them.
        open: how many it has now.
        median_ms: milliseconds until an answer's head was here, of the last ones; None: no answer.
    """

    url: str
    state: str
    weight: float
    requests: int
    failures: int
    retries: int
    open: int
    median_ms: float | None

    @property
    def cells(self) -> tuple[str, ...]:
        """The figures as text, in the order of the table's columns."""
        median = "–" if self.median_ms is None else f"{self.median_ms:.1f}"
        counts = (f"{n:,}" for n in (self.requests, self.failures, self.retries, self.open))
        return (self.url.removeprefix("http://"), self.state, f"{self.weight:g}", *counts, median)


class Statistics:
    """A snapshot: one row per server, in order. Iterate over it, or look one up by its URL."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = tuple(rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, url: str) -> Row:
        for row in self.rows:
            if row.url == url:
                return row
        raise KeyError(url)

    def __repr__(self) -> str:
        lines = [_TITLES, *(row.cells for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if at < 2 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="{_CELL}text-align:{_align(at)}">{title}</th>'
            for at, title in enumerate(_TITLES)
        )
        body = "".join(self._html_row(row) for row in self.rows)
        caption = (
            '<caption style="text-align:left;caption-side:top;padding:.2em 0">'
            "What the proxy has counted</caption>"
        )
        return (
            f'<div style="overflow-x:auto;max-width:100%"><table style="{_STYLE}">{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _html_row(self, row: Row) -> str:
        url, state, *figures = row.cells
        mark = f'<span aria-hidden="true">{_MARKS.get(state, "")}</span> {state}'
        cells = [
            f'<th scope="row" style="{_CELL}text-align:left;font-weight:inherit">{escape(url)}</th>',
            f'<td style="{_CELL}text-align:left">{mark}</td>',
            *(f'<td style="{_CELL}text-align:right">{figure}</td>' for figure in figures),
        ]
        return f"<tr>{''.join(cells)}</tr>"


def _align(at: int) -> str:
    return "left" if at < 2 else "right"
