"""What an exercise is, how a chapter registers one, and the list of all that are registered."""

import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass

_NUMBER = re.compile(r"(\d{1,2})\.(\d{1,3})")
_MODULE = re.compile(r"_chapter_(\d\d)")


@dataclass(frozen=True)
class Exercise:
    """One exercise; made by :func:`exercise`.

    number: chapter and place in it, as in "1.1".
    judge: takes the answer; None or True means right, a str is the reason why not, False is a no
        without a reason.
    hints: the first is shown with the first wrong answer, the next with the next, and so on.
    typical_mistake: source code of a cell that gives a typical wrong answer; for the tests.
    why: one sentence shown with a right answer, or None.
    """

    number: str
    judge: Callable[[object], bool | str | None]
    hints: tuple[str, ...]
    typical_mistake: str
    why: str | None = None

    @property
    def chapter(self) -> int:
        """The chapter's number: 1 for exercise "1.2"."""
        return place(self.number)[0]


_REGISTERED: dict[str, Exercise] = {}


def place(number: str) -> tuple[int, int]:
    """Chapter and place in it, (1, 2) for "1.2".

    Raises ValueError when `number` is not written that way.
    """
    found = _NUMBER.fullmatch(number)
    if not found:
        raise ValueError(f'An exercise\'s number is written like "1.2", not {number!r}.')
    return int(found[1]), int(found[2])


def exercise(
    number: str,
    *,
    hints: tuple[str, ...],
    typical_mistake: str,
    why: str | None = None,
) -> Callable[[Callable], Callable]:
    """Register the decorated function as the judge of exercise `number`; see :class:`Exercise`.

    When the function's parameter is annotated with a class (``answer: int``), an answer of
    another type is turned down with a sentence before the function is called. A bool is not
    taken for an int; an int is taken for a float.

    Raises ValueError when the number is malformed or taken, or when there is no hint. The same
    function may come again, so that a cell or a module can be run twice.
    """
    place(number)
    if isinstance(hints, str) or not hints:
        raise ValueError(f'Exercise {number} needs its hints as a tuple: hints=("...", "...").')

    def register(judge: Callable) -> Callable:
        taken = _REGISTERED.get(number)
        if taken and _home(taken.judge) != _home(judge):
            raise ValueError(
                f"Exercise {number} is there twice: {_home(taken.judge)} and {_home(judge)}."
            )
        _REGISTERED[number] = Exercise(number, judge, tuple(hints), typical_mistake, why)
        return judge

    return register


def _home(judge: Callable) -> str:
    return f"{judge.__module__}.{judge.__qualname__}"


def chapters() -> tuple[int, ...]:
    """The numbers of all chapters that have exercises; loads none of them."""
    package = importlib.import_module(__package__)
    modules = (_MODULE.fullmatch(module.name) for module in pkgutil.iter_modules(package.__path__))
    written = {int(found[1]) for found in modules if found}
    return tuple(sorted(written | {e.chapter for e in _REGISTERED.values()}))


def exercises_of(chapter: int) -> tuple[Exercise, ...]:
    """The exercises of one chapter by number; loads that chapter's module and no other.

    Empty when the chapter has none. Raises whatever the chapter's module raises while it loads.
    """
    if isinstance(chapter, int) and 0 <= chapter <= 99:
        name = f"{__package__}._chapter_{chapter:02d}"
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # the module is there, and something that it imports is not
                raise
    found = [e for e in _REGISTERED.values() if e.chapter == chapter]
    return tuple(sorted(found, key=lambda e: place(e.number)))
