"""What can go wrong on the way to a server and back."""

from __future__ import annotations


class Refusal(Exception):
    """The proxy answers itself, with a problem (RFC 9457).

    Args:
        status: of the answer.
        detail: one sentence for whoever asked.
        headers: further fields of the answer, such as Allow.
    """

    def __init__(
        self, status: int, detail: str, headers: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or []


class BadMessage(ValueError):
    """Bytes that are no HTTP, or that can be read in two ways."""


class Failure(Exception):
    """A server did not answer as it should. Each kind below is another answer to the client."""


class NotConnected(Failure):
    """There is no connection to the server, so it can't have seen anything of the request."""


class BrokenOff(Failure):
    """The connection ended before the answer did. The server may have done what was asked."""


class BadAnswer(Failure):
    """What came is not HTTP, or can be read in two ways, which is how answers are mixed up."""


class TooSlow(Failure):
    """The server said nothing for too long."""


class ClientSlow(Exception):
    """The client said nothing for too long, in the middle of its request."""


class ClientGone(Exception):
    """The client hung up: there is nobody to answer."""
