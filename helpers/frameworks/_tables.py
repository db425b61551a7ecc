"""What a chapter shows of the five: how long they are, and how they keep the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .._recipes import files_of
from ._cases import CASES
from ._contract import Result
from ._frameworks import FRAMEWORKS

RECORDED = Path(__file__).with_name("recorded.json")
"""How all five kept the contract when it was last recorded, for a machine that lacks some."""

_CODE = (".py", ".js", ".java", ".html", ".ejs", ".yaml", ".properties", ".xml")
_COMMENTS = ("#", "//", "/*", "*", "<!--")


def count_lines() -> list[list[object]]:
    """For each application its title, its files, and their lines of code.

    Counted are files that people have written: no tests, no migrations, no lists of locked
    packages; and in them no blank lines and no lines that are only a comment.
    """
    rows = []
    for framework in FRAMEWORKS.values():
        counts = []
        for path in files_of(framework.folder):
            if path.endswith(_CODE) and "test" not in path and "migrations" not in path:
                text = (framework.folder / path).read_text("utf-8")
                lines = [line.strip() for line in text.splitlines()]
                counts.append(sum(bool(line) and not line.startswith(_COMMENTS) for line in lines))
        counts = [count for count in counts if count]  # __init__.py may have nothing in it
        rows.append([framework.title, len(counts), sum(counts)])
    return rows


def contract_table(results: Mapping[str, Result]) -> tuple[list[str], list[list[object]]]:
    """How many requests of each topic each application answered as the contract says.

    Args:
        results: by the names of applications. What was recorded stands for those that are not
            among them, and their columns say so.

    Returns:
        The heads of the columns, and the rows.
    """
    recorded = json.loads(RECORDED.read_text("utf-8"))
    heads, columns = ["topic", "requests"], []
    for name, framework in FRAMEWORKS.items():
        if name in results:
            heads.append(framework.title)
            columns.append(kept(results[name]))
        else:
            heads.append(f"{framework.title} (recorded)")
            columns.append(recorded[name])
    rows = []
    for topic in dict.fromkeys(case.topic for case in CASES):
        asked = sum(case.topic == topic for case in CASES)
        rows.append([topic, asked, *(column[topic] for column in columns)])
    totals = [sum(row[place] for row in rows) for place in range(1, len(heads))]
    return heads, [*rows, ["all", *totals]]


def kept(result: Result) -> dict[str, int]:
    """For each topic, how many of its requests were answered as the contract says."""
    counts = dict.fromkeys((case.topic for case in CASES), 0)
    for case in result.answers:
        counts[case.topic] += case not in result.faults
    return counts
