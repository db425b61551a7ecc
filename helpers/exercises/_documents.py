"""A small MongoDB without a server, so that a page can judge filters, updates and pipelines.

It knows the operators that chapter 4 speaks of and a few more, and says so when it meets another.
The rules are those of the MongoDB manual: "Query and Projection Operators", "Update Operators",
"Aggregation Stages", and "Comparison/Sort Order" for values of different types. The tests hold it
against a real server. Documents are dictionaries as pymongo gives them; none is changed.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

Document = dict[str, Any]

_MISSING = object()


class NotUnderstood(ValueError):
    """The reader's query is none, or uses what is not known here; the text is a sentence."""


# Comparing: numbers with numbers, text with text; between kinds there is an order, too.

_KINDS: tuple[tuple[int, tuple[type, ...]], ...] = (
    (6, (bool,)), (2, (int, float)), (3, (str,)), (4, (dict,)), (5, (list, tuple)),
    (7, (datetime,)), (1, (type(None),)),
)  # fmt: skip


def _kind(value: Any) -> int:
    return next((rank for rank, types in _KINDS if isinstance(value, types)), 9)


def same_kind(one: Any, other: Any) -> bool:
    """Whether two values can be compared: numbers with numbers, and True is none."""
    return _kind(one) == _kind(other)


def rank(value: Any) -> tuple:
    """A key to sort by, in MongoDB's order of types and values; what is missing is like null."""
    value = None if value is _MISSING else value
    if isinstance(value, dict):
        return (4, tuple((_kind(one), name, rank(one)) for name, one in value.items()))
    if isinstance(value, list | tuple):
        return (5, tuple(rank(one) for one in value))
    return (_kind(value), 0 if value is None else value)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to MongoDB: 1 is 1.0, but neither is True nor "1"."""
    return rank(one) == rank(other)


def with_new(values: list[Any], more: list[Any]) -> list[Any]:
    """The values, and behind them those of `more` that are equal to none before them."""
    grown = list(values)
    for one in more:
        if not any(same(one, other) for other in grown):
            grown.append(one)
    return grown


# Queries.


def values_at(document: Any, path: str) -> list[Any]:
    """All values at a path such as ``melody.pitch``; lists on the way are looked into."""
    here = [document]
    for name in path.split("."):
        found = []
        for one in here:
            inside = one if isinstance(one, list) else [one]
            found += [part[name] for part in inside if isinstance(part, dict) and name in part]
            if isinstance(one, list) and name.isdecimal() and int(name) < len(one):
                found.append(one[int(name)])
        here = found
    return here


def matches(document: Document, query: Any) -> bool:
    """Whether `document` fits the filter `query`.

    Raises:
        NotUnderstood: the filter is wrong, or has an operator that is not known here.
    """
    if not isinstance(query, dict):
        raise NotUnderstood(f"a filter is a dictionary, and {query!r} is none")
    for name, wanted in query.items():
        if name in ("$and", "$or", "$nor"):
            if not isinstance(wanted, list) or not wanted:
                raise NotUnderstood(f"{name} takes a list of filters")
            fits = [matches(document, one) for one in wanted]
            good = all(fits) if name == "$and" else any(fits) != (name == "$nor")
        elif not isinstance(name, str):
            raise NotUnderstood(f"a field's name is text, and {name!r} is none")
        elif name.startswith("$"):
            raise NotUnderstood(f"{name} stands where the name of a field is expected")
        else:
            good = _fits(values_at(document, name), wanted)
        if not good:
            return False
    return True


def _has_operators(wanted: Any) -> bool:
    return isinstance(wanted, dict) and any(str(name).startswith("$") for name in wanted)


def _fits(found: list[Any], wanted: Any) -> bool:
    if not _has_operators(wanted):
        return _equal(found, wanted)
    return all(_OPERATORS.get(name, _unknown(name))(found, limit) for name, limit in wanted.items())


def _unknown(name: str) -> Callable:
    def complain(found: list[Any], limit: Any) -> bool:
        raise NotUnderstood(f"there is no operator {name} here; known are {', '.join(_OPERATORS)}")

    return complain


def _spread(found: list[Any]) -> list[Any]:
    """The values themselves, and the members of those that are lists."""
    return found + [part for one in found if isinstance(one, list) for part in one]


def _equal(found: list[Any], wanted: Any) -> bool:
    if wanted is None and not found:
        return True
    return any(same(one, wanted) for one in _spread(found))


def _compared(holds: Callable[[Any, Any], bool]) -> Callable:
    def compare(found: list[Any], limit: Any) -> bool:
        return any(
            same_kind(one, limit) and holds(rank(one), rank(limit)) for one in _spread(found)
        )

    return compare


def _among(found: list[Any], choices: Any) -> bool:
    if not isinstance(choices, list):
        raise NotUnderstood("$in and $nin take a list")
    return any(_equal(found, choice) for choice in choices)


def _element(found: list[Any], query: Any) -> bool:
    operators = _has_operators(query)
    return any(
        _fits([part], query) if operators else isinstance(part, dict) and matches(part, query)
        for one in found
        if isinstance(one, list)
        for part in one
    )


def _like(found: list[Any], pattern: Any) -> bool:
    if not isinstance(pattern, str):
        raise NotUnderstood("$regex takes text")
    return any(isinstance(one, str) and re.search(pattern, one) for one in _spread(found))


_OPERATORS: dict[str, Callable[[list[Any], Any], bool]] = {
    "$eq": _equal,
    "$ne": lambda found, wanted: not _equal(found, wanted),
    "$lt": _compared(lambda one, limit: one < limit),
    "$lte": _compared(lambda one, limit: one <= limit),
    "$gt": _compared(lambda one, limit: one > limit),
    "$gte": _compared(lambda one, limit: one >= limit),
    "$in": _among,
    "$nin": lambda found, choices: not _among(found, choices),
    "$exists": lambda found, wanted: bool(found) == bool(wanted),
    "$size": lambda found, size: any(isinstance(one, list) and len(one) == size for one in found),
    "$all": lambda found, wanted: bool(wanted) and all(_equal(found, one) for one in wanted),
    "$elemMatch": _element,
    "$regex": _like,
    "$not": lambda found, query: not _fits(found, query),
}


# Updates.


def updated(document: Document, update: Any, *, inserted: bool = False) -> Document:
    """`document` after `update`, as a new one. `inserted`: it is new, by an upsert.

    Raises:
        NotUnderstood: the update is wrong, or has an operator that is not known here.
    """
    if not isinstance(update, dict) or not update:
        raise NotUnderstood(f"an update is a dictionary with operators, and {update!r} is none")
    changed = copy.deepcopy(document)
    for operator, fields in update.items():
        if not str(operator).startswith("$"):
            raise NotUnderstood(
                f"an update begins with operators such as $set, not with {operator}"
            )
        if operator not in _CHANGES:
            raise NotUnderstood(f"there is no {operator} here; known are {', '.join(_CHANGES)}")
        if not isinstance(fields, dict):
            raise NotUnderstood(f"{operator} takes a dictionary of fields")
        if operator != "$setOnInsert" or inserted:
            for path, value in fields.items():
                _change(changed, path, lambda old, v=value, o=operator: _CHANGES[o](old, v))
    return changed


def upserted(documents: list[Document], query: Any, update: Any) -> list[Document]:
    """All documents after an ``update_one(query, update, upsert=True)``, as a new list."""
    for place, document in enumerate(documents):
        if matches(document, query):
            return [*documents[:place], updated(document, update), *documents[place + 1 :]]
    fresh: Document = {}
    for path, wanted in query.items():
        if not _has_operators(wanted) and not path.startswith("$"):
            _change(fresh, path, lambda old, v=wanted: v)
        elif isinstance(wanted, dict) and "$eq" in wanted:
            _change(fresh, path, lambda old, v=wanted["$eq"]: v)
    return [*documents, updated(fresh, update, inserted=True)]


def _change(document: Document, path: str, change: Callable[[Any], Any]) -> None:
    *way, last = path.split(".")
    here: Any = document
    for name in way:
        here = here[int(name)] if isinstance(here, list) else here.setdefault(name, {})
        if not isinstance(here, dict | list):
            raise NotUnderstood(f"the path {path} leads through a value that has no fields")
    if isinstance(here, list):
        here[int(last)] = change(here[int(last)])
        return
    value = change(here.get(last, _MISSING))
    if value is _MISSING:
        here.pop(last, None)
    else:
        here[last] = copy.deepcopy(value)


def _sum(old: Any, amount: Any) -> Any:
    for one in (amount, 0 if old is _MISSING else old):
        if not same_kind(one, 0):
            raise NotUnderstood(f"$inc adds numbers, and {one!r} is none")
    return amount if old is _MISSING else old + amount


def _listed(old: Any, operator: str) -> list[Any]:
    if old is not _MISSING and not isinstance(old, list):
        raise NotUnderstood(f"{operator} adds to a list, and {old!r} is none")
    return [] if old is _MISSING else old


def _push(old: Any, value: Any) -> list[Any]:
    if not (isinstance(value, dict) and "$each" in value):
        return [*_listed(old, "$push"), value]
    if more := value.keys() - {"$each", "$slice"}:
        raise NotUnderstood(f"$push knows $each and $slice here, not {', '.join(sorted(more))}")
    longer = [*_listed(old, "$push"), *value["$each"]]
    cut = value.get("$slice", len(longer))
    return longer[cut:] if cut < 0 else longer[:cut]


def _add_to_set(old: Any, value: Any) -> list[Any]:
    more = value["$each"] if isinstance(value, dict) and "$each" in value else [value]
    return with_new(_listed(old, "$addToSet"), more)


_CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "$set": lambda old, value: value,
    "$setOnInsert": lambda old, value: value,
    "$unset": lambda old, value: _MISSING,
    "$inc": _sum,
    "$push": _push,
    "$addToSet": _add_to_set,
    "$min": lambda old, v: v if old is _MISSING else min(old, v, key=rank),
    "$max": lambda old, v: v if old is _MISSING else max(old, v, key=rank),
}
