"""Who may do what: bearer tokens (RFC 6750), and the difference between 401 and 403."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ._problems import Problem

ROLES = ("listener", "editor")
"""What a token can stand for, the weaker first."""

_bearer = HTTPBearer(auto_error=False, description="A token that the service gave you.")


def requires(role: str, tokens: Mapping[str, str] | None) -> list:
    """FastAPI dependencies that let only clients of a role pass.

    Args:
        role: ``"listener"`` or ``"editor"``; an editor may do what a listener may.
        tokens: each known token and its role; ``None`` lets everybody do everything.

    Raises:
        ValueError: a token's role is not one of the two.
    """
    if tokens is None:
        return []
    if unknown := sorted(set(tokens.values()) - set(ROLES)):
        raise ValueError(f"A token's role is 'listener' or 'editor', not {unknown[0]!r}.")
    # Looked up by hash, so that how long a look-up takes says nothing about the tokens.
    known = {_digest(token): given for token, given in tokens.items()}

    async def check(sent: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        if sent is None:
            raise Problem(401, "not-logged-in", {"WWW-Authenticate": 'Bearer realm="music"'})
        given = known.get(_digest(sent.credentials))
        if given is None:
            challenge = 'Bearer realm="music", error="invalid_token"'
            raise Problem(401, "not-logged-in", {"WWW-Authenticate": challenge})
        if ROLES.index(given) < ROLES.index(role):
            challenge = 'Bearer realm="music", error="insufficient_scope"'
            raise Problem(403, "not-allowed", {"WWW-Authenticate": challenge})

    return [Depends(check)]


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
