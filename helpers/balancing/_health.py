"""What is known of one server's health, and whether it may get requests. No clock of its own.

Two kinds of evidence are weighed together; a server gets requests when neither speaks against it:

- passive, from the requests themselves, by nginx's rule (`max_fails`, `fail_timeout` of
  ngx_http_upstream_module): after `max_fails` failures the server gets nothing for `fail_timeout`
  seconds, then a single request to see. If that is answered, the failures are forgotten; if not,
  another `fail_timeout` begins.
- active, from checks that somebody makes, by HAProxy's rule (`fall`, `rise`): `fall` failed checks
  in a row take the server out, `rise` good ones in a row bring it back. A server counts as up
  before its first check, and as in HAProxy a failure of that very first one takes it out.

`rise` good checks in a row also end what failed requests have begun.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

STEPS = 10  # in which a server's share grows after it has recovered

State = Literal["up", "starting", "down"]


class Health:
    """The health of one server.

    Args:
        max_fails: failures after which it gets nothing for a while; 0 means that failures of
            requests never count.
        fail_timeout: how long that while is, in seconds, and how close failures have to be to
            each other to be counted together.
        fall: failed checks in a row that take it out.
        rise: good checks in a row that bring it back.
        slow_start: seconds over which its share of the requests grows once it is back; 0 for none.
        clock: what tells the time, in seconds.

    Raises:
        ValueError: a number is out of bounds; the message names it.
    """

    def __init__(
        self,
        *,
        max_fails: int = 1,
        fail_timeout: float = 10.0,
        fall: int = 3,
        rise: int = 2,
        slow_start: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, value, least in (
            ("max_fails", max_fails, 0),
            ("fall", fall, 1),
            ("rise", rise, 1),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} is a whole number from {least} on, and not {value!r}.")
        for name, seconds in (("fail_timeout", fail_timeout), ("slow_start", slow_start)):
            number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not (number and 0 <= seconds < float("inf")):
                raise ValueError(f"{name} is a number of seconds from 0 on, and not {seconds!r}.")
        self._max_fails, self._fail_timeout = max_fails, fail_timeout
        self._fall, self._rise, self._slow_start = fall, rise, slow_start
        self._clock = clock
        # Passive: nginx's `fails`, `accessed` (the last failure) and `checked` (that, or the last
        # time it was tried again).
        self._fails, self._failed_at, self._tried_at = 0, float("-inf"), float("-inf")
        # Active: HAProxy's `health`. From `rise` on it is up; only at the start it is just `rise`.
        self._credit = rise
        self._good_checks = 0
        self._recovered_at: float | None = None

    @property
    def available(self) -> bool:
        """Whether it may get requests now."""
        return self._credit >= self._rise and not self._is_paused()

    @property
    def resting(self) -> bool:
        """Whether failed requests are all that speaks against it: who has no other may try it."""
        return self._credit >= self._rise and self._is_paused()

    @property
    def share(self) -> float:
        """Which part of its weight it should have, above 0 to 1: less than 1 in a slow start."""
        if self._recovered_at is None:
            return 1.0
        passed = self._clock() - self._recovered_at
        if passed >= self._slow_start:
            self._recovered_at = None
            return 1.0
        return (1 + int(STEPS * passed / self._slow_start)) / STEPS

    @property
    def state(self) -> State:
        """ "down" (gets nothing), "starting" (gets less than its share), or "up"."""
        if not self.available:
            return "down"
        return "starting" if self.share < 1 else "up"

    def chosen(self) -> None:
        """A request goes to it. If it was out for `fail_timeout`, this request is the one to see.

        To be called for each request before it is sent.
        """
        if self._fails and (now := self._clock()) - self._tried_at > self._fail_timeout:
            self._tried_at = now

    def answered(self) -> None:
        """A request was answered, with whatever status."""
        if self._fails and self._failed_at < self._tried_at:
            self._forgive()

    def failed(self) -> None:
        """A request was not answered: no connection, a connection that broke, or no time left."""
        self._fails += 1
        self._failed_at = self._tried_at = self._clock()
        self._good_checks = 0
        if self._max_fails and self._fails >= self._max_fails:
            self._recovered_at = None

    def checked(self, good: bool) -> None:
        """A check came out."""
        if not good:
            self._good_checks = 0
            self._credit -= 1
            if self._credit < self._rise:
                self._credit, self._recovered_at = 0, None
            return
        was_up = self._credit >= self._rise
        self._credit += 1
        self._good_checks += 1
        if self._credit >= self._rise:
            self._credit = self._rise + self._fall - 1
            if not was_up:
                self._recover()
        if self._fails and self._good_checks >= self._rise:
            self._forgive()

    def _is_paused(self) -> bool:
        """Whether failed requests have taken it out for now."""
        if not self._max_fails or self._fails < self._max_fails:
            return False
        return self._clock() - self._tried_at <= self._fail_timeout

    def _forgive(self) -> None:
        was_out = self._max_fails and self._fails >= self._max_fails
        self._fails = 0
        if was_out:
            self._recover()

    def _recover(self) -> None:
        if self._slow_start:
            self._recovered_at = self._clock()

    def __repr__(self) -> str:
        return f"<Health {self.state}>"
