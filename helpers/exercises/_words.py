"""Saying in a sentence what a reader's value is, whatever that value does when it is looked at.

An answer may be any object: ten million items long, without a working ``__repr__``, or with a
``__repr__`` full of line breaks. What comes out of here is one short printable line.
"""

import itertools
import reprlib
import types
from collections.abc import Iterable

LIMIT = 80

_NAMES = {
    bool: "a truth value (a bool)",
    int: "a whole number (an int)",
    float: "a number with a decimal point (a float)",
    str: "text (a str)",
    bytes: "bytes",
    list: "a list",
    tuple: "a tuple",
    dict: "a dict",
    set: "a set",
    frozenset: "a frozenset",
    type(None): "None",
    types.FunctionType: "a function",
    types.LambdaType: "a function",
    types.BuiltinFunctionType: "a function",
    types.MethodType: "a function",
    types.CoroutineType: "a coroutine",
    types.ModuleType: "a module",
    type: "a class",
}


class _Short(reprlib.Repr):
    """`reprlib.Repr` cut near `LIMIT` characters, with a dict in its own order."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = LIMIT
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 20
        self.maxlevel = 5

    def repr_dict(self, x: dict, level: int) -> str:
        if level <= 0 and x:
            return "{...}"
        parts = []
        for key, value in x.items():
            if len(parts) == self.maxdict:
                parts.append("...")
                break
            parts.append(f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}")
        return "{" + ", ".join(parts) + "}"

    def repr_set(self, x: set, level: int) -> str:
        return super().repr_set(x if len(x) <= 1000 else set(self._some(x)), level)

    def repr_frozenset(self, x: frozenset, level: int) -> str:
        return super().repr_frozenset(x if len(x) <= 1000 else frozenset(self._some(x)), level)

    def _some(self, x: set | frozenset) -> Iterable:
        # The base class sorts every member first; one more than fits makes it write the dots.
        return itertools.islice(x, self.maxset + 1)

    def repr_instance(self, x: object, level: int) -> str:
        try:
            return one_line(repr(x), self.maxother)
        # SystemExit, too: a `__repr__` that calls `exit()` must not end the reader's kernel.
        except (Exception, SystemExit):
            return f"<{_class_name(type(x))} that cannot be shown>"


_SHORT = _Short()


def one_line(text: str, limit: int = LIMIT) -> str:
    """`text` as one printable line of at most `limit` characters, "…" where it was cut.

    Control characters and lone surrogates become "\N{REPLACEMENT CHARACTER}": the second kind
    could not be sent from the kernel to the notebook at all.
    """
    # Whatever is further away than this is cut anyway, and may be gigabytes.
    flat = " ".join(text[: limit * 8].split())
    flat = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)
    if len(flat) > limit or len(text) > limit * 8:
        flat = flat[: limit - 1].rstrip() + "…"
    return flat


def show(value: object, limit: int = LIMIT) -> str:
    """`value` as Python would write it, on one line of at most `limit` characters.

    Never raises: for a value that cannot be written, the line says of which class it is.
    """
    try:
        return one_line(_SHORT.repr(value), limit)
    except (Exception, SystemExit):
        return one_line(f"<{_class_name(type(value))} that cannot be shown>", limit)


def kind(of: type) -> str:
    """What a value of the class `of` is called in a sentence: "text (a str)", "a list"."""
    try:
        known = _NAMES.get(of)
    except (Exception, SystemExit):  # a class may come with a metaclass that cannot be hashed
        known = None
    if known is not None:
        return known
    name = _class_name(of)
    if name == "Callable":
        return "a function"
    return f"{'an' if name[0].lower() in 'aeio' else 'a'} {name}{_origin(of)}"


def _origin(of: type) -> str:
    """Where a class comes from: " (from httpx)"; "" for Python's and the reader's own."""
    try:
        package = type.__dict__["__module__"].__get__(of).partition(".")[0]
    except (Exception, SystemExit):
        return ""
    return "" if package in ("builtins", "__main__") else f" (from {one_line(package, 40)})"


def _class_name(of: type) -> str:
    try:
        # Past a metaclass that answers for `__name__` itself.
        return one_line(type.__dict__["__name__"].__get__(of), 40) or "object"
    except (Exception, SystemExit):
        return "object"
