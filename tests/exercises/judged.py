"""What the tests of every chapter's judges ask: an exercise by its number, and what its judge says."""

from __future__ import annotations

from helpers.exercises import Exercise, exercises_of


def exercise(number: str) -> Exercise:
    """The exercise with a number such as "4.1"."""
    chapter = int(number.partition(".")[0])
    return next(one for one in exercises_of(chapter) if one.number == number)


def said(number: str, answer: object) -> str | None:
    """What the exercise's judge says of an answer: None if it is right."""
    return exercise(number).judge(answer)
