"""Errors as problem details: one JSON shape for everything that goes wrong (RFC 9457).

No answer repeats what the client sent. Echoed input is how an error page turns into an attack on
whoever reads it, and what JSON can't carry (NaN, half a surrogate pair) would break the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from ._models import problem_documentation

MEDIA_TYPE = "application/problem+json"

EXPLANATIONS = {
    "unknown-song": "No song has this id or goes by this name.",
    "song-exists": "A song with this id is in the catalogue already. Use PUT to replace it.",
    "invalid-request": "The request is well formed, but its values do not fit. See `errors`.",
    "not-json": "This address takes a body of type application/json.",
    "too-large": "The body is larger than this service accepts.",
    "range-not-satisfiable": "The range begins after the end of the audio. See `length`.",
    "not-logged-in": "Send a token: the header `Authorization: Bearer` and then the token.",
    "not-allowed": "Your token is known, but it does not allow this.",
}
"""The kinds of problem of this service, each with the sentence that explains it."""


# RFC 9110's names; Python before 3.13 has older ones
_PHRASES = {
    413: "Content Too Large",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


class Problem(HTTPException):
    """An answer that says what went wrong.

    Args:
        status: the HTTP status code.
        kind: a key of ``EXPLANATIONS``.
        headers: header fields the status asks for, such as WWW-Authenticate.
        extra: further members of the problem's JSON object (RFC 9457, section 3.2).
    """

    def __init__(
        self, status: int, kind: str, headers: dict[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(status, EXPLANATIONS[kind], headers)
        self.kind = kind
        self.extra = extra


def problem_response(
    status: int,
    detail: str,
    kind: str | None = None,
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    """The HTTP response for a problem (RFC 9457, section 3.1)."""
    body = {
        "type": f"/problems/{kind}" if kind else "about:blank",
        "title": _PHRASES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **extra,
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let an app answer every error as problem details."""

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if isinstance(error, Problem):
            return problem_response(
                error.status_code, str(error.detail), error.kind, headers, **error.extra
            )
        if error.status_code == 405:
            headers["Allow"] = ", ".join(allowed_methods(request))
        return problem_response(error.status_code, _sentence(error.status_code), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(
            422,
            EXPLANATIONS["invalid-request"],
            "invalid-request",
            errors=_unique([_explain(e) for e in error.errors()]),
        )

    @app.exception_handler(Exception)
    async def our_mistake(request: Request, error: Exception) -> JSONResponse:
        return problem_response(500, _sentence(500))  # the error itself goes to the server's log

    @app.get(
        "/problems/{kind}",
        tags=["about"],
        summary="What a kind of problem means",
        responses=problem_documentation(404, 422),
    )
    async def problem_kind(kind: str) -> dict[str, str]:
        if kind not in EXPLANATIONS:
            raise HTTPException(404)
        return {"type": f"/problems/{kind}", "detail": EXPLANATIONS[kind]}


def allowed_methods(request: Request) -> list[str]:
    """The methods of the address that was asked for: what Allow must list (RFC 9110, 15.5.6)."""
    methods: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= set(getattr(route, "methods", None) or ())
    return sorted(methods) or ["GET", "HEAD"]  # no route of its own: a file of the /docs page


def _sentence(status: int) -> str:
    return {
        400: "The body could not be read as JSON.",
        404: "Nothing is at this address.",
        405: "This address does not take this method. The Allow header lists those it takes.",
        500: "The service made a mistake. The request may be fine.",
    }.get(status, HTTPStatus(status).description or HTTPStatus(status).phrase)


def _explain(error: dict[str, Any]) -> dict[str, str]:
    place, *path = error["loc"]
    message = _plain(error["msg"])
    if error["type"] == "json_invalid":
        return {"pointer": "#", "detail": "This is not valid JSON."}
    if error["type"] == "extra_forbidden":
        # the field's name came from the client, so the error points at what holds it
        return {
            "pointer": _pointer(path[:-1]),
            "detail": "There is a field here that a song has not.",
        }
    if place == "body":
        return {"pointer": _pointer(path), "detail": message}
    return {str(place): ".".join(str(step) for step in path), "detail": message}


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").removesuffix(".") + "."


def _pointer(path: Sequence[str | int]) -> str:
    """A JSON Pointer as a URI fragment (RFC 6901, section 6), as in RFC 9457's example."""
    return "#" + "".join(f"/{step}" for step in path)


def _unique(errors: list[dict[str, str]]) -> list[dict[str, str]]:
    return list({tuple(error.items()): error for error in errors}.values())[:20]
