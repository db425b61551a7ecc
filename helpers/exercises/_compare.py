"""Where two values differ: the first place, and what is wrong there, for a reader to see."""

import math
from dataclasses import dataclass

from ._words import kind, show

_DEEPEST = 200


@dataclass(frozen=True)
class Difference:
    """where: the keys and positions that lead to the place. what: half a sentence about it."""

    where: tuple[object, ...]
    what: str

    def sentence(self, whole: str) -> str:
        """One sentence about it; `whole` names what was compared: "Your answer"."""
        place = "".join(f"[{show(step, 30)}]" for step in self.where)
        return f"{whole}{place and f', at `{place}`'}: {self.what}."


def difference(
    got: object, expected: object, *, json: bool = False, within: float = 0
) -> Difference | None:
    """The first difference between `got` and `expected`, None when there is none.

    A bool is never a number, and an int is never a float. json: compare as JSON values, where a
    tuple is an array and 1 is 1.0. within: how far a float may be off.
    """
    try:
        return _differ(got, expected, (), json, within)
    # An answer's own `__eq__` or `__len__` may do anything; then it is not what was expected.
    except (Exception, SystemExit):
        return Difference((), f"{kind(type(got))}, {show(got)}, cannot be compared")


def _differ(
    got: object, expected: object, where: tuple, json: bool, within: float
) -> Difference | None:
    if len(where) > _DEEPEST:
        return Difference((), "it is nested too deeply")
    wrong_type = _wrong_type(got, expected, json)
    if wrong_type:
        return Difference(where, wrong_type)
    if isinstance(expected, dict):
        return _differ_in_keys(got, expected, where) or _first(
            _differ(got[key], value, (*where, key), json, within) for key, value in expected.items()
        )
    if isinstance(expected, list | tuple):
        inside = _first(
            _differ(mine, theirs, (*where, place), json, within)
            for place, (mine, theirs) in enumerate(zip(got, expected, strict=False))
        )
        if inside or len(got) == len(expected):
            return inside
        more = "more" if len(got) > len(expected) else "fewer"
        return Difference(where, f"it has {len(got)} items, which is {more} than expected")
    if _is_number(expected) and isinstance(got, float | int):
        # NaN is not equal to itself, but where it is expected, it is what is expected.
        same = (
            got == expected
            or abs(got - expected) <= within
            or (got != got and math.isnan(expected))
        )
    else:
        same = bool(got == expected)
    return None if same else Difference(where, f"{show(got)} is not it")


def _first(found: object) -> Difference | None:
    return next((one for one in found if one), None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong_type(got: object, expected: object, json: bool) -> str | None:
    if isinstance(got, bool) or isinstance(expected, bool):
        fits = isinstance(got, bool) and isinstance(expected, bool)
    elif json and _is_number(expected):
        fits = _is_number(got)
    elif json and isinstance(expected, list | tuple):
        fits = isinstance(got, list | tuple)
    else:
        fits = isinstance(got, type(expected))
    if fits:
        return None
    return f"{show(got)} is {kind(type(got))}; expected: {kind(type(expected))}"


def _differ_in_keys(got: dict, expected: dict, where: tuple) -> Difference | None:
    for key in expected:
        if key not in got:
            return Difference(where, f"the key {show(key)} is missing")
    for key in got:
        if key not in expected:
            return Difference(where, f"the key {show(key)} does not belong there")
    return None
