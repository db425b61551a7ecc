"""Which answers a shared cache may keep (RFC 9111, section 3)."""

from __future__ import annotations

from ._cache_entry import HEURISTIC, NEGATIVE
from ._cache_fields import CacheControl, values_of
from ._cache_request import CacheRequest
from ._framing import Field

# Those whose meaning this cache knows (must-understand, section 5.2.2.3).
_UNDERSTOOD = HEURISTIC | NEGATIVE | {302, 303, 307, 400, 403, 500, 502, 503, 504}
# What was wrong with one request, such as a field that was too long: the next one to the same URL
# may be good. Whoever can have such an answer kept has shut the URL for all others.
_OF_ONE_REQUEST = frozenset(
    [400, 401, 406, 407, 408, 411, 412, 413, 415, 416, 417, 421, 422, 425, 426, 428, 429, 431]
)
SAY_NOTHING = frozenset(
    ["method", "bypass", "partial", "of one request", "request no-store", "authorization", "cookie"]
)
"""Reasons that lie in one request: they do not say that what is kept already is out of date."""


def why_not_kept(request: CacheRequest, status: int, fields: list[Field]) -> str:
    """What forbids to keep an answer, in a word or two; empty: nothing does."""
    if request.method != "GET":
        return "method"
    if status in (206, 304) or (request.range and values_of(fields, b"content-range")):
        return "partial"
    if status in _OF_ONE_REQUEST:
        return "of one request"
    return why_forbidden(request, status, fields)


def why_forbidden(request: CacheRequest, status: int, fields: list[Field]) -> str:
    """As `why_not_kept`, of an answer that is kept already and whose fields are now these.

    In three points this is stricter than the RFC: an answer that sets a cookie is never kept, as
    with nginx; one to a request with a cookie has to say for how long it is fresh; and so has an
    error, if `negative` does not.
    """
    control = CacheControl(values_of(fields, b"cache-control"))
    if "must-understand" in control:
        if status not in _UNDERSTOOD:
            return "must-understand"
    elif "no-store" in control:
        return "no-store"
    if "private" in control:
        return "private"
    if values_of(fields, b"set-cookie"):
        return "set-cookie"
    for_all = "public" in control or "s-maxage" in control
    if not (for_all or "max-age" in control or values_of(fields, b"expires")):
        if status not in HEURISTIC | NEGATIVE:
            return "status"
        if request.has_cookie:
            return "cookie"
    if "no-store" in request.control:
        return "request no-store"
    if request.authorized and not (for_all or "must-revalidate" in control):
        return "authorization"  # section 3.5
    return ""
