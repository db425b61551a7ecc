"""Show the built book on 127.0.0.1: ``python -m live_book.serve`` (``make serve`` calls it)."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from .build import ROOT

HTML = ROOT / "_build" / "html"


def main() -> int:
    """Serve until the reader presses Ctrl+C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    port = parser.parse_args().port
    if not (HTML / "index.html").exists():
        print("There is no book yet. Build it first: make book", file=sys.stderr)
        return 1
    handler = partial(SimpleHTTPRequestHandler, directory=HTML)
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
