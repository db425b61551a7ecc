"""``python -m helpers.web FOLDER``: serve a folder's files from a terminal, with a log."""

from __future__ import annotations

import argparse
import asyncio
import sys

from . import Files, start


async def main(folder: str, port: int, quiet: bool) -> None:
    """Serve until somebody interrupts it."""
    site = await start(Files(folder), port, log=None if quiet else print)
    print(f"Serving {folder} at {site.url} (stop with Ctrl+C)", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m helpers.web", description=__doc__)
    parser.add_argument("folder", nargs="?", default=".")
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one")
    parser.add_argument("--quiet", action="store_true", help="no line for each answer")
    given = parser.parse_args()
    try:
        asyncio.run(main(given.folder, given.port, given.quiet))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.exit(f"It does not start: {error}")
