"""What every test in a browser shares: Chromium, a gzip server on loopback, a watched page.

Load the fixtures with one line in `tests/conftest.py`:

    pytest_plugins = ["tests.browser_support"]

The fixture `browser` is one Chromium for a test file; `site_server` serves folders; `page` is a
fresh watched page for each test. Every request that does not go to 127.0.0.1 is blocked and
recorded. Without a Chromium the tests are skipped, or fail if COURSE_REQUIRE_ALL=1.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_TEXT = (".html", ".css", ".js", ".json", ".svg", ".txt", ".map", ".ipynb", ".mjs", ".xml")


def chromium_path() -> str | None:
    """The Chromium to test with: CHROME_PATH if set, else the first found on PATH, else None."""
    chosen = os.environ.get("CHROME_PATH")
    return chosen or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def axe_path() -> Path | None:
    """The file axe.min.js: AXE_PATH if set, else the one in axe-playwright-python, else None."""
    if chosen := os.environ.get("AXE_PATH"):
        return Path(chosen)
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or not spec.submodule_search_locations:
        return None
    found = Path(spec.submodule_search_locations[0], "axe.min.js")
    return found if found.is_file() else None


def skip_or_fail(reason: str) -> None:
    """Skip the test with one line; fail instead where everything must be there (CI)."""
    if os.environ.get("COURSE_REQUIRE_ALL") == "1":
        pytest.fail(f"COURSE_REQUIRE_ALL=1, and {reason}", pytrace=False)
    pytest.skip(reason)


class _GzipHandler(SimpleHTTPRequestHandler):
    """Serves a folder as a static host does: text in gzip, `404.html` for a wrong address."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path = path / "index.html"
        status = 200
        if not path.is_file():
            status, path = 404, Path(self.directory, "404.html")
        content = path.read_bytes() if path.is_file() else b""
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in _TEXT and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 9, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return BytesIO(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serve_folder(folder: Path, prefix: str = "") -> Iterator[str]:
    """Serve a folder on a free port of 127.0.0.1 while the block runs; gives the URL, with "/".

    `prefix` ("course") puts the folder under a path, as hosts of project pages do.
    """

    class Handler(_GzipHandler):
        def translate_path(self, path: str) -> str:
            return super().translate_path(path.removeprefix(f"/{prefix}") if prefix else path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/" + (f"{prefix}/" if prefix else "")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class WatchedPage:
    """A Playwright page with what it complained about and asked for.

    Attributes that are not here (`goto`, `locator`, ...) are the Playwright page's.
    """

    page: Any
    errors: list[str] = field(default_factory=list)
    """Console errors and uncaught exceptions, as text."""
    outside: list[str] = field(default_factory=list)
    """URLs outside 127.0.0.1 that the page asked for; they were blocked."""
    requests: list[str] = field(default_factory=list)
    """URLs on 127.0.0.1 that the page asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    def show(self, url: str) -> None:
        """Open a page and wait until its scripts have run and every widget in view has started."""
        self.page.goto(url, wait_until="load")
        self.page.wait_for_function("""() => [...document.querySelectorAll(".live-widget")].every(
            (one) => one.querySelector(":scope > :not(noscript)")
                || one.getBoundingClientRect().top > innerHeight)""")

    def transferred(self) -> int:
        """Bytes received so far, headers included, as Chromium's network panel counts them."""
        return int(sum(self._sizes.values()))

    _sizes: dict[str, float] = field(default_factory=dict)


@contextlib.contextmanager
def watched_page(browser: Any, **options: Any) -> Iterator[WatchedPage]:
    """A fresh page in a context of its own. Options go to `browser.new_context`."""
    context = browser.new_context(**options)
    page = context.new_page()
    watched = WatchedPage(page)

    def judge(route: Any) -> None:
        url = route.request.url
        if urlsplit(url).hostname == "127.0.0.1":
            watched.requests.append(url)
            route.continue_()
        else:
            watched.outside.append(url)
            route.abort()

    context.route(lambda url: url.startswith(("http:", "https:", "ws:", "wss:")), judge)
    page.on(
        "console",
        lambda message: watched.errors.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on(
        "Network.loadingFinished",
        lambda event: watched._sizes.__setitem__(event["requestId"], event["encodedDataLength"]),
    )
    try:
        yield watched
    finally:
        context.close()


def axe_findings(page: Any) -> list[str]:
    """Run axe-core over the open page; each finding as "rule: selector: what is wrong".

    Skips the test where axe.min.js is not to be had.
    """
    script = axe_path()
    if script is None:
        skip_or_fail("axe-core is not here: python -m pip install axe-playwright-python")
    page.evaluate(script.read_text("utf-8"))
    results = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in results["violations"]
        for node in rule["nodes"]
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One headless Chromium for a test file, driven by Playwright.

    Not for the session: while Playwright runs, its event loop keeps other tests from theirs.
    """
    path = chromium_path()
    if path is None:
        skip_or_fail("no Chromium: install it, or set CHROME_PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site_server() -> Iterator[Callable[[Path], str]]:
    """A function that serves a folder until the session ends and gives its URL."""
    with contextlib.ExitStack() as stack:
        urls: dict[Path, str] = {}

        def serve(folder: Path) -> str:
            if folder not in urls:
                urls[folder] = stack.enter_context(serve_folder(folder))
            return urls[folder]

        yield serve


@pytest.fixture
def page(browser: Any) -> Iterator[WatchedPage]:
    """A fresh watched page, 1280 by 800, light, with motion."""
    with watched_page(browser, viewport={"width": 1280, "height": 800}) as watched:
        yield watched
