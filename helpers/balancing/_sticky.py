"""Sticky sessions: a cookie remembers which server a client began with."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from ._algorithm import Algorithm, Request

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a cookie's name (RFC 6265, section 4.1.1)


class StickyCookie(Algorithm):
    """The server that the request's cookie stands for; without one, what another algorithm says.

    An answer to a client that has no good cookie yet carries a new one, see `cookie_for`. If the
    server is away, the client gets another one, and its cookie with it.

    The cookie's value is a code that only this balancer can make (HMAC, RFC 2104): it tells nothing
    about the server, and a client cannot choose a server with a value of its own. For several
    balancers in front of the same servers, or one that is started anew, give all the same secret.

    One choice costs O(n) for n servers, plus what the other algorithm costs for a new client.
    Source: nginx, ngx_http_upstream_module, "sticky cookie"; RFC 6265 for the cookie.

    Args:
        inner: the algorithm that chooses for new clients.
        cookie: the cookie's name.
        secret: what the codes are made with; a random one if nothing is given.

    Raises:
        ValueError: `inner` is no algorithm, or the cookie's name is none.
    """

    def __init__(
        self, inner: Algorithm, cookie: str = "server", secret: bytes | None = None
    ) -> None:
        if not isinstance(inner, Algorithm):
            raise ValueError(
                f"inner is an algorithm, such as RoundRobin(servers), and not {inner!r}."
            )
        if not isinstance(cookie, str) or not _TOKEN.fullmatch(cookie):
            raise ValueError(f"cookie is a cookie's name, such as 'server', and not {cookie!r}.")
        self._inner = inner
        self._cookie = cookie
        self._secret = secrets.token_bytes(32) if secret is None else secret
        # Both look at the same servers.
        self._weights, self._open = inner._weights, inner._open
        self._changed()

    def cookie_for(self, request: Request, name: str) -> str | None:
        """The cookie that an answer of this server must carry; None if the client has it."""
        code = self._codes.get(name)  # None: it has left since it was chosen
        if code is None or request.cookies.get(self._cookie) == code:
            return None
        return f"{self._cookie}={code}; Path=/; HttpOnly; SameSite=Lax"

    def _pick(self, able: dict[str, float], request: Request) -> str:
        said = request.cookies.get(self._cookie, "")
        for name in able:
            if self._codes.get(name) == said:
                return name
        away = self._weights.keys() - able.keys()
        return self._inner.choose(request, without=away)

    def add(self, name: str, weight: float = 1) -> None:
        """A further server, from now on."""
        self._inner.add(name, weight)
        self._changed()

    def remove(self, name: str) -> None:
        """A server leaves; its clients get another one."""
        self._inner.remove(name)

    def set_weight(self, name: str, weight: float) -> None:
        """Change a server's weight for new clients; 0 sends those away that it has."""
        self._inner.set_weight(name, weight)

    def _changed(self) -> None:
        self._codes: Mapping[str, str] = {
            name: hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()[:20]
            for name in self._weights
        }

    def __repr__(self) -> str:
        return f"StickyCookie({self._inner!r})"
