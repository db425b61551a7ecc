"""What happens to cells that need a program which is not on this machine."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from helpers import environment
from live_book._missing import leave_out, missing_programs, reasons


@pytest.fixture
def only_nginx(monkeypatch):
    """As if nothing but nginx were here."""
    known = environment.Program.candidates

    def candidates(program):
        return known(program) if program.name == "nginx" else iter(())

    monkeypatch.setattr(environment.Program, "candidates", candidates)
    monkeypatch.delenv("COURSE_REQUIRE_ALL", raising=False)


def test_what_is_missing_comes_with_the_way_to_get_it(only_nginx):
    missing = missing_programs()
    assert {"apache", "haproxy", "wrk", "postgres"} <= missing.keys() and "nginx" not in missing
    assert missing["wrk"].startswith("wrk is not here: ")


def test_where_all_has_to_be_there_nothing_is_left_out(only_nginx, monkeypatch):
    monkeypatch.setenv("COURSE_REQUIRE_ALL", "1")
    assert missing_programs() == {}


def test_only_cells_that_need_it_are_left_out():
    cell = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(
        cells=[
            cell("x = 1"),
            cell("x = 2", metadata={"tags": ["needs-nginx", "needs-apache"]}),
            cell("x = x + 10", metadata={"tags": ["needs-nginx"]}),
            cell("x"),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}
        },
    )

    class Client(NotebookClient):
        pass

    leave_out(Client, {"apache": "Apache is not here: build it"})
    Client(notebook, timeout=60).execute()
    assert notebook.cells[1].outputs == [] and notebook.cells[1].execution_count is None
    assert notebook.cells[3].outputs[0]["data"]["text/plain"] == "11"


def test_a_cell_that_needs_two_has_two_reasons():
    missing = {"apache": "no Apache", "wrk": "no wrk"}
    assert reasons(["needs-wrk", "needs-apache", "output-varies"], missing) == [
        "no wrk",
        "no Apache",
    ]
    assert reasons(["needs-nginx", "exercise"], missing) == []
