"""`python -m helpers.programs`: make the servers that no package brings, so that no cell waits.

With `--start` it also starts each database server once, and says which version it is.
"""

import argparse
import sys

from . import Cassandra, MongoDB, Postgres, ProgramFailed, ProgramMissing
from ._building import build_all

parser = argparse.ArgumentParser(prog="python -m helpers.programs", description=__doc__)
parser.add_argument("--start", action="store_true", help="start each database server once")
code = build_all()
if parser.parse_args().start:
    for kind in (Postgres, MongoDB, Cassandra):
        try:
            with kind() as server:
                print(f"started: {server!r}", flush=True)
        except (ProgramMissing, ProgramFailed) as error:
            print(error, file=sys.stderr)
            code = 1
sys.exit(code)
