"""How long a reader waits for Python in the published page, against JupyterLite.

Chromium opens chapter 1 from a server on this machine that compresses and sets caching headers as
a static host does. Cold is a new browser profile, with nothing kept. Warm is the same profile
again: a new page and a new Python, with the files and the compiled code that the browser kept.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import mimetypes
import re
import statistics
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks import machine, table
from live_book.build import build
from tests.browser_support import ARGUMENTS, chromium_path

ROUNDS = 5
REPORT = Path(__file__).with_suffix(".md")
SITE = Path(__file__).parents[1] / "_build" / "html"
CHAPTER = "chapters/01_what_is_an_api.html"
LONGEST = 120_000  # milliseconds; only so that a page that never answers ends the run
KEPT_FOR = 600  # seconds that a browser may use a file without asking; GitHub Pages says the same
COMPRESSED = re.compile(r"text/|javascript|json|xml|wasm")
"""Kinds of files that a static host compresses; wheels are compressed already."""

FLAGS = [*ARGUMENTS, "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]

JSON_CODE = """\
import httpx
from fastapi import FastAPI
from helpers import serve

app = FastAPI()

@app.get("/")
async def root():
    return {"message": "measured"}

async with httpx.AsyncClient() as client:
    answer = await client.get(serve(app).url)
answer.json()"""


@dataclass(frozen=True)
class Task:
    """Something that a reader waits for, and what it may take at most, in seconds."""

    name: str
    code: str | None
    """What takes the place of the first cell's code; None leaves it as it is."""
    shows: str
    cold: float
    warm: float


TASKS = (
    Task("first output", None, "Ludwig van Beethoven", 3.0, 1.5),
    Task("first FastAPI JSON", JSON_CODE, "'measured'", 5.0, 2.5),
)

# From the click until the output has been painted. The click is the script's: no pointer rests
# on the button before it, which would let a page that was used before start Python early.
CLICK = """([code, shows]) => new Promise((done) => {
    const cell = document.querySelector("[data-live-cell]");
    const editor = cell.querySelector(".cell_input pre");
    if (code !== null) {
        editor.textContent = code;
        editor.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    const start = performance.now();
    new MutationObserver((_, observer) => {
        if (!cell.querySelector(".live-output")?.textContent.includes(shows)) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => done((performance.now() - start) / 1000)));
    }).observe(cell, { childList: true, subtree: true, characterData: true });
    cell.querySelector(".live-run").click();
})"""
LITE_LISTENS = """() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel
    && document.activeElement?.closest(".jp-CodeCell")"""
"""A key pressed before the notebook has a kernel, or before the cell has the focus, is lost."""
LITE_SHOWS = """(shows) => [...document.querySelectorAll(".jp-CodeCell .jp-OutputArea-output")]
    .some((output) => output.textContent.includes(shows))"""


class Host:
    """A static host on 127.0.0.1: gzip, ETag, max-age. It counts what it sends."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[int] = []
        """Bytes of each response so far, headers included."""
        kinds = {**SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/wasm"}
        files = {file: _File.of(file, kinds) for file in folder.rglob("*") if file.is_file()}
        sent = self.sent

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = Path(self.translate_path(self.path))
                file = files.get(path) or files.get(path / "index.html")
                kept = file and self.headers.get("If-None-Match") == file.headers["ETag"]
                body = file.body if file and not kept else b""
                self.send_response(304 if kept else 200 if file else 404)
                for name, value in file.headers.items() if file else ():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                size = sum(map(len, self._headers_buffer)) + 2
                self.end_headers()
                self.wfile.write(body)
                sent.append(size + len(body))

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), lambda *details: Handler(*details, directory=str(folder))
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Host:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *details: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class _File:
    """A file of the site, compressed before anybody waits for it."""

    body: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, path: Path, kinds: dict[str, str]) -> _File:
        suffix = path.suffix.lower()
        kind = kinds.get(suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        body = path.read_bytes()
        headers = {"Content-Type": kind, "Cache-Control": f"max-age={KEPT_FOR}"}
        if COMPRESSED.search(kind):
            body = gzip.compress(body, 6, mtime=0)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        return cls(body, headers)


@dataclass
class Seen:
    """One opening of a page: seconds, and what the server had sent by then."""

    opened: float
    """From asking for the page until it could be used."""
    waited: float
    """From the click until the output; for JupyterLite, until the output."""
    before: tuple[int, int]
    """Requests and bytes before the click."""
    after: tuple[int, int]
    """Requests and bytes until the output, those before the click included."""


@dataclass
class Measured:
    """All rounds, by the name of the task and then "cold" or "warm"."""

    page: dict[tuple[str, str], list[Seen]] = field(default_factory=lambda: defaultdict(list))
    lite: dict[tuple[str, str], list[Seen]] = field(default_factory=lambda: defaultdict(list))


@contextlib.contextmanager
def new_profile(playwright: Any) -> Iterator[Any]:
    """A browser that nobody has used before; its profile is deleted at the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=chromium_path(), args=FLAGS, headless=True
        )
        try:
            yield context
        finally:
            context.close()


def use_page(context: Any, host: Host, task: Task) -> Seen:
    """Open the chapter, wait until nothing more is loaded, run its first cell."""
    page = context.new_page()
    host.sent.clear()
    page.goto(host.url + CHAPTER)
    page.locator("[data-live-cell] .live-run").first.wait_for(timeout=LONGEST)
    opened = page.evaluate("performance.now() / 1000")
    page.wait_for_load_state("networkidle")
    before = (len(host.sent), sum(host.sent))
    page.set_default_timeout(LONGEST)
    waited = page.evaluate(CLICK, [task.code, task.shows])
    after = (len(host.sent), sum(host.sent))
    page.close()
    return Seen(opened, waited, before, after)


def use_lite(context: Any, host: Host, task: Task, address: str) -> Seen:
    """Open the same notebook in JupyterLite, whose Python starts by itself; run its first cell."""
    page = context.new_page()
    host.sent.clear()
    page.goto(address)
    cell = page.locator(".jp-CodeCell").first
    editor = cell.locator(".cm-content")
    editor.click(timeout=LONGEST)
    page.wait_for_function(LITE_LISTENS, timeout=LONGEST)
    opened = page.evaluate("performance.now() / 1000")
    if task.code is not None:
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(task.code)
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(LITE_SHOWS, arg=task.shows, timeout=LONGEST)
    waited = page.evaluate("performance.now() / 1000")
    after = (len(host.sent), sum(host.sent))
    page.close()
    return Seen(opened, waited, (0, 0), after)


def lite_address(context: Any, host: Host) -> str | None:
    """Where the chapter's own link to JupyterLite leads; None if the site has no JupyterLite."""
    if not (SITE / "lite").is_dir():
        return None
    page = context.new_page()
    page.goto(host.url + CHAPTER)
    links = page.locator("a[href*='lite/']").evaluate_all("all => all.map(one => one.href)")
    page.close()
    return next((link for link in links if link.startswith(host.url)), None)


def measure(playwright: Any, host: Host, rounds: int) -> Measured:
    """Everything in turns: page and JupyterLite, each cold and then warm."""
    measured = Measured()
    with new_profile(playwright) as context:
        address = lite_address(context, host)
    for _ in range(rounds):
        for task in TASKS:
            with new_profile(playwright) as context:
                for state in ("cold", "warm"):
                    measured.page[task.name, state].append(use_page(context, host, task))
            if address is None:
                continue
            with new_profile(playwright) as context:
                for state in ("cold", "warm"):
                    measured.lite[task.name, state].append(use_lite(context, host, task, address))
    return measured


def in_seconds(times: Sequence[float]) -> list[str]:
    """Two table cells: the median and the worst."""
    return [f"{statistics.median(times):.2f} s", f"{max(times):.2f} s"]


def load(counted: Sequence[tuple[int, int]]) -> list[str]:
    """Two table cells: the median number of requests, and of bytes."""
    requests = statistics.median(count for count, _ in counted)
    size = statistics.median(size for _, size in counted)
    return [f"{requests:.0f}", f"{size / 1e6:.2f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"]


def report(where: str, measured: Measured, rounds: int) -> str:
    verdicts, against, loads = [], [], []
    for task in TASKS:
        for state, target in (("cold", task.cold), ("warm", task.warm)):
            seen = measured.page[task.name, state]
            waits = [one.waited for one in seen]
            kept = f"{sum(one <= target for one in waits)} of {len(waits)}"
            verdicts.append([task.name, state, f"{target:g} s", *in_seconds(waits), kept])
            totals = [one.opened + one.waited for one in seen]
            loads.append(["the page", task.name, state, *load([one.before for one in seen]),
                          *load([one.after for one in seen])])  # fmt: skip
            lite = measured.lite.get((task.name, state))
            if lite:
                theirs = [one.waited for one in lite]
                ratio = f"{statistics.median(theirs) / statistics.median(totals):.1f}"
                against.append([task.name, state, *in_seconds(totals), *in_seconds(theirs), ratio])
                loads.append(["JupyterLite", task.name, state, "", "",
                              *load([one.after for one in lite])])  # fmt: skip
            else:
                missing = "this site has no JupyterLite"
                against.append([task.name, state, *in_seconds(totals), missing, "", ""])
    return "\n".join(
        [
            "# live_page: how long a reader waits for Python in the page\n",
            f"{where} {rounds} rounds, everything in turns. Written by `python -m benchmarks "
            "live_page`.\n",
            "Chapter 1 in Chromium, from a server on the same machine: what a slow line adds comes",
            "on top. Cold is a new browser profile. Warm is the same profile again, with a new page",
            "and a new Python.\n",
            "## From the click on Run to the output\n",
            "The first output is that of the chapter's first cell. FastAPI JSON is an app defined,",
            "served and asked in one cell.\n",
            table(["what", "", "target", "median", "worst", "rounds that kept it"], verdicts),
            "## Against JupyterLite\n",
            "From opening the address to the output. In the page the time until Run can be pressed",
            "and the time from the click are added; in JupyterLite Python starts by itself, and the",
            "cell is run as soon as it is there. The ratio is JupyterLite to the page.\n",
            table(
                ["what", "", "page median", "worst", "JupyterLite median", "worst", "ratio"],
                against,
            ),
            "## Requests and bytes\n",
            "As the server sent them, compressed, with headers; medians. Warm counts what the",
            "browser asked for again.\n",
            table(
                ["where", "what", "", "requests before the click", "bytes",
                 "requests until the output", "bytes"],
                loads,
            ),
        ]
    )  # fmt: skip


def main(rounds: int = ROUNDS) -> None:
    """Build the book, measure, write live_page.md, print it."""
    if build() or chromium_path() is None:
        raise SystemExit("live_page needs the built book and a Chromium (CHROME_PATH names one).")
    from playwright.sync_api import sync_playwright

    where = machine()
    with Host(SITE) as host, sync_playwright() as playwright:
        measured = measure(playwright, host, rounds)
    text = report(where, measured, rounds)
    REPORT.write_text(text, encoding="utf-8")
    print(text)
