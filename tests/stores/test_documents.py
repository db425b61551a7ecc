"""``plan_of`` and ``said``: both kinds of servers, as their documentation and the real one speak."""

from __future__ import annotations

import pymongo
import pytest

from helpers.programs import MongoDB, ProgramMissing
from helpers.stores import plan_of, said

# shaped like the examples in the MongoDB manual, "Explain Results"
SCAN = {
    "queryPlanner": {"winningPlan": {"stage": "COLLSCAN", "direction": "forward"}},
    "executionStats": {"nReturned": 3, "totalDocsExamined": 10},
}
SEARCH = {
    "queryPlanner": {
        "winningPlan": {
            "stage": "FETCH",
            "inputStage": {"stage": "IXSCAN", "indexName": "listener_1"},
        }
    },
    "executionStats": {"nReturned": 3, "totalDocsExamined": 3},
}
EITHER = {
    "queryPlanner": {
        "winningPlan": {
            "queryPlan": {
                "stage": "SUBPLAN",
                "inputStage": {
                    "stage": "OR",
                    "inputStages": [
                        {"stage": "IXSCAN", "indexName": "a_1"},
                        {"stage": "IXSCAN", "indexName": "b_1"},
                    ],
                },
            },
            "slotBasedPlan": {"stages": "..."},
        }
    }
}


def test_the_plans_of_mongod():
    assert plan_of(SCAN) == "COLLSCAN, 10 documents looked at"
    assert plan_of(SEARCH) == "FETCH < IXSCAN listener_1, 3 documents looked at"
    assert plan_of(EITHER) == "SUBPLAN < OR < IXSCAN a_1 < IXSCAN b_1"
    assert plan_of({}) == ""


@pytest.mark.parametrize(("pushed", "who"), [(True, "SQLite"), (False, "FerretDB")])
def test_the_plan_of_ferretdb(pushed, who):
    steps = ["id=2 parent=0 notused=0 detail=SCAN plays_1"]
    plan = plan_of({"queryPlanner": {"Plan": steps}, "filterPushdown": pushed})
    assert plan == f"SCAN plays_1; the filter is applied by {who}"


def test_what_an_error_says():
    errors = pymongo.errors
    assert said(errors.OperationFailure("no, full error", 1, {"errmsg": "no"})) == "no"
    written = {"writeErrors": [{"index": 0, "errmsg": "not this one"}]}
    assert said(errors.BulkWriteError(written)) == "not this one"
    assert said(errors.OperationFailure("no details")) == "no details"
    assert said(errors.DocumentTooLarge("too large\nby far")) == "too large"


def test_cassandra_is_quoted_without_the_words_around_it():
    around = 'Error from server: code=2200 [Invalid query] message="Invalid "x" for "year""'
    assert said(Exception(around)) == 'Invalid "x" for "year"'
    assert said(Exception(f"<{around}>")) == 'Invalid "x" for "year"'
    assert said(Exception('no server spoke, message="x"')) == 'no server spoke, message="x"'


def test_a_real_server_is_understood():
    try:
        server = MongoDB()
    except ProgramMissing as error:
        pytest.skip(str(error))
    with server, pymongo.MongoClient(server.url) as client:
        client.drop_database("documents_4")
        some = client["documents_4"].some
        some.insert_one({"_id": 1, "a": 1})
        assert "SCAN" in plan_of(some.find({"a": 1}).explain())
        with pytest.raises(pymongo.errors.DuplicateKeyError) as caught:
            some.insert_one({"_id": 1})
        assert said(caught.value).startswith("E11000")
        assert "full error" not in said(caught.value)
        client.drop_database("documents_4")
