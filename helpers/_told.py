"""An error that a reader meets: its message says all."""

from __future__ import annotations


class Told(Exception):
    """A notebook shows it without the calls that led to it."""

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython prints in place of a traceback."""
        return f"{type(self).__name__}: {self}".splitlines()
