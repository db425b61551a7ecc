"""One contract for five applications: the same request gets the same answer from each.

Compared are the status, the body and the header fields that the contract speaks of. JSON is
compared as the value that it stands for: the order of members and white space mean nothing in it
(RFC 8259, sections 2 and 4). The page for people is compared as the texts and links in it. A
`charset=utf-8` after `application/json` says what holds anyway (RFC 8259, sections 8.1 and 11).
"""

from __future__ import annotations

import html.parser
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from .._progress import ProgressBar
from ._cases import CASES, Case

HEADERS = (
    "accept", "accept-encoding", "accept-ranges", "allow", "content-range", "content-type",
    "content-encoding", "location",
)  # fmt: skip
"""The header fields that have to be the same. X-Request-Id and Server-Timing differ by their nature:
of them the contract says what form they have."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TIMING = re.compile(r"app;dur=\d+(\.\d+)?")
_SECONDS = 20.0  # for one answer; decides only how long a failure takes


@dataclass(frozen=True)
class Answer:
    """What came back: its status, the header fields that count, and its body as a value."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def difference(self, other: Answer) -> str:
        """What is not the same, in a few words; "" if nothing is."""
        if self.status != other.status:
            return f"status {self.status}, not {other.status}"
        for name in sorted({*self.headers, *other.headers}):
            mine, its = self.headers.get(name), other.headers.get(name)
            if mine != its:
                return f"{name}: {mine!r}, not {its!r}"
        if self.body != other.body:
            return f"body {_short(self.body)}, not {_short(other.body)}"
        return ""


@dataclass(frozen=True)
class Result:
    """How one application did: for each case its answer, and the first thing wrong with it."""

    answers: Mapping[Case, Answer]
    faults: Mapping[Case, str]

    def __repr__(self) -> str:
        wrong = "".join(
            f"\n  {case.topic}: {case.name}: {fault}" for case, fault in self.faults.items()
        )
        return f"{len(self.answers)} requests, {len(self.faults)} answered otherwise{wrong}"


async def hold_to_contract(
    url: str, cases: Iterable[Case] = CASES, *, run: str = "", label: str = "the application"
) -> Result:
    """Send every request of the contract to an application, one after the other.

    Args:
        url: where it listens, such as "http://127.0.0.1:8000".
        cases: the requests.
        run: the word that RUN stands for in them, of nine letters and digits; "" makes one up.
            Give several applications the same, and their answers can be compared.
        label: whom the progress bar names.
    """
    run = run or _new_word()
    cases = list(cases)
    answers: dict[Case, Answer] = {}
    faults: dict[Case, str] = {}
    bar = ProgressBar(f"Requests to {label}", len(cases))
    async with httpx.AsyncClient(base_url=url, timeout=_SECONDS) as client:
        client.headers.clear()
        for number, case in enumerate(cases, 1):
            response = await _send(client, case, run)
            answers[case] = answer_of(response)
            if fault := _fault(case, response):
                faults[case] = fault
            if number % 20 == 0:
                bar.show(number)
    bar.end(len(cases))
    return Result(answers, faults)


async def hold_all(apps: Mapping[str, Any], cases: Iterable[Case] = CASES) -> dict[str, Result]:
    """Send every request of the contract to several applications, so that they can be compared.

    Args:
        apps: running applications, each with a `url`, by their names.
        cases: the requests.

    Returns:
        The results, by the applications' names.

    Raises:
        RuntimeError: one of them does not run any more.
    """
    stopped = [name for name, app in apps.items() if not app.running]
    if stopped:
        raise RuntimeError(f"{stopped[0]} was stopped: start the applications again.")
    run, cases = _new_word(), list(cases)
    return {
        name: await hold_to_contract(app.url, cases, run=run, label=name)
        for name, app in apps.items()
    }


def differences(results: Mapping[str, Result]) -> dict[Case, dict[str, str]]:
    """Where applications do not agree with the first of them.

    Args:
        results: by the applications' names; all of the same run.

    Returns:
        For each case with a difference, the names of those that differ and how.
    """
    first, *others = results
    found: dict[Case, dict[str, str]] = {}
    for case, answer in results[first].answers.items():
        for other in others:
            if difference := results[other].answers[case].difference(answer):
                found.setdefault(case, {})[other] = difference
    return found


def _new_word() -> str:
    return f"r{secrets.token_hex(4)}"


async def _send(client: httpx.AsyncClient, case: Case, run: str) -> httpx.Response:
    target, body = case.as_sent(run)
    request = client.build_request(
        case.method,
        "/",
        headers={name: value.encode("utf-8") for name, value in case.headers.items()},
        content=body,
        # as it is written: an address would be put in order on the way
        extensions={"target": target.encode("ascii"), "timeout": client.timeout.as_dict()},
    )
    try:
        return await client.send(request)
    except httpx.TransportError as error:
        message = f"no answer to {case.method} {target[:60]}: {error!r}"
        raise AssertionError(message) from error


def answer_of(response: httpx.Response) -> Answer:
    """What of a response is compared."""
    headers = {name: response.headers[name] for name in HEADERS if name in response.headers}
    kind = re.sub(r"\s*;\s*", "; ", headers.get("content-type", "").lower())
    if kind.startswith(("application/json", "application/problem+json")):
        kind = kind.removesuffix("; charset=utf-8")
    if kind:
        headers["content-type"] = kind
    if "allow" in headers:
        headers["allow"] = ", ".join(sorted(re.split(r"\s*,\s*", headers["allow"])))
    if kind == "audio/wav":  # only there is the length the same if the body means the same
        headers["content-length"] = response.headers.get("content-length", "")
    return Answer(response.status_code, headers, _body(response, kind))


def _body(response: httpx.Response, kind: str) -> Any:
    if "json" in kind and response.content:
        try:
            return json.loads(response.content)
        except ValueError:
            return response.content
    if kind.startswith("text/html"):
        reader = _Page()
        reader.feed(response.text)
        return reader.parts
    return response.content


class _Page(html.parser.HTMLParser):
    """The texts and the addresses of links of a page, without the space around them."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts += [f"<{tag}>", *(f"{name}={value}" for name, value in sorted(attrs))]

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.parts.append(text)


def _fault(case: Case, response: httpx.Response) -> str:
    """What an answer does not keep of the contract, whatever the others say; "" if it keeps all."""
    headers = response.headers
    if response.status_code != case.status:
        return f"status {response.status_code}, not {case.status}: {_short(response.content)}"
    sent = case.headers.get("X-Request-Id", "")
    given = headers.get("x-request-id", "")
    if not _REQUEST_ID.fullmatch(given) or (_REQUEST_ID.fullmatch(sent) and given != sent):
        return f"X-Request-Id: {given!r}"
    if not _TIMING.fullmatch(headers.get("server-timing", "")):
        return f"Server-Timing: {headers.get('server-timing')!r}"
    if case.method == "HEAD":
        return "a body in answer to HEAD" if response.content else ""
    if response.status_code >= 400:
        return _fault_of_problem(response)
    return ""


def _fault_of_problem(response: httpx.Response) -> str:
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return f"an error of type {response.headers.get('content-type')!r}"
    try:
        body = json.loads(response.content)
    except ValueError:
        return f"a problem that is no JSON: {_short(response.content)}"
    if body.get("status") != response.status_code:
        return f"a problem that says status {body.get('status')}"
    if not body.get("title") or not body.get("detail") or body.get("type") != "about:blank":
        return f"a problem that lacks a part: {_short(body)}"
    if response.status_code == 405 and not response.headers.get("allow"):
        return "405 without Allow"
    return ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
