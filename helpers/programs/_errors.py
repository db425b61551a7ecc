"""What goes wrong with a real program, told in a few lines that a newcomer can act on."""

from __future__ import annotations

from .._told import Told


class ProgramMissing(Told, RuntimeError):
    """The program is not on this machine; the message has the one command that gets it."""


class ProgramFailed(Told, RuntimeError):
    """The program is here and its config is fine, and yet it did not do what was asked."""


class ConfigError(Told, ValueError):
    """The config can't be used. The message has the program's own words and the reader's line.

    Attributes:
        line: the number of the line, counted from 1 in the config as the reader gave it; None
            when the mistake has no line.
    """

    def __init__(self, message: str, *, said: str = "", line: int | None = None, text: str = ""):
        """Put the message together.

        Args:
            message: the first line.
            said: what the program says; "" when it was not asked.
            line: see the class.
            text: the config as the reader gave it.
        """
        parts = [message, *said.splitlines()[:3]]
        if line is not None:
            parts += _around(text, line)
        super().__init__("\n".join(parts))
        self.line = line


def _around(text: str, line: int) -> list[str]:
    """The line with an arrow, between the one before and the one after."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return []
    shown = range(max(1, line - 1), min(len(lines), line + 1) + 1)
    return [f"{'-->' if n == line else '   '} {n:3} | {lines[n - 1]}".rstrip() for n in shown]
