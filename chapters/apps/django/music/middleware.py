"""What is done with every request: it gets an id, is timed, and leaves a line in the log."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from .problems import problem

log = logging.getLogger("music")

GetResponse = Callable[[HttpRequest], HttpResponse]


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Observe:
    """Give every request an id, time it, and write a line about it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        request.id = request.headers.get("X-Request-Id", "")
        if not re.fullmatch("[A-Za-z0-9._-]{1,64}", request.id):
            request.id = uuid.uuid4().hex
        response = self.get_response(request)
        took = (time.perf_counter() - begun) * 1000  # milliseconds
        response.headers["X-Request-Id"] = request.id
        response.headers["Server-Timing"] = f"app;dur={took:.1f}"
        fields = {
            "id": request.id,
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "ms": round(took, 1),
        }
        log.info("request", extra={"fields": fields})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if not isinstance(exception, Http404):
            log.error("failed", exc_info=exception, extra={"fields": {"id": request.id}})


def explain_405(get_response: GetResponse) -> GetResponse:
    """Give a body to the empty answer of require_safe and its like."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 405:
            return problem(405, {"Allow": response.headers["Allow"]})
        return response

    return middleware
