"""Draw what two connections did to each other: two lanes, and time runs from top to bottom."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape
from typing import Literal

WIDTH, LANE, GAP, TOP = 680, 320, 40, 44
LINE, PAD = 17, 9  # height of a line of text, and what is left free around a box's text
CHARACTERS = 38  # in a line of a box
_MARKS = {"done": "→", "waits": "‖", "refused": "✕"}


@dataclass(frozen=True)
class Event:
    """One statement: in which lane, its text, what came of it, and how that is drawn."""

    lane: int
    sql: str
    outcome: str
    kind: Literal["done", "waits", "refused"]

    @property
    def result(self) -> str:
        """The outcome with its mark, so that no colour is needed; "" when there is none."""
        return f"{_MARKS[self.kind]} {self.outcome}" if self.outcome else ""


@dataclass(frozen=True)
class Score:
    """The picture: text in a terminal, SVG with a text alternative in a notebook."""

    names: tuple[str, ...]
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        return "\n".join(self._sentences())

    def _sentences(self) -> list[str]:
        widest = max(map(len, self.names))
        return [
            f"{number:2}. {self.names[event.lane]:{widest}}  {event.sql}  {event.result}".rstrip()
            for number, event in enumerate(self.events, 1)
        ]

    def _repr_html_(self) -> str:
        """The SVG in a box that scrolls sideways on a narrow screen."""
        return (
            '<div style="overflow-x:auto" tabindex="0" role="group" '
            f'aria-label="{escape(self._title())}">{self.svg()}</div>'
        )

    def _title(self) -> str:
        return f"What {' and '.join(self.names)} did, in order of time"

    def svg(self) -> str:
        """The picture as an SVG element; it takes its ink from the text around it."""
        parts, y = [], float(TOP)
        waiting: dict[int, float] = {}  # lane: where its waiting begins
        for event in self.events:
            lines = textwrap.wrap(event.sql, CHARACTERS) or [""]
            results = textwrap.wrap(event.result, CHARACTERS)
            height = LINE * (len(lines) + len(results)) + 2 * PAD
            if event.lane in waiting:  # this is where the waiting ends
                parts.append(_pause(event.lane, waiting.pop(event.lane), y))
            parts.append(_box(event, y, height, lines, results))
            y += height + 8
            if event.kind == "waits":
                waiting[event.lane] = y - 8
        parts += [_pause(lane, start, y) for lane, start in waiting.items()]
        heads = [
            f'<text x="{_left(lane) + LANE / 2:g}" y="20" text-anchor="middle" font-size="16" '
            f'font-weight="700">{escape(name)}</text>'
            f'<line x1="{_left(lane)}" y1="30" x2="{_left(lane) + LANE}" y2="30" '
            'stroke="currentColor" stroke-width="2"/>'
            for lane, name in enumerate(self.names)
        ]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:g}" role="img" '
            f'style="width:100%;min-width:34em;max-width:{WIDTH}px;color:inherit" '
            'fill="currentColor" font-family="ui-monospace, Menlo, Consolas, monospace">'
            f"<title>{escape(self._title())}</title>"
            f"<desc>{escape('; '.join(self._sentences()))}</desc>{''.join(heads + parts)}</svg>"
        )


def _left(lane: int) -> int:
    return lane * (LANE + GAP)


def _pause(lane: int, start: float, end: float) -> str:
    """A dashed line: the statement above it waits that long."""
    x = _left(lane) + LANE / 2
    return (
        f'<line x1="{x:g}" y1="{start:g}" x2="{x:g}" y2="{end:g}" stroke="currentColor" '
        'stroke-width="4" stroke-dasharray="3 5"/>'
    )


def _box(event: Event, y: float, height: float, lines: list[str], results: list[str]) -> str:
    x = _left(event.lane)
    edge = {"done": 'stroke-width="1"', "waits": 'stroke-width="2" stroke-dasharray="6 4"'}.get(
        event.kind, 'stroke-width="3"'
    )
    words = []
    for number, line in enumerate([*lines, *results]):
        weight = "" if number < len(lines) else ' font-weight="700"'
        words.append(
            f'<text x="{x + PAD}" y="{y + PAD + LINE * (number + 0.75):g}" font-size="13"{weight} '
            f'xml:space="preserve">{escape(line)}</text>'
        )
    return (
        f'<rect x="{x + 1}" y="{y:g}" width="{LANE - 2}" height="{height:g}" rx="6" '
        f'fill="currentColor" fill-opacity="0.06" stroke="currentColor" {edge}/>{"".join(words)}'
    )
