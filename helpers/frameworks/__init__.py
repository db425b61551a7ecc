"""One API in five frameworks: start each application, and hold all of them to one contract.

The applications are in chapters/apps: FastAPI, Flask, Django, Express and Spring Boot. `start`
runs one of them, as its own Procfile says; `hold_to_contract` sends it the requests of the
contract::

    from helpers.frameworks import hold_to_contract, start

    with start("flask") as app:
        print(await hold_to_contract(app.url))

In a page, where there are no processes, the three in Python run on the page's own network.
`show_concept` and `concept_map` show where each concept is in the applications' files.
"""

from ._cases import CASES, Case
from ._concepts import concept_map, show_concept
from ._contract import Answer, Result, differences, hold_all, hold_to_contract
from ._frameworks import FRAMEWORKS, OPENAPI, Framework
from ._here import load_app, models
from ._start import run, start, start_all
from ._tables import contract_table, count_lines

__all__ = [
    "CASES",
    "FRAMEWORKS",
    "OPENAPI",
    "Answer",
    "Case",
    "Framework",
    "Result",
    "concept_map",
    "contract_table",
    "count_lines",
    "differences",
    "hold_all",
    "hold_to_contract",
    "load_app",
    "models",
    "run",
    "show_concept",
    "start",
    "start_all",
]
