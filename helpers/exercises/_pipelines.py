"""An aggregation pipeline without a server; belongs to ``_documents``, and follows the same manual.

Stages: ``$match $group $sort $limit $skip $unwind $project $count $sortByCount``. A value in a
stage is a constant or a path such as ``"$composer.name"``; functions are not known here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ._documents import Document, NotUnderstood, matches, rank, same_kind, values_at, with_new


def aggregate(documents: list[Document], pipeline: Any) -> list[Document]:
    """What comes out of the last stage of `pipeline`.

    Raises:
        NotUnderstood: the pipeline is wrong, or has something that is not known here.
    """
    if not isinstance(pipeline, list):
        raise NotUnderstood(f"a pipeline is a list of stages, and {pipeline!r} is none")
    documents = copy.deepcopy(documents)
    for stage in pipeline:
        if not isinstance(stage, dict) or len(stage) != 1:
            raise NotUnderstood(f"a stage is a dictionary with one entry, and {stage!r} is none")
        ((name, wanted),) = stage.items()
        if name not in _STAGES:
            raise NotUnderstood(f"there is no stage {name} here; known are {', '.join(_STAGES)}")
        documents = _STAGES[name](documents, wanted)
    return documents


def evaluated(document: Document, expression: Any) -> Any:
    """The value of a constant or of a path; None where the path leads to nothing."""
    if isinstance(expression, str) and expression.startswith("$"):
        found = values_at(document, expression[1:])
        return found[0] if found else None
    if isinstance(expression, dict):
        for name in expression:
            if name.startswith("$"):
                raise NotUnderstood(f"the function {name} is not known here")
        return {name: evaluated(document, one) for name, one in expression.items()}
    return expression


def _numbers(values: list[Any]) -> list[int | float]:
    return [one for one in values if same_kind(one, 0)]


def _average(values: list[Any]) -> Any:
    numbers = _numbers(values)
    return sum(numbers) / len(numbers) if numbers else None


def _known(values: list[Any]) -> list[Any]:
    return [one for one in values if one is not None] or [None]


_ACCUMULATORS: dict[str, Callable[[list[Any]], Any]] = {
    "$sum": lambda values: sum(_numbers(values)),
    "$count": len,
    "$avg": _average,
    "$min": lambda values: min(_known(values), key=rank),
    "$max": lambda values: max(_known(values), key=rank),
    "$first": lambda values: values[0],
    "$last": lambda values: values[-1],
    "$push": list,
    "$addToSet": lambda values: with_new([], values),
}


def _group(documents: list[Document], wanted: Any) -> list[Document]:
    if not isinstance(wanted, dict) or "_id" not in wanted:
        raise NotUnderstood("$group needs an _id: what the documents are grouped by")
    groups: dict[Any, list[Document]] = {}
    for document in documents:
        groups.setdefault(rank(evaluated(document, wanted["_id"])), []).append(document)
    grouped = []
    for members in groups.values():
        row = {"_id": evaluated(members[0], wanted["_id"])}
        for name, accumulator in wanted.items():
            if name == "_id":
                continue
            if not isinstance(accumulator, dict) or len(accumulator) != 1:
                raise NotUnderstood(f"{name} in $group needs one accumulator, such as $sum")
            ((operator, expression),) = accumulator.items()
            if operator not in _ACCUMULATORS:
                known = ", ".join(_ACCUMULATORS)
                raise NotUnderstood(f"there is no accumulator {operator} here; known are {known}")
            values = [evaluated(one, expression) for one in members]
            row[name] = _ACCUMULATORS[operator](values)
        grouped.append(row)
    return grouped


def _sort(documents: list[Document], wanted: Any) -> list[Document]:
    if not isinstance(wanted, dict) or not wanted:
        raise NotUnderstood('$sort takes a dictionary, such as {"plays": -1}')
    for path, direction in reversed(wanted.items()):
        if direction not in (1, -1):
            raise NotUnderstood(f"$sort goes up with 1 and down with -1, not with {direction!r}")
        documents = sorted(
            documents, key=lambda one, p=path: rank(evaluated(one, f"${p}")), reverse=direction < 0
        )
    return documents


def _whole(name: str, wanted: Any, least: int) -> int:
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < least:
        raise NotUnderstood(f"{name} takes a whole number from {least} on, not {wanted!r}")
    return wanted


def _unwind(documents: list[Document], wanted: Any) -> list[Document]:
    path = wanted.get("path") if isinstance(wanted, dict) else wanted
    if not isinstance(path, str) or not path.startswith("$") or "." in path:
        raise NotUnderstood('$unwind takes the name of a field with a $ before it: "$melody"')
    name, unwound = path[1:], []
    for document in documents:
        value = document.get(name)
        parts = value if isinstance(value, list) else [] if value is None else [value]
        unwound += [{**document, name: part} for part in parts]
    return unwound


def _project(documents: list[Document], wanted: Any) -> list[Document]:
    if not isinstance(wanted, dict) or not wanted:
        raise NotUnderstood('$project takes a dictionary, such as {"title": 1}')
    for name, value in wanted.items():
        if value not in (0, 1, True, False) or "." in name:
            raise NotUnderstood("$project takes fields with 1 or leaves them out with 0 here")
    kept = {name for name, value in wanted.items() if value}
    dropped = wanted.keys() - kept
    if kept - {"_id"} and dropped - {"_id"}:
        raise NotUnderstood("$project either takes fields or leaves some out; only _id may differ")
    if kept:
        kept |= {"_id"} - dropped
        return [{n: v for n, v in one.items() if n in kept} for one in documents]
    return [{n: v for n, v in one.items() if n not in dropped} for one in documents]


def _sort_by_count(documents: list[Document], wanted: Any) -> list[Document]:
    return _sort(_group(documents, {"_id": wanted, "count": {"$sum": 1}}), {"count": -1})


_STAGES: dict[str, Callable[[list[Document], Any], list[Document]]] = {
    "$match": lambda documents, wanted: [one for one in documents if matches(one, wanted)],
    "$group": _group,
    "$sort": _sort,
    "$limit": lambda documents, wanted: documents[: _whole("$limit", wanted, 1)],
    "$skip": lambda documents, wanted: documents[_whole("$skip", wanted, 0) :],
    "$unwind": _unwind,
    "$project": _project,
    "$count": lambda documents, name: [{name: len(documents)}] if documents else [],
    "$sortByCount": _sort_by_count,
}
