"""What a reader sees of a check: the verdict and the progress, as text and as HTML.

The HTML carries its own style. It takes the page's colours (`currentColor`), so it fits light and
dark pages; a verdict is told by a symbol and a word, never by colour.
"""

import html
import re
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How an answer stands; the value is the word that the reader sees."""

    RIGHT = "right"
    NOT_YET = "not yet"
    NOT_ANSWERED = "not answered yet"
    CANNOT_CHECK = "cannot be checked"


_SYMBOLS = {
    Status.RIGHT: "✓",
    Status.NOT_YET: "✗",
    Status.NOT_ANSWERED: "○",
    Status.CANNOT_CHECK: "!",
}
_BOX = (
    "border:1px solid currentColor;border-left-width:0.4em;border-radius:0.3em;"
    "padding:0.4em 0.8em;margin:0.4em 0;max-width:44em;line-height:1.45;"
    "overflow-wrap:anywhere;color:inherit"
)
_LINE = "margin:0.2em 0"


def _inline(text: str) -> str:
    """`text` escaped, with `code` between backticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


@dataclass(frozen=True)
class Progress:
    """What is solved in one chapter; displays itself as the last line of a cell.

    solved, open: the exercises' numbers, in the chapter's order.
    note: a sentence shown instead when the chapter has no exercises.
    """

    chapter: int
    solved: tuple[str, ...]
    open: tuple[str, ...]
    note: str | None = None

    @property
    def total(self) -> int:
        """How many exercises the chapter has."""
        return len(self.solved) + len(self.open)

    @property
    def line(self) -> str:
        """One line: "Chapter 1: 2 of 6 exercises solved"."""
        if self.note:
            return self.note
        return (
            f"Chapter {self.chapter}: {len(self.solved)} of {self.total} "
            f"exercise{'' if self.total == 1 else 's'} solved"
        )

    def _text_line(self) -> str:
        if not self.total:
            return self.line
        full = 12 * len(self.solved) // self.total
        return f"{self.line} [{'#' * full}{'-' * (12 - full)}]"

    def _html_line(self) -> str:
        line = html.escape(self.line)
        if not self.total:
            return line
        width = 100 * len(self.solved) // self.total
        # The bar repeats what the line says, so a screen reader need not hear it.
        return (
            f'{line} <span aria-hidden="true" style="display:inline-block;width:7em;height:0.7em;'
            'border:1px solid currentColor;border-radius:0.35em;overflow:hidden">'
            f'<span style="display:block;width:{width}%;height:100%;background:currentColor">'
            "</span></span>"
        )

    def _lists(self) -> list[tuple[str, str, str]]:
        both = (("✓", "Solved", self.solved), ("○", "Open", self.open))
        return [(symbol, word, ", ".join(names)) for symbol, word, names in both if names]

    def __repr__(self) -> str:
        lists = [f"  {symbol} {word}: {names}" for symbol, word, names in self._lists()]
        return "\n".join([self._text_line(), *lists])

    def _repr_html_(self) -> str:
        lists = "".join(
            f'<p style="{_LINE}"><span aria-hidden="true">{symbol}</span> {word}: {names}</p>'
            for symbol, word, names in self._lists()
        )
        return (
            f'<div role="status" style="{_BOX}"><p style="{_LINE}">{self._html_line()}</p>'
            f"{lists}</div>"
        )


@dataclass(frozen=True)
class Verdict:
    """What :func:`check` found; displays itself as the last line of a cell. True when right.

    reason: one sentence. hint: a sentence, only with a wrong answer. progress: how the chapter
    stood after this check, or None when the chapter is not known.
    """

    number: str
    status: Status
    reason: str
    hint: str | None = None
    progress: Progress | None = None

    def __bool__(self) -> bool:
        return self.status is Status.RIGHT

    @property
    def headline(self) -> str:
        """One line: "Exercise 1.1: not yet"."""
        return f"Exercise {self.number}: {self.status}"

    def __repr__(self) -> str:
        lines = [f"{_SYMBOLS[self.status]} {self.headline}", f"  {self.reason}"]
        if self.hint:
            lines.append(f"  Hint: {self.hint}")
        if self.progress:
            lines.append(f"  {self.progress._text_line()}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        paragraphs = [
            f'<strong><span aria-hidden="true">{_SYMBOLS[self.status]}</span> '
            f"{html.escape(self.headline)}</strong>",
            _inline(self.reason),
        ]
        if self.hint:
            paragraphs.append(f"<strong>Hint:</strong> {_inline(self.hint)}")
        if self.progress:
            paragraphs.append(self.progress._html_line())
        inside = "".join(f'<p style="{_LINE}">{text}</p>' for text in paragraphs)
        return f'<div role="status" style="{_BOX}">{inside}</div>'
