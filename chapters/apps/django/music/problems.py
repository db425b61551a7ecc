"""Errors as problem details (RFC 9457)."""

from http import HTTPStatus

from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import Form
from django.http import HttpRequest, JsonResponse

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
    "title": "A text of 1 to 100 characters with a letter from a to z or a digit, "
    "and without control characters.",
    "composer": "A text of 1 to 100 characters, without control characters.",
    "year": "A whole number from 1 to 2100.",
    "genre": "A text of 1 to 40 characters, without control characters.",
    "q": "At most 100 characters.",
    "limit": "A whole number from 1 to 100.",
    "cursor": "What next said on the page before.",
}


def problem(status: int, headers: dict | None = None, **extra: object) -> JsonResponse:
    title = TITLES.get(status) or HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": DETAILS[status]}
    return JsonResponse(
        body | extra, status=status, headers=headers, content_type="application/problem+json"
    )


def does_not_fit(form: Form) -> JsonResponse:
    return problem(422, errors=[explain(name) for name in sorted(form.errors)])


def explain(name: str) -> dict:
    if name == NON_FIELD_ERRORS:
        return {"pointer": "#", "detail": "A field that a song does not have."}
    place = {"parameter": name} if name in ("q", "limit", "cursor") else {"pointer": f"#/{name}"}
    return place | {"detail": RULES[name]}


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Of all that Django answers with 400, only this is left: a host not in ALLOWED_HOSTS."""
    return problem(400, detail="This service is not at the host that the request names.")


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return problem(404)


def server_error(request: HttpRequest) -> JsonResponse:
    return problem(500)
