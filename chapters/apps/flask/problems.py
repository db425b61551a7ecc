"""Errors as problem details (RFC 9457)."""

from http import HTTPStatus

from flask import Flask, Response, json, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

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
FIELDS = {
    "title": "A text of 1 to 100 characters with a letter from a to z or a digit, "
    "and without control characters.",
    "composer": "A text of 1 to 100 characters, without control characters.",
    "year": "A whole number from 1 to 2100.",
    "genre": "A text of 1 to 40 characters, without control characters.",
}
PARAMETERS = {
    "q": "At most 100 characters.",
    "limit": "A whole number from 1 to 100.",
    "cursor": "What next said on the page before.",
}


def problem(status: int, headers: object = None, **extra: object) -> Response:
    title = TITLES.get(status) or HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": DETAILS[status]}
    text = json.dumps(body | extra)
    return Response(text, status, headers, content_type="application/problem+json")


def install(app: Flask) -> None:
    @app.errorhandler(HTTPException)  # InternalServerError too, which Flask makes of others
    def http_error(error: HTTPException) -> Response:
        return problem(error.code, error.get_headers())

    @app.errorhandler(ValidationError)
    def does_not_fit(error: ValidationError) -> Response:
        errors = {tuple(explain(name, error).items()) for name in error.messages}
        return problem(422, errors=[dict(one) for one in sorted(errors)])


def explain(name: str, error: ValidationError) -> dict:
    if request.method != "POST":
        return {"parameter": name, "detail": PARAMETERS[name]}
    if name in FIELDS:
        return {"pointer": f"#/{name}", "detail": FIELDS[name]}
    if isinstance(error.data, dict):
        return {"pointer": "#", "detail": "A field that a song does not have."}
    return {"pointer": "#", "detail": "A song is a JSON object."}
