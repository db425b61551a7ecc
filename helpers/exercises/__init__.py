"""Checks for the reader's answers: right or not yet, why, and a hint.

A reader needs one name, :func:`check`; :func:`progress` shows what is solved and what is open.
Nothing leaves the machine, and nothing is kept longer than the kernel runs.

An author adds exercises to ``_chapter_NN.py`` in this folder, which is loaded at the first
``check`` of that chapter::

    from . import equals, exercise

    @exercise(
        "1.1",
        hints=("Which status says that something new exists?", "It is one more than 200."),
        typical_mistake='check("1.1", 200)',
        why="201 Created says that the request made something new.",
    )
    def status_of_a_created_song(answer: int):
        return equals(answer, 201, instead={200: "200 says that it worked, not that it is new."})

The function returns None or True when the answer is right, and one sentence when it is not.
The judges ``equals``, ``near``, ``items``, ``same_json``, ``response`` and ``works_like`` return
just that, so they combine with ``or``: the first complaint is the one the reader sees.
"""

from ._check import check, progress
from ._exercise import Exercise, exercise, exercises_of
from ._judges import equals, items, near, response, same_json, works_like
from ._verdict import Progress, Status, Verdict
from ._words import kind, show

__all__ = [
    "Exercise",
    "Progress",
    "Status",
    "Verdict",
    "check",
    "equals",
    "exercise",
    "exercises_of",
    "items",
    "kind",
    "near",
    "progress",
    "response",
    "same_json",
    "show",
    "works_like",
]
