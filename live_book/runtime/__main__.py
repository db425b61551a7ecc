"""The command line: ``python -m live_book.runtime [pin]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import RuntimeNotGathered, gather

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Gather or pin; an error is one sentence on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m live_book.runtime", description=__doc__)
    parser.add_argument("task", nargs="?", choices=("gather", "pin"), default="gather")
    task = parser.parse_args(arguments).task
    try:
        if task == "pin":
            from ._pin import pin  # needs `packaging`, which gathering does without

            pin(ROOT)
        else:
            print(gather(ROOT))
    except RuntimeNotGathered as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
