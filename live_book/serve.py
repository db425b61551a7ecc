"""Show the built book on 127.0.0.1: ``python -m live_book.serve`` (``make serve`` calls it)."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from .build import ROOT

HTML = ROOT / "_build" / "html"


class Handler(SimpleHTTPRequestHandler):
    """Files from the book, and the book's own page for an address that it does not have."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = HTML / "404.html"
        if code != 404 or not page.exists():
            super().send_error(code, message, explain)
            return
        content = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a line for every file of every page helps nobody."""


def main() -> int:
    """Serve until the reader presses Ctrl+C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    port = parser.parse_args().port
    if not (HTML / "index.html").exists():
        print("There is no book yet. Build it first: make book", file=sys.stderr)
        return 1
    handler = partial(Handler, directory=HTML)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        print(
            f"Port {port} can't be used ({error.strerror}). Name another: make serve PORT=8002",
            file=sys.stderr,
        )
        return 1
    with server:
        print(f"The book is at http://127.0.0.1:{port}/ - press Ctrl+C to stop.", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nStopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
