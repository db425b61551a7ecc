"""A client's request as an algorithm may look at it; most look at nothing of it."""

from __future__ import annotations

from functools import cached_property

from ._forwarding import Forwarded


class RequestView:
    """Has what `helpers.balancing.Request` has, but reads it only when it is asked for."""

    def __init__(self, forwarded: Forwarded) -> None:
        self._forwarded = forwarded

    @property
    def client(self) -> str:
        """The address of the client that the proxy sees."""
        return self._forwarded.client

    @property
    def path(self) -> str:
        """Path and query."""
        return self._forwarded.path

    @cached_property
    def headers(self) -> dict[str, str]:
        """Fields by their names in lower case."""
        found: dict[str, str] = {"host": self._forwarded.host}
        for raw_name, raw_value in self._forwarded.fields:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            found[name] = f"{found[name]}, {value}" if name in found else value
        return found

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Cookies by name; of several with one name, the first."""
        found: dict[str, str] = {}
        for name, value in self._forwarded.fields:
            if name == b"cookie":
                for pair in value.decode("latin-1").split(";"):
                    key, equals, content = pair.strip().partition("=")
                    if equals:
                        found.setdefault(key, content.strip('"'))
        return found
