"""Health, by a clock that the test sets: nginx's rule for requests, HAProxy's for checks."""

from __future__ import annotations

import pytest

from helpers.balancing import Health


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def make(**more) -> tuple[Health, Clock]:
    clock = Clock()
    return Health(clock=clock, **more), clock


def play(health: Health, clock: Clock, steps: str) -> str:
    """Steps, each a letter; what the health is after each: u(p), s(tarting) or d(own).

    F: a request fails; A: one is answered, c: it is only sent; +, -: a check; digits: seconds pass.
    """
    states = ""
    for step in steps:
        if step.isdigit():
            clock.now += int(step)
        elif step in "FAc":
            health.chosen()
            if step == "F":
                health.failed()
            elif step == "A":
                health.answered()
        else:
            health.checked(step == "+")
        states += health.state[0]
    return states


@pytest.mark.parametrize(
    ("settings", "steps", "states"),
    [
        # one failure takes it out for more than fail_timeout seconds
        ({}, "F911", "dddu"),
        ({}, "F91A", "dddd"),
        # then one request is let through to see; while it is on its way, nobody else
        ({}, "F92c", "ddud"),
        ({}, "F92A", "dduu"),
        ({}, "F92F92A", "ddudduu"),
        # after a recovery it may fail as often as before
        ({"max_fails": 2}, "FF92AFF", "udduuud"),
        ({"max_fails": 3}, "FFF", "uud"),
        # failures that are far from each other, with an answer between them, do not add up
        ({"max_fails": 2}, "F92AF", "uuuuu"),
        # an answer right after a failure forgives nothing, as in nginx
        ({"max_fails": 2}, "FAF", "uud"),
        # 0: failures of requests never count
        ({"max_fails": 0}, "FFFF", "uuuu"),
        ({"fail_timeout": 3}, "F31", "ddu"),
    ],
)
def test_requests(settings, steps, states):
    health, clock = make(**settings)
    assert play(health, clock, steps) == states


@pytest.mark.parametrize(
    ("settings", "steps", "states"),
    [
        # the very first check decides, and later `fall` of them in a row
        ({}, "-", "d"),
        ({}, "+--", "uuu"),
        ({}, "+---", "uuud"),
        ({}, "+--+---", "uuuuuud"),
        ({}, "+--+--+--", "u" * 9),
        # `rise` good ones in a row bring it back
        ({}, "-++", "ddu"),
        ({}, "-+-++", "ddddu"),
        ({"rise": 1}, "-+", "du"),
        ({"rise": 3}, "-++-+++", "ddddddu"),
        ({"fall": 1}, "++-++-", "uuddud"),
        # `rise` good checks end what failed requests have begun
        ({}, "F++", "ddu"),
        ({}, "F+-++", "ddddu"),
        # both have to be content
        ({}, "+---F++", "uuudddu"),
        ({}, "-92A", "dddd"),
    ],
)
def test_checks(settings, steps, states):
    health, clock = make(**settings)
    assert play(health, clock, steps) == states


@pytest.mark.parametrize("recovery", ["F92A", "-++"])
def test_a_slow_start_goes_in_steps(recovery):
    health, clock = make(slow_start=10)
    assert health.share == 1
    play(health, clock, recovery)
    shares = []
    for _ in range(11):
        shares.append((health.share, health.state))
        clock.now += 1
    assert shares == [
        *((pytest.approx(step / 10), "starting") for step in range(1, 10)), (1, "up"), (1, "up")
    ]  # fmt: skip


def test_a_failure_ends_a_slow_start():
    health, clock = make(slow_start=10)
    assert play(health, clock, "-++") == "dds"
    assert play(health, clock, "F") == "d"
    assert play(health, clock, "92A") == "dus"
    assert health.share == 0.1


def test_who_rests_may_be_a_last_resort():
    """Failed requests are all that speaks against it; a check that failed is more."""
    health, clock = make()
    assert (health.available, health.resting) == (True, False)
    play(health, clock, "F")
    assert (health.available, health.resting) == (False, True)
    play(health, clock, "-")
    assert (health.available, health.resting) == (False, False)
    assert repr(health) == "<Health down>"


BAD = [
    *((name, value) for name in ("max_fails", "fall", "rise") for value in (-1, 1.5, True, "2", None)),
    ("fall", 0), ("rise", 0),
    *((name, value) for name in ("fail_timeout", "slow_start")
      for value in (-1, float("nan"), float("inf"), True, "2", None)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_numbers(name, value):
    with pytest.raises(ValueError, match=rf"^{name} is a (whole )?number .* and not .*\.$"):
        Health(**{name: value})
