"""Requests that schemathesis invents from openapi.yaml, over a real socket, to each of the five.

It sends what fits the description and what does not, and checks each answer: no server error, only
the statuses, media types and shapes that are described, and what does not fit is rejected.
"""

from __future__ import annotations

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance, unsupported_method

from helpers.frameworks._frameworks import apps_folder

description = schemathesis.openapi.from_dict(
    yaml.safe_load((apps_folder() / "openapi.yaml").read_text("utf-8"))
)
bounded = settings(
    derandomize=True,
    max_examples=40,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = {
    one.ok().definition.raw["operationId"]: one.ok() for one in description.get_all_operations()
}
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
FITTING = (200, 201, 206, 404, 409, 416)
"""What may answer a request that fits: a song may be there already, an id may be nobody's."""


def ask(app, operation, mode, **path_parameters):
    @bounded
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask_once(case):
        case.path_parameters = {**case.path_parameters, **path_parameters}
        response = case.call(base_url=app.url)
        case.validate_response(
            response, excluded_checks=[positive_data_acceptance, unsupported_method]
        )
        assert response.headers["x-request-id"]
        if mode is POSITIVE:
            assert response.status_code in FITTING, response.content

    ask_once()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_fits_the_description_is_accepted(app, operation):
    ask(app, OPERATIONS[operation], POSITIVE)


@pytest.mark.parametrize(
    "operation", ["listSongs", "addSong"]
)  # others take nothing that can't fit
def test_what_does_not_fit_is_refused(app, operation):
    ask(app, OPERATIONS[operation], NEGATIVE)


def test_any_range_of_a_song_that_is_there_is_as_described(app):
    ask(app, OPERATIONS["hearSong"], POSITIVE, id="fur-elise")
