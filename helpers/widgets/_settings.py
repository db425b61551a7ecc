"""What the settings of widgets have in common: one sentence for a value that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def whole(name: str, value: Any, least: int, most: int) -> None:
    """Let only a whole number within the bounds pass; True is none.

    Raises:
        ValueError: it is not; the message names the setting.
    """
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}, and this is {value!r}.")


def one_of(name: str, value: Any, known: Sequence[str]) -> None:
    """Let only a known value pass.

    Raises:
        ValueError: it is not; the message names the setting and what is known.
    """
    if value not in known:
        raise ValueError(f"{name} is one of {', '.join(map(repr, known))}, and this is {value!r}.")
