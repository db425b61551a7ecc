"""`check` and `progress`, with exercises registered here: what a reader sees, whatever they do."""

import html.parser
import sys
import textwrap

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import helpers.exercises as package
from helpers.exercises import Status, check, exercise, exercises_of, progress, show
from helpers.exercises import _check as check_module


@pytest.fixture(autouse=True)
def demo(nothing_registered, monkeypatch):
    """Chapter 77 with three exercises, and nothing solved."""
    monkeypatch.setattr(check_module, "_SOLVED", set())
    check_module._WRONG_TRIES.clear()

    @exercise("77.1", hints=("first", "second"), typical_mistake="", why="It is `three`.")
    def three(answer: int):
        return answer == 3

    @exercise("77.10", hints=("only",), typical_mistake="")
    def ten(answer):
        return None if answer["ten"] == 10 else "Ten is not ten."

    @exercise("77.2", hints=("only",), typical_mistake="")
    def two(answer: float | None):
        return answer == 2


def hostile():
    """An object on which nothing works that Python calls on its own."""

    class Hostile:
        def __repr__(self):
            raise RuntimeError("no repr")

        def __eq__(self, other):
            raise RuntimeError("no eq")

        __hash__ = None

        def __len__(self):
            raise RuntimeError("no len")

        def __iter__(self):
            raise SystemExit

        @property
        def __class__(self):
            raise RuntimeError("no class")

    return Hostile()


def test_right_answer_counts_once():
    first, second = check("77.1", 3), check("77.1", 3)
    assert first.status is second.status is Status.RIGHT
    assert first and first.hint is None
    assert second.progress.line == "Chapter 77: 1 of 3 exercises solved"


def test_wrong_answer_says_what_was_seen_and_hints_get_stronger():
    verdicts = [check("77.1", answer) for answer in (4, 5, 6)]
    assert [v.status for v in verdicts] == [Status.NOT_YET] * 3
    assert not any(verdicts)
    assert "4" in verdicts[0].reason
    assert [v.hint for v in verdicts] == ["first", "second", "second"]


def test_a_wrong_answer_after_a_right_one_takes_nothing_away():
    check("77.1", 3)
    assert check("77.1", 4).progress.solved == ("77.1",)


def three_dots_only(song): ...


def documented(song):
    """Find it."""
    ...


async def waiting(song): ...


@pytest.mark.parametrize(
    "answer",
    [
        ...,
        [...],
        {"a": 1, "b": ...},
        {...: 1},
        (1, [2, {...}]),
        three_dots_only,
        documented,
        waiting,
    ],
)
def test_three_dots_mean_not_answered(answer):
    verdict = check("77.1", answer)
    assert verdict.status is Status.NOT_ANSWERED
    assert verdict.hint is None
    assert check("77.1", 4).hint == "first", "an open stub is no wrong try"


def test_no_answer_at_all_is_not_answered():
    assert check("77.1").status is Status.NOT_ANSWERED


@pytest.mark.parametrize("answer", [lambda: 3, lambda x: x, None, [], {}, print])
def test_these_are_answers(answer):
    assert check("77.1", answer).status is Status.NOT_YET


def test_a_container_that_holds_itself_is_an_answer():
    loop = [1]
    loop.append(loop)
    assert check("77.1", loop).status is Status.NOT_YET


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("3", ["'3'", "text (a str)", "a whole number (an int)"]),
        (3.0, ["3.0", "a float", "an int"]),
        (True, ["True", "a bool", "an int"]),
        (None, ["None", "an int"]),
        (httpx.Response(200), ["a Response (from httpx)", "an int"]),
    ],
)
def test_unexpected_type_names_what_came_and_what_was_expected(answer, words):
    verdict = check("77.1", answer)
    assert verdict.status is Status.NOT_YET
    assert all(word in verdict.reason for word in words), verdict.reason


def test_an_int_does_for_a_float_and_none_where_it_is_allowed():
    assert check("77.2", 2)
    assert "expected" not in check("77.2", None).reason
    assert "a number with a decimal point (a float) or None" in check("77.2", "2").reason


def test_a_judge_that_raises_is_a_sentence():
    verdict = check("77.10", [1])
    assert verdict.status is Status.NOT_YET
    assert "[1] is a list" in verdict.reason and "TypeError" in verdict.reason


def test_a_forgotten_await_is_named_and_leaves_no_warning(recwarn):
    async def get():
        return 3

    verdict = check("77.1", get())
    assert verdict.status is Status.NOT_YET
    assert "`await`" in verdict.reason
    assert not recwarn.list


# Made inside the test: pytest itself stumbles over a hostile parameter.
HARD = {
    "hostile": hostile,
    "hostile inside": lambda: [hostile()],
    "hostile value": lambda: {"ten": hostile()},
    "long text": lambda: "x" * 10**7,
    "long list": lambda: list(range(10**6)),
    "long set": lambda: set(range(10**6)),
    "long int": lambda: 10**10000,
    "unprintable": lambda: {"a\nb\x1b[31m": "\ud800"},
    "unhashable class": lambda: type("M", (type,), {"__hash__": None})("C", (), {})(),
}


@pytest.mark.parametrize("number", ["77.1", "77.10"])
@pytest.mark.parametrize("name", HARD)
def test_huge_and_hostile_answers_are_one_short_line(number, name):
    verdict = check(number, HARD[name]())
    assert verdict.status is Status.NOT_YET
    assert len(verdict.reason) < 300
    assert "\n" not in verdict.reason and "\x1b" not in verdict.reason
    (repr(verdict) + verdict._repr_html_()).encode()


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_whatever_comes_gets_a_verdict(answer):
    for number in ("77.1", "77.2", "77.10"):
        verdict = check(number, answer)
        assert isinstance(verdict.status, Status)
        (repr(verdict) + verdict._repr_html_()).encode()


@given(st.text() | st.binary() | st.lists(st.text()))
def test_show_is_one_printable_line_of_at_most_80_characters(value):
    shown = show(value)
    assert len(shown) <= 80
    assert shown.isprintable()


def test_show_keeps_short_values_as_python_writes_them():
    for value in ({"b": 1, "a": [2, None]}, "Für Elise", (1,), {3}, 2.5, b"x"):
        assert show(value) == repr(value)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("77.9", ["no exercise 77.9", "77.1, 77.2, 77.10"]),
        ("98.1", ["98", "77"]),
        ("seven", ['"1.1"']),
        (77.1, ["quotes"]),
        (None, ["quotes"]),
    ],
)
def test_an_unknown_number_says_which_exist(number, words):
    verdict = check(number, 3)
    assert verdict.status is Status.CANNOT_CHECK and not verdict
    assert all(word in verdict.reason for word in words), verdict.reason
    verdict._repr_html_()


def test_a_hostile_number_is_a_sentence():
    assert "quotes" in check(hostile(), 3).reason


def test_progress_lists_solved_and_open_in_order():
    check("77.10", {"ten": 10})
    overview = progress(77)
    assert (overview.solved, overview.open) == (("77.10",), ("77.1", "77.2"))
    assert "Solved: 77.10" in repr(overview) and "Open: 77.1, 77.2" in repr(overview)
    assert "Chapter 77: 1 of 3 exercises solved" in overview._repr_html_()


@pytest.mark.parametrize("chapter", [98, -1, "one", None, []])
def test_progress_of_an_unknown_chapter_is_a_sentence(chapter):
    overview = progress(chapter)
    assert overview.total == 0
    assert "no exercises" in repr(overview) and "no exercises" in overview._repr_html_()


def test_text_has_the_verdict_the_reason_the_hint_and_the_progress():
    assert repr(check("77.1", 4)).splitlines() == [
        "✗ Exercise 77.1: not yet",
        "  Your answer is 4, and that is not it.",
        "  Hint: first",
        "  Chapter 77: 0 of 3 exercises solved [------------]",
    ]


class Checked(html.parser.HTMLParser):
    """Collects the text, the status role and whether every tag is closed."""

    def __init__(self, source):
        super().__init__()
        self.open, self.roles, self.seen, self.tags = [], [], "", set()
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        self.roles += [value for name, value in attrs if name == "role"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.seen += data


@pytest.mark.parametrize("answer", [3, 4, ..., "<script>alert(1)</script>"])
def test_html_is_a_status_with_a_symbol_and_a_word_and_escapes_the_answer(answer):
    verdict = check("77.1", answer)
    page = Checked(verdict._repr_html_())
    assert page.roles == ["status"]
    assert not page.open
    assert page.tags <= {"div", "p", "span", "strong", "code"}
    assert f"Exercise 77.1: {verdict.status}" in page.seen
    assert any(symbol in page.seen for symbol in "✓✗○")
    assert "Chapter 77:" in page.seen


def test_html_sets_no_colour_of_its_own():
    source = check("77.1", 4)._repr_html_() + check("77.1", 3)._repr_html_()
    assert "#" not in source and "rgb" not in source
    assert "currentColor" in source


@pytest.fixture
def written_chapters(tmp_path, monkeypatch):
    """Writes `_chapter_NN.py` files that the package finds, and forgets them afterwards."""
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])

    def write(chapter, body):
        source = f"from helpers.exercises import exercise\n{textwrap.dedent(body)}"
        (tmp_path / f"_chapter_{chapter}.py").write_text(source, encoding="utf-8")
        sys.path_importer_cache.pop(str(tmp_path), None)

    yield write
    for name in [name for name in sys.modules if "._chapter_9" in name]:
        del sys.modules[name]


ONE = """
    @exercise("{0}.2", hints=("h",), typical_mistake="")
    def one(answer):
        return answer == 1
"""


def test_a_check_loads_its_own_chapter_only(written_chapters):
    written_chapters(91, ONE.format(91))
    written_chapters(92, ONE.format(92))
    assert check("92.2", 1)
    assert "helpers.exercises._chapter_92" in sys.modules
    assert "helpers.exercises._chapter_91" not in sys.modules
    assert "91, 92" in check("98.1", 1).reason, "still says which chapters there are"
    assert "helpers.exercises._chapter_91" not in sys.modules


def test_a_chapter_that_does_not_load_is_a_sentence_and_recovers(written_chapters):
    written_chapters(93, "import no_such_package_here\n" + textwrap.dedent(ONE).format(93))
    verdict = check("93.2", 1)
    assert verdict.status is Status.CANNOT_CHECK
    assert "no_such_package_here" in verdict.reason
    assert "do not load" in repr(progress(93))
    with pytest.raises(ModuleNotFoundError):
        exercises_of(93)
    written_chapters(93, ONE.format(93))
    assert check("93.2", 1)


def test_the_authors_slips_are_told():
    with pytest.raises(ValueError, match=r"1\.2"):
        exercise("first", hints=("h",), typical_mistake="")
    with pytest.raises(ValueError, match="tuple"):
        exercise("77.5", hints="not a tuple", typical_mistake="")
    with pytest.raises(ValueError, match="twice"):
        exercise("77.1", hints=("h",), typical_mistake="")(lambda answer: True)


def test_chapter_1_registers():
    assert all(exercise.chapter == 1 for exercise in exercises_of(1))
