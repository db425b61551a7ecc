"""Errors as problem details (RFC 9457)."""

from http import HTTPStatus

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match

DETAILS = {
    400: "The body is not JSON.",
    404: "There is nothing at this address.",
    405: "This address takes only the methods that Allow lists.",
    409: "There is a song with this id already.",
    413: "The body is larger than this service takes.",
    415: "This address takes only JSON in UTF-8.",
    416: "The range begins after the end of the audio.",
    422: "The request can be read, but something in it does not fit.",
    500: "The service made a mistake.",
}
TITLES = {413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
RULES = {
    "title": "A text of 1 to 100 characters with a letter from a to z or a digit, and without control characters.",
    "composer": "A text of 1 to 100 characters, without control characters.",
    "year": "A whole number from 1 to 2100.",
    "genre": "A text of 1 to 40 characters, without control characters.",
    "q": "At most 100 characters.",
    "limit": "A whole number from 1 to 100.",
    "cursor": "What next said on the page before.",
}


def problem(status: int, headers: dict | None = None, **extra: object) -> JSONResponse:
    title = TITLES.get(status) or HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": DETAILS[status]}
    return JSONResponse(body | extra, status, headers, "application/problem+json")


def install(app: FastAPI) -> None:
    @app.exception_handler(StarletteHTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        headers = {**(error.headers or {})}
        if error.status_code == 405:
            headers["Allow"] = ", ".join(allowed_methods(request))
        return problem(error.status_code, headers)

    @app.exception_handler(RequestValidationError)
    async def does_not_fit(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = {tuple(explain(one).items()) for one in error.errors()}
        return problem(422, errors=[dict(one) for one in sorted(errors)])


def allowed_methods(request: Request) -> list[str]:
    """Those of all functions at this address: Starlette names those of the first one only."""
    return sorted(
        method
        for route in request.app.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods
    )


def explain(error: dict) -> dict:
    place, *path = error["loc"]
    if place == "query":
        return {"parameter": path[0], "detail": RULES[path[0]]}
    if error["type"] == "extra_forbidden":
        return {"pointer": "#", "detail": "A field that a song does not have."}
    if not path:
        return {"pointer": "#", "detail": "A song is a JSON object."}
    return {"pointer": f"#/{path[0]}", "detail": RULES[path[0]]}
