"""The HTTP API against its own OpenAPI description, with requests that schemathesis invents.

It sends requests that fit the description and requests that do not, and checks every answer:
no server error, only the statuses, media types and shapes that are documented, what does not fit
is rejected, methods that are not there get 405 with a true Allow, and what was deleted is gone.
"""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import CheckContext
from schemathesis.specs.openapi.checks import positive_data_acceptance

from helpers.music import create_app

from .support import SMALL_CATALOGUE, always_the_same

# What no JSON Schema can say: a request that fits the description may still break these rules.
BEYOND_A_SCHEMA = (
    "Take the cursor from the `next` of an earlier page",
    "Write at least one visible character",
    "A melody needs at least one note that is not a rest",
    "A melody lasts at most 60 seconds at its tempo",
)
TOKENS = {"of-a-listener": "listener", "of-an-editor": "editor"}

bounded = settings(
    always_the_same,
    max_examples=40,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def fits_but_for_rules_beyond_a_schema(
    ctx: CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Stands in for `positive_data_acceptance`, which takes a schema for the whole truth."""
    if response.status_code == 422 and case.meta.generation.mode.is_positive:
        for error in response.json()["errors"]:
            assert error["detail"].startswith(BEYOND_A_SCHEMA), error


CHECKS = {
    "additional_checks": [fits_but_for_rules_beyond_a_schema],
    "excluded_checks": [positive_data_acceptance],
}


class Renewable:
    """The API, which can be put back to how it began: an answer decides what is tried next."""

    def __init__(self, **options) -> None:
        self._options = options
        self.renew()

    def renew(self) -> None:
        self._app = create_app(SMALL_CATALOGUE, **self._options)

    async def __call__(self, scope, receive, send) -> None:
        await self._app(scope, receive, send)


def described(app: Renewable) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_asgi("/openapi.json", app)


open_to_all = described(Renewable())
with_tokens = described(Renewable(tokens=TOKENS))
visited = Renewable()


@open_to_all.parametrize()
@bounded
def test_every_answer_is_as_described(case):
    case.call_and_validate(**CHECKS)


@open_to_all.include(path_regex="song_id").exclude(method="DELETE").parametrize()
@bounded
def test_every_answer_about_a_song_that_is_there_is_as_described(case):
    case.path_parameters["song_id"] = "fur-elise"
    case.call_and_validate(**CHECKS)


@with_tokens.parametrize()
@settings(bounded, max_examples=15)
def test_every_answer_to_a_client_without_a_token_is_as_described(case):
    case.call_and_validate(**CHECKS)


@with_tokens.parametrize()
@settings(bounded, max_examples=15)
def test_every_answer_to_an_editor_is_as_described(case):
    case.call_and_validate(**CHECKS, headers={"Authorization": "Bearer of-an-editor"})


class Visit(described(visited).as_state_machine()):
    """One client's requests in a row: what one answer says goes into the next request."""

    def setup(self) -> None:
        visited.renew()

    def validate_response(self, response, case, additional_checks=None, **kwargs):
        case.validate_response(response, **CHECKS, recorder=self.recorder)


def test_what_was_added_is_there_and_what_was_removed_is_gone():
    run_state_machine_as_test(
        Visit, settings=settings(bounded, max_examples=25, stateful_step_count=6)
    )
