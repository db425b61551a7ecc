"""What servers without SQL say: of a plan (chapter 4), and of a refusal (chapters 4 and 5).

Two kinds of servers speak MongoDB's protocol in chapter 4, and they describe a plan in two ways.
Both arrive as dictionaries, and an error is told by its text, so no driver is imported here, and a
page in the browser can import this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any


def plan_of(explanation: Mapping[str, Any]) -> str:
    """The plan of a query in one line, out of what ``cursor.explain()`` gave.

    mongod tells the stages, the innermost last, and how many documents it looked at (MongoDB
    manual, "Explain Results"): ``"FETCH < IXSCAN listener_1, 69 documents looked at"``. FerretDB
    tells what SQLite does, and whether SQLite already filters:
    ``"SCAN plays; the filter is applied by FerretDB"``.
    """
    planner = explanation.get("queryPlanner", {})
    if "Plan" in planner:
        steps = [str(step).partition("detail=")[2] or str(step) for step in planner["Plan"]]
        who = "SQLite" if explanation.get("filterPushdown") else "FerretDB"
        return f"{', '.join(steps)}; the filter is applied by {who}"
    winner = planner.get("winningPlan", {})
    stages = " < ".join(_stages(winner.get("queryPlan", winner)))
    looked = explanation.get("executionStats", {}).get("totalDocsExamined")
    return stages if looked is None else f"{stages}, {looked} documents looked at"


def _stages(stage: Mapping[str, Any]) -> Iterator[str]:
    name = stage.get("stage")
    if name:
        index = stage.get("indexName")
        yield f"{name} {index}" if index else str(name)
    inner = [stage["inputStage"]] if "inputStage" in stage else stage.get("inputStages", [])
    for one in inner:
        yield from _stages(one)


def said(error: BaseException) -> str:
    """What the server itself said, out of an error of its driver; else the error's first line.

    pymongo's errors have details with an ``errmsg``. cassandra-driver's have a text such as
    ``Error from server: code=2200 [Invalid query] message="..."``.
    """
    details = getattr(error, "details", None)
    if isinstance(details, Mapping):
        failed = details.get("writeErrors") or [details]
        text = failed[0].get("errmsg")
        if text:
            return str(text)
    quoted = re.search(r'^<?Error from server: .*? message="(.*)">?$', str(error), re.DOTALL)
    return quoted[1] if quoted else str(error).partition("\n")[0]
