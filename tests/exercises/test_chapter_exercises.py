"""Every exercise in every chapter: the stub, a typical mistake and the solution, run for real.

Each notebook runs in one kernel, from top to bottom. Behind every stub two cells are put in: the
typical mistake that the exercise is registered with, and the code of its folded solution. What each
of these cells shows is read from its output, as the reader would see it. Then the notebook runs a
second time, as it is: any chapter can.
"""

import copy
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.exercises import Exercise, Status, exercises_of
from tests.notebooks import OFFLINE

CHAPTERS = Path(__file__).parents[2] / "chapters"
NOTEBOOKS = sorted(CHAPTERS.glob("*.ipynb"))
TEMPLATES = sorted((CHAPTERS / "template").rglob("*.ipynb"))
FEWEST = 5  # exercises in a chapter
CELL_TIMEOUT = 120  # seconds; only so that a notebook that hangs ends at all

_CHECK = re.compile(r"""^[^#\n]*\bcheck\(\s*["']([\d.]+)["']""", re.MULTILINE)
_HEADLINE = re.compile(r"Exercise (\S+): (" + "|".join(Status) + ")")
# The blank lines matter: without them Markdown shows the fence as text.
_SOLUTION = re.compile(
    r"<details>\s*<summary>Solution to (?P<number>[\d.]+)</summary>[ \t]*\n[ \t]*\n"
    r"(?:.*\n)*?```python\n(?P<code>.*?)\n```[ \t]*\n(?:.*\n)*?[ \t]*\n</details>",
    re.DOTALL,
)


@dataclass(frozen=True)
class Stub:
    """An exercise in a notebook. place: the stub's position among the cells."""

    place: int
    number: str
    solution: str | None


def stubs_in(notebook) -> tuple[list[Stub], list[str]]:
    """All stubs of a notebook, and what is wrong with the way they are written down."""
    stubs, problems = [], []
    cells = notebook.cells
    for place, cell in enumerate(cells):
        numbers = _CHECK.findall(cell.source) if cell.cell_type == "code" else []
        if not numbers:
            continue
        number = numbers[0]
        if len(numbers) > 1:
            problems.append(f"{number}: one cell checks {', '.join(numbers)}")
        if place == 0 or cells[place - 1].cell_type != "markdown":
            problems.append(f"{number}: the question is not in a Markdown cell right above")
        after = cells[place + 1] if place + 1 < len(cells) else None
        found = _SOLUTION.search(after.source) if after and after.cell_type == "markdown" else None
        if not found or found["number"] != number:
            problems.append(f"{number}: no folded solution in a Markdown cell right below")
        stubs.append(Stub(place, number, found and found["code"]))
    written = [stub.number for stub in stubs]
    problems += [f"{n}: there is more than one stub" for n in set(written) if written.count(n) > 1]
    return stubs, problems


def registration_problems(stubs: list[Stub], exercises: Iterable[Exercise]) -> list[str]:
    """Where the notebook and the chapter's registered exercises do not match."""
    written = {stub.number for stub in stubs}
    registered = {exercise.number: exercise for exercise in exercises}
    problems = [f"{n}: in the notebook, but not registered" for n in written - registered.keys()]
    problems += [f"{n}: registered, but not in the notebook" for n in registered.keys() - written]
    problems += [
        f"{number}: needs a second, stronger hint"
        for number, exercise in registered.items()
        if len(exercise.hints) < 2
    ]
    return problems


def run_problems(
    notebook, stubs: list[Stub], exercises: Iterable[Exercise], folder: Path, environment=None
) -> list[str]:
    """What goes wrong when the notebook runs with a mistake and the solution behind each stub.

    Then it runs again, as it was. Changes `notebook`. `folder` is the working directory,
    `environment` what is different in the kernel's variables.
    """
    again = copy.deepcopy(notebook.cells)
    for cell in again:
        cell.id = f"again-{cell.id}"
    mistakes = {exercise.number: exercise.typical_mistake for exercise in exercises}
    expected: list[tuple[object, Stub, str, Status]] = []
    cells = list(notebook.cells)
    for stub in reversed(stubs):
        more = []
        if stub.number in mistakes:
            mistake = new_code_cell(mistakes[stub.number])
            expected.append((mistake, stub, "the typical mistake", Status.NOT_YET))
            more.append(mistake)
        if stub.solution is not None:
            solution = new_code_cell(stub.solution)
            expected.append((solution, stub, "the solution", Status.RIGHT))
            more.append(solution)
        expected.append((cells[stub.place], stub, "the stub", Status.NOT_ANSWERED))
        cells[stub.place + 1 : stub.place + 1] = more
    chapter = int(stubs[0].number.partition(".")[0])
    overview = new_code_cell(
        "import json as _json\n"
        "from helpers.exercises import progress as _progress\n"
        f"print(_json.dumps({{'open': _progress({chapter}).open, "
        f"'total': _progress({chapter}).total}}))"
    )
    notebook.cells = [*cells, overview, *again]
    # An error is noted below, with its cell; the cells after it run all the same.
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env={**os.environ, **(environment or {})})

    problems = []
    for cell in [*cells, *again]:
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", []):
            problems += [f"{error}, in the cell: {cell.source[:60]!r}" for error in errors_of(cell)]
    for cell, stub, name, status in expected:
        shown = verdict_shown(cell)
        if shown != (stub.number, status):
            seen = f"{shown[0]}: {shown[1]}" if shown else "no verdict"
            problems.append(f"{stub.number}: {name} shows {seen!r}, not {str(status)!r}")
    printed = "".join(out.get("text", "") for out in overview.outputs)
    end = json.loads(printed) if printed else {"open": errors_of(overview), "total": 0}
    if end["open"] or end["total"] != len(stubs):
        problems.append(f"at the end progress says {end}, for {len(stubs)} stubs")
    return problems


def errors_of(cell) -> list[str]:
    return [f"{out.ename}: {out.evalue}" for out in cell.outputs if out.output_type == "error"]


def verdict_shown(cell) -> tuple[str, str] | None:
    """Number and status of the verdict that the cell shows as its value, None when it has none."""
    for out in cell.outputs:
        if out.output_type == "execute_result":
            found = _HEADLINE.search(out.data.get("text/plain", ""))
            return found and (found[1], found[2])
    return None


def exercise_problems(
    path: Path,
    exercises: Iterable[Exercise] | None = None,
    folder: Path | None = None,
    environment=None,
) -> list[str]:
    """All that is wrong with the exercises of the notebook at `path`; [] when they hold.

    exercises: the registered ones; those of the chapter that the stubs name when it is None.
    folder: where it runs; its own folder when it is None.
    environment: what is different in the kernel's variables.
    """
    notebook = nbformat.read(path, as_version=4)
    stubs, problems = stubs_in(notebook)
    if not stubs:
        return ["there are no exercises"]
    chapters = {stub.number.partition(".")[0] for stub in stubs}
    leading = re.match(r"\d+", path.name)
    if leading:
        chapters.add(str(int(leading[0])))
    if len(chapters) > 1:
        return [*problems, f"the exercises and the file name disagree on the chapter: {chapters}"]
    if exercises is None:
        exercises = exercises_of(int(chapters.pop()))
    problems += registration_problems(stubs, exercises)
    return problems + run_problems(notebook, stubs, exercises, folder or path.parent, environment)


def test_there_are_chapters():
    if not NOTEBOOKS and os.environ.get("COURSE_REQUIRE_ALL") != "1":
        pytest.skip(f"{CHAPTERS.name}/ holds no notebook yet, so there is nothing to check")
    assert NOTEBOOKS, f"no notebook in {CHAPTERS}"


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS + TEMPLATES, ids=lambda path: path.stem)
def test_exercises_hold_and_it_runs_again_alone_and_offline(path, tmp_path):
    """From an empty folder, with an empty home and no network but this machine's own."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(OFFLINE)
    work = tmp_path / "work"
    work.mkdir()
    environment = {
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]),
        "HOME": str(work),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    assert exercise_problems(path, folder=work, environment=environment) == []
    left = [file.name for file in work.rglob("*") if file.is_file()]
    assert not left, "the chapter left files where it ran"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_has_enough_exercises(path):
    stubs, _ = stubs_in(nbformat.read(path, as_version=4))
    assert len(stubs) >= FEWEST


# From here on: is the machinery above able to fail?

DEMO = """
from helpers.exercises import check, equals, exercise, exercises_of

def register(number, right, mistake):
    @exercise(number, hints=("Look.", "Look there."), typical_mistake=mistake)
    def judge(answer):
        return equals(answer, right)
    judge.__qualname__ += number

for place in () if exercises_of(97) else range(1, 6):
    register(f"97.{place}", place, f'check("97.{place}", 0)')
"""


@pytest.fixture
def demo_exercises(nothing_registered):
    exec(DEMO, {"__name__": "demo"})
    return list(exercises_of(97))


def solution(number, code):
    return (
        f"<details>\n<summary>Solution to {number}</summary>\n\nBecause.\n\n"
        f"```python\n{code}\n```\n\n</details>"
    )


def exercise_cells(place, *, stub="...", answer=None):
    """The question, the stub and the folded solution of demo exercise 97.`place`."""
    number = f"97.{place}"
    answer = place if answer is None else answer
    return [
        new_markdown_cell(f"**Exercise {number}.** Which number is this?"),
        new_code_cell(f'answer = {stub}\ncheck("{number}", answer)'),
        new_markdown_cell(solution(number, f'answer = {answer}\ncheck("{number}", answer)')),
    ]


def write(folder, cells):
    path = folder / "97_demo.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(DEMO), *cells]), path)
    return path


def test_a_good_notebook_has_no_problems(tmp_path, demo_exercises):
    failing = new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    waits = new_code_cell("import asyncio\nawait asyncio.sleep(0)")
    cells = [cell for place in range(1, 6) for cell in exercise_cells(place)]
    assert exercise_problems(write(tmp_path, [failing, waits, *cells]), demo_exercises) == []


def test_every_fault_of_a_bad_notebook_is_found(tmp_path, demo_exercises):
    demo_exercises[1] = Exercise("97.2", print, ("one",), 'check("97.2", 2)')
    bad_stub = exercise_cells(4)
    bad_stub[1].source = 'answer = len(...)\ncheck("97.4", answer)'
    silent = exercise_cells(5)
    silent[2].source = solution("97.5", 'verdict = check("97.5", 5)')
    cells = [
        *exercise_cells(1, answer=7),
        *exercise_cells(2),
        *exercise_cells(3, stub=3),
        *bad_stub,
        *silent,
        new_code_cell("undefined_name"),
    ]
    problems = exercise_problems(write(tmp_path, cells), demo_exercises)
    assert sorted(problem.partition(", in the cell")[0] for problem in problems) == [
        "97.1: the solution shows '97.1: not yet', not 'right'",
        "97.2: needs a second, stronger hint",
        "97.2: the typical mistake shows '97.2: right', not 'not yet'",
        "97.3: the stub shows '97.3: right', not 'not answered yet'",
        "97.4: the stub shows 'no verdict', not 'not answered yet'",
        "97.5: the solution shows 'no verdict', not 'right'",
        "NameError: name 'undefined_name' is not defined",
        "NameError: name 'undefined_name' is not defined",
        "TypeError: object of type 'ellipsis' has no len()",
        "TypeError: object of type 'ellipsis' has no len()",
        "at the end progress says {'open': ['97.1'], 'total': 5}, for 5 stubs",
    ]


def test_a_badly_written_exercise_is_found():
    question, stub, folded = exercise_cells(1)
    flat = new_markdown_cell(folded.source.replace("</summary>\n\n", "</summary>\n"))
    other = new_markdown_cell(solution("97.2", 'check("97.2", 2)'))
    missing = "97.1: no folded solution in a Markdown cell right below"
    for cells in ([question, stub], [question, stub, flat], [question, stub, other]):
        assert stubs_in(new_notebook(cells=cells))[1] == [missing]
    assert "right above" in stubs_in(new_notebook(cells=[stub, folded]))[1][0]
    twice = exercise_cells(1) + exercise_cells(1)
    assert stubs_in(new_notebook(cells=twice))[1] == ["97.1: there is more than one stub"]


def test_notebook_and_registration_must_match(demo_exercises):
    stubs = [Stub(1, f"97.{place}", None) for place in (1, 2, 3, 4, 6)]
    assert sorted(registration_problems(stubs, demo_exercises)) == [
        "97.5: registered, but not in the notebook",
        "97.6: in the notebook, but not registered",
    ]


def test_no_exercises_and_a_wrong_chapter_are_found(tmp_path):
    assert exercise_problems(write(tmp_path, [])) == ["there are no exercises"]
    path = write(tmp_path, exercise_cells(1)).rename(tmp_path / "02_demo.ipynb")
    assert "disagree" in exercise_problems(path)[0]


def test_the_code_of_a_solution_is_read():
    stubs, _ = stubs_in(new_notebook(cells=exercise_cells(3)))
    assert stubs[0].solution == 'answer = 3\ncheck("97.3", answer)'
