"""`check` and `progress`: judge an answer, remember in the kernel's memory what is solved."""

import dis
import inspect
import itertools
import types
import typing
from collections import Counter
from collections.abc import Callable

from ._exercise import Exercise, chapters, exercises_of, place
from ._verdict import Progress, Status, Verdict
from ._words import kind, one_line, show

_SOLVED: set[str] = set()
_WRONG_TRIES: Counter[str] = Counter()

# A container with more parts than this is an answer, whatever is inside.
_PARTS_LOOKED_AT = 100_000
_CONTAINERS = (list, tuple, set, frozenset)
# The instructions of a function, plain or async, that does nothing but return a constant.
_DOES_NOTHING = frozenset(
    [
        "CALL_INTRINSIC_1",
        "LOAD_CONST",
        "NOP",
        "POP_TOP",
        "RERAISE",
        "RESUME",
        "RETURN_CONST",
        "RETURN_GENERATOR",
        "RETURN_VALUE",
    ]
)


def check(number: str, answer: object = ...) -> Verdict:
    """Say whether `answer` is right for exercise `number` ("1.1"), and if not, why not.

    An answer that is, or holds, `...` counts as not answered yet; so does a function whose body
    is only `...`. Never raises because of the answer. Right answers count once, and a wrong one
    later does not take them away; all of it is forgotten when the kernel ends.
    """
    # Close it, or Python warns later, in a cell that has nothing to do with it.
    forgot_await = type(answer) is types.CoroutineType
    if forgot_await:
        answer.close()

    found = _find(number)
    if isinstance(found, Verdict):
        return found
    number = found.number
    if _unanswered(answer):
        reason = "Put your answer in place of `...` and run the cell again."
        return Verdict(number, Status.NOT_ANSWERED, reason, None, progress(found.chapter))
    if forgot_await:
        complaint: object = (
            "Your answer is a coroutine, a call that has not run yet; "
            "write `await` in front of the call."
        )
    else:
        complaint = _wrong_type(found.judge, answer) or _ask(found.judge, answer)

    if complaint is None:
        _SOLVED.add(number)
        reason = found.why or f"Your answer is {show(answer)}."
        return Verdict(number, Status.RIGHT, reason, None, progress(found.chapter))
    _WRONG_TRIES[number] += 1
    hint = found.hints[min(_WRONG_TRIES[number], len(found.hints)) - 1]
    return Verdict(number, Status.NOT_YET, complaint, hint, progress(found.chapter))


def progress(chapter: int = 1) -> Progress:
    """What is solved and what is open in `chapter`; displays itself."""
    try:
        numbers = [exercise.number for exercise in exercises_of(chapter)]
    except Exception as error:
        return Progress(chapter, (), (), _not_loaded(chapter, error))
    if not numbers:
        return Progress(chapter, (), (), _no_chapter(chapter))
    solved = tuple(number for number in numbers if number in _SOLVED)
    return Progress(chapter, solved, tuple(number for number in numbers if number not in _SOLVED))


def _find(number: object) -> Exercise | Verdict:
    """The exercise of that number, or a verdict that says which numbers there are."""

    def cannot(reason: str) -> Verdict:
        return Verdict(written, Status.CANNOT_CHECK, reason)

    written = show(number)
    if not issubclass(type(number), str):  # an object may lie about its `__class__`
        return cannot(
            "Write the exercise's number as text, in quotes and before the answer: "
            'check("1.1", answer).'
        )
    try:
        chapter = place(number.strip())[0]
    except ValueError:
        return cannot('An exercise\'s number is the chapter, a dot, and its place: "1.1".')
    number = written = number.strip()
    try:
        there = exercises_of(chapter)
    except Exception as error:
        return cannot(_not_loaded(chapter, error))
    if not there:
        return cannot(_no_chapter(chapter))
    for exercise in there:
        if exercise.number == number:
            return exercise
    names = ", ".join(exercise.number for exercise in there)
    return cannot(f"There is no exercise {number}; chapter {chapter} has {names}.")


def _no_chapter(chapter: object) -> str:
    names = ", ".join(map(str, chapters())) or "none yet"
    return f"Chapter {show(chapter)} has no exercises; the chapters that have some: {names}."


def _not_loaded(chapter: int, error: Exception) -> str:
    # The last lines of an ImportError's usual story: a package of this chapter is missing.
    return one_line(
        f"The exercises of chapter {chapter} do not load: {type(error).__name__}: {error}.", 240
    )


def _ask(judge: Callable, answer: object) -> str | None:
    """The judge's complaint about `answer`, None when it has none."""
    try:
        said = judge(answer)
    # A reader's function may call `exit()`; only Ctrl-C is let through.
    except (Exception, SystemExit) as error:
        expected = _expected_types(judge)
        wanted = f", where {_either(expected)} was expected" if expected else ""
        return (
            f"Your answer {show(answer)} is {kind(type(answer))}{wanted}, and checking it went "
            f"wrong with {one_line(type(error).__name__, 40)}."
        )
    if said is None or said is True:
        return None
    if isinstance(said, str):
        return said
    return f"Your answer is {show(answer)}, and that is not it."


def _expected_types(judge: Callable) -> tuple[type, ...]:
    """The classes that the judge's first parameter is annotated with; () when it says none."""
    try:
        hints = typing.get_type_hints(judge)
        first = next(iter(inspect.signature(judge).parameters))
        hint = hints.get(first, object)
    except (Exception, SystemExit):
        return ()
    options = typing.get_args(hint) if _is_union(hint) else (hint,)
    classes = tuple(typing.get_origin(option) or option for option in options)
    if object in classes or not all(isinstance(option, type) for option in classes):
        return ()
    return classes


def _is_union(hint: object) -> bool:
    return isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union


def _wrong_type(judge: Callable, answer: object) -> str | None:
    expected = _expected_types(judge)
    if not expected:
        return None
    try:
        if isinstance(answer, bool):
            fits = bool in expected
        else:
            fits = isinstance(answer, expected) or (float in expected and isinstance(answer, int))
    except (Exception, SystemExit):  # an answer may lie about its class, and stumble over it
        fits = False
    if fits:
        return None
    return f"Your answer {show(answer)} is {kind(type(answer))}; expected: {_either(expected)}."


def _either(expected: tuple[type, ...]) -> str:
    return " or ".join(kind(option) for option in expected)


def _unanswered(answer: object) -> bool:
    """Whether `...` is the answer, or is anywhere inside its dicts, lists, tuples and sets."""
    seen: set[int] = set()
    waiting = [answer]
    room = _PARTS_LOOKED_AT
    while waiting:
        part = waiting.pop()
        if part is ... or _is_empty_function(part):
            return True
        if id(part) in seen:
            continue
        # The built-in iterators, whatever a subclass has made of them.
        if issubclass(type(part), dict):
            inside = itertools.chain.from_iterable(dict.items(part))
        elif container := next((c for c in _CONTAINERS if issubclass(type(part), c)), None):
            inside = container.__iter__(part)
        else:
            continue
        seen.add(id(part))
        more = list(itertools.islice(inside, room))
        room -= len(more)
        waiting += more
    return False


def _is_empty_function(value: object) -> bool:
    """Whether `value` is a function that a reader has not filled in: ``def f(x): ...``."""
    if type(value) is not types.FunctionType:
        return False
    for step in dis.get_instructions(value):
        if step.opname not in _DOES_NOTHING:
            return False
        loads = step.opname in ("LOAD_CONST", "RETURN_CONST")
        if loads and step.argval is not None and step.argval is not ...:
            return False
    return True
