"""Judges for the common kinds of answers, for the authors of exercises.

Each takes the answer first and returns None when it is right, or else one sentence for the
reader: what was seen, and why that is not it. None of them gives the right answer away, except
where the sentence would be of no use without it (a status, a case that a function was tried on).
"""

import copy
import inspect
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from numbers import Real

from ._compare import difference
from ._words import kind, one_line, show


def equals(answer: object, expected: object, *, instead: Mapping | None = None) -> str | None:
    """`answer` is `expected`, of the same type: True is not 1, 1 is not 1.0, "1" is not 1.

    instead: sentences for wrong answers that can be foreseen, by answer.
    """
    found = difference(answer, expected)
    if found is None:
        return None
    for known, sentence in (instead or {}).items():
        if difference(answer, known) is None:
            return sentence
    if isinstance(answer, str) and isinstance(expected, str):
        if answer.strip() == expected.strip():
            return f"{show(answer)} is nearly it; look at the spaces and line breaks around it."
        if answer.strip().casefold() == expected.strip().casefold():
            return f"{show(answer)} is nearly it; look at the capital and small letters."
    return found.sentence("Your answer")


def near(answer: object, expected: float, *, within: float) -> str | None:
    """`answer` is a number at most `within` away from `expected`, in the same unit."""
    if isinstance(answer, bool) or not isinstance(answer, Real):
        return f"Your answer {show(answer)} is {kind(type(answer))}; a number is expected."
    try:
        distance = float(answer) - expected
    except OverflowError:  # a whole number beyond the largest float
        distance = math.inf if answer > 0 else -math.inf
    if abs(distance) <= within:
        return None
    if distance != distance:
        return "Your answer is nan, which is no number at all (NaN: not a number)."
    return f"{show(answer)} is too {'small' if distance < 0 else 'large'}."


def items(
    answer: object,
    expected: Collection,
    *,
    ignore_case: bool = False,
    instead: Mapping[str, str] | None = None,
) -> str | None:
    """`answer` is a list, tuple or set of just the strings `expected`, in any order, each once.

    instead: sentences for wrong items that can be foreseen, by item; the first one counts.
    """
    if not isinstance(answer, list | tuple | set | frozenset):
        return (
            f"Your answer {show(answer)} is {kind(type(answer))}; "
            "a list or a set of texts is expected."
        )
    for known, sentence in (instead or {}).items():
        if known in answer:
            return sentence
    for item in answer:
        if not isinstance(item, str):
            return f"In your answer, {show(item)} is {kind(type(item))}; only text is expected."

    def form(item: str) -> str:
        return item.casefold() if ignore_case else item

    wanted = {form(item) for item in expected}
    given = [form(item) for item in answer]
    surplus = sorted(item for item in answer if form(item) not in wanted)
    missing = len(wanted.difference(given))
    found = []
    if surplus:
        names = one_line(", ".join(show(item, 30) for item in surplus[:5]))
        found.append(f"{names} {'does' if len(surplus) == 1 else 'do'} not belong there")
    if missing:
        found.append(f"{missing} of {len(wanted)} {'is' if missing == 1 else 'are'} missing")
    if not found and len(given) != len(set(given)):
        twice = next(item for item in answer if given.count(form(item)) > 1)
        found.append(f"{show(twice)} is there more than once")
    return f"In your answer, {' and '.join(found)}." if found else None


def same_json(answer: object, expected: object) -> str | None:
    """`answer` says the same as `expected` as a JSON value (RFC 8259).

    The order of an object's members does not matter (section 4), nor does 1 or 1.0: JSON has one
    kind of number (section 6). A tuple counts as an array. `answer` is the value, not its text.
    """
    found = difference(answer, expected, json=True)
    if found is None:
        return None
    if isinstance(answer, str) and not isinstance(expected, str):
        return f"Your answer {show(answer)} is text; expected: the value that this JSON stands for."
    return found.sentence("Your answer")


def response(
    answer: object,
    *,
    status: int | None = None,
    headers: Mapping[str, str | None] | None = None,
    json: object = ...,
) -> str | None:
    """`answer` is an `httpx.Response` with this status, these headers and this JSON body.

    headers: by name, in any case (RFC 9110, section 5.1); None for "any value will do".
    What is left out is not looked at.
    """
    if problem := _not_a_response(answer):
        return problem
    if status is not None and answer.status_code != status:
        return (
            f"The response's status is {_status(answer.status_code)}; "
            f"{_status(status)} is expected."
        )
    for name, value in (headers or {}).items():
        if name not in answer.headers:
            return f"The response has no header {name}."
        if value is not None and answer.headers[name] != value:
            return f"The response's header {name} is {show(answer.headers[name])}, not {value!r}."
    if json is ...:
        return None
    try:
        body = answer.json()
    except Exception:
        text = one_line(show(answer.content))
        return f"The response's body is not JSON: {text}."
    found = difference(body, json, json=True)
    return found and found.sentence("The response's body")


def _not_a_response(answer: object) -> str | None:
    import httpx

    if isinstance(answer, httpx.Response):
        return None
    return (
        f"Your answer {show(answer)} is {kind(type(answer))}; a response from httpx is "
        "expected, the whole of it and not a part."
    )


def _status(code: int) -> str:
    from http import HTTPStatus

    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def works_like(
    answer: object, cases: Iterable[tuple[object, object]], *, within: float = 0
) -> str | None:
    """`answer` is a function that gives what is expected for each of the hidden `cases`.

    cases: pairs of arguments and result. The arguments are a tuple, or one value that is not a
    tuple; a result that is an exception class means that the function must raise it.
    within: how far a float in the result may be off.

    The function gets copies of the arguments, so that changing them does no harm. There is no
    time limit: an endless loop is stopped with the kernel's Interrupt, as in any cell.
    """
    if not callable(answer):
        return (
            f"Your answer {show(answer)} is {kind(type(answer))}; a function is expected, "
            "its name without brackets."
        )
    for arguments, expected in cases:
        arguments = arguments if isinstance(arguments, tuple) else (arguments,)
        if problem := _case(answer, arguments, expected, within):
            return problem
    return None


def _case(function: Callable, arguments: tuple, expected: object, within: float) -> str | None:
    name = one_line(getattr(function, "__name__", "your function"), 40)
    call = f"`{name}({', '.join(show(argument) for argument in arguments)})`"
    must_raise = isinstance(expected, type) and issubclass(expected, BaseException)
    wanted = f"raise {expected.__name__}" if must_raise else f"give {show(expected)}"
    try:
        got = function(*copy.deepcopy(arguments))
    # `exit()` in a reader's function must not end the kernel.
    except (Exception, SystemExit) as error:
        if must_raise and isinstance(error, expected):
            return None
        said = one_line(_message(error))
        return f"{call} should {wanted}, but raised {type(error).__name__}{said and f': {said}'}."
    if inspect.iscoroutine(got):
        got.close()
        return f'{call} should {wanted}, but {name} is an "async def"; a plain "def" is expected.'
    if inspect.isgenerator(got):
        return f"{call} should {wanted}, but gave a generator: use `return` in place of `yield`."
    if must_raise:
        return f"{call} should {wanted}, but gave {show(got)}."
    found = difference(got, expected, within=within)
    if found is None:
        return None
    # Two values may look the same and differ in type, or far behind the point where they are cut.
    detail = f" ({found.what})" if show(got) == show(expected) else ""
    unreturned = "; is there a `return`?" if got is None else ""
    return f"{call} should {wanted}, but gave {show(got)}{detail}{unreturned or '.'}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except (Exception, SystemExit):
        return ""
