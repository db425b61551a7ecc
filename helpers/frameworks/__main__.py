"""`python -m helpers.frameworks`: what the applications of chapter 9 need before their first start.

It exports the catalogue to chapters/apps/data and builds the two applications that are built.
"""

from __future__ import annotations

import argparse
import sys

from ..programs import ProgramFailed, ProgramMissing
from ..programs._building import build
from ._export import export
from ._frameworks import FRAMEWORKS

argparse.ArgumentParser(prog="python -m helpers.frameworks", description=__doc__).parse_args()
print(f"The catalogue is in {export()}")
failed = False
for framework in FRAMEWORKS.values():
    try:
        if recipe := framework.recipe():
            build(recipe)
        print(f"{framework.title}: ready")
    except ProgramMissing as missing:
        print(f"{framework.title}: {missing}")
    except ProgramFailed as error:
        failed = True
        print(f"{framework.title}: {error}", file=sys.stderr)
sys.exit(failed)
