"""The process that `kill_after` kills: writes to a SQLite file, says so, and waits for its end.

Runs as a script of its own, so it imports nothing but the standard library.
"""

from __future__ import annotations

import json
import sqlite3
import sys


def main() -> None:
    """Read a file and statements as one line of JSON, run them, print ``done``, and wait."""
    path, *statements = json.loads(sys.stdin.readline())
    database = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in statements:
            database.execute(statement)
    except sqlite3.Error as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return
    print("done", flush=True)
    sys.stdin.readline()  # comes back only if the parent died first


if __name__ == "__main__":
    main()
