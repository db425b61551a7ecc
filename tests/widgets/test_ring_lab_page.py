"""The ring lab in Chromium: what the reader sees, hears and can do with the keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from helpers.stores import Cluster
from helpers.widgets import RingLab
from tests.widgets.stage import field, press, status, write_stage

KEY = "fur-elise"
REPLICAS = Cluster(tokens_per_node=3).replicas(KEY)
OTHERS = [name for name in "abcde" if name not in REPLICAS]
WELCOME = "Write a value. Then stop a node or cut the network, and write and read again."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stage(tmp_path_factory.mktemp("page"), RingLab(), ("settings",))


@pytest.fixture
def shown(open_page: Any) -> Any:
    """With no motion: what happens is there at once."""
    open_page.emulate_media(reduced_motion="reduce")
    show(open_page)
    return open_page


def show(page: Any) -> None:
    page.evaluate("void (window.one = show())")
    page.locator(".rl-node").first.wait_for()


def log(page: Any) -> list[str]:
    """The sentences of the log, without their times."""
    lines = page.locator(".rl-log li").all_text_contents()
    return [re.sub(r"^(\d+ d )?\d\d:\d\d:\d\d ", "", line) for line in lines]


def drawn(page: Any, name: str) -> str:
    """What the picture says below a node."""
    return "".join(page.locator(f"[data-node={name}] .rl-kept").all_text_contents())


def card(page: Any, name: str) -> str:
    return page.locator(".rl-card", has_text=f"Node {name}").locator(".rl-state").text_content()


def write(page: Any, value: str, at: str = "a") -> None:
    field(page, "Coordinator").select_option(at)
    field(page, "Value").fill(value)
    press(page, "Write")


def settle(page: Any) -> None:
    """Until all messages have arrived."""
    page.clock.run_for(6000)


def test_it_waits_for_the_reader(shown: Any) -> None:
    shown.clock.run_for(3000)
    assert status(shown) == WELCOME
    assert log(shown) == []
    assert shown.locator(".rl-clock").text_content() == "Time: 00:00:00"
    assert [drawn(shown, name) for name in "abcde"] == [
        "nothing" if name in REPLICAS else "" for name in "abcde"
    ]


def test_the_replicas_are_those_of_the_ring(shown: Any) -> None:
    places = {
        name: "".join(shown.locator(f"[data-node={name}] .rl-place").all_text_contents())
        for name in "abcde"
    }
    assert places == {
        name: str(REPLICAS.index(name) + 1) if name in REPLICAS else "" for name in "abcde"
    }
    assert sorted(shown.locator(".rl-token.rl-mine").all_text_contents()) == sorted(REPLICAS)
    assert shown.locator(".rl-tick").count() == 15
    field(shown, "Key").fill("clair-de-lune")
    found = Cluster(tokens_per_node=3).replicas("clair-de-lune")
    assert sorted(shown.locator(".rl-token.rl-mine").all_text_contents()) == sorted(found)


def test_a_write_with_a_node_stopped_is_told_in_sentences(shown: Any) -> None:
    first, second, third = REPLICAS
    press(shown, f"Stop {third}")
    assert status(shown) == f"{third} stops."
    write(shown, "blue", first)
    assert status(shown) == (
        f"{third} did not answer; {first} keeps a hint for it. "
        f"{first} answers: done. 2 of 3 replicas have answered, and QUORUM needs 2."
    )
    assert log(shown)[1:] == [
        f'The client asks {first} to write "blue" under "{KEY}", at QUORUM.',
        f'{first} stores "blue" (timestamp 1).',
        f'{first} sends it to {second}. {second} stores "blue" (timestamp 1).',
        f"{third} did not answer; {first} keeps a hint for it.",
        f"{first} answers: done. 2 of 3 replicas have answered, and QUORUM needs 2.",
    ]
    assert [drawn(shown, name) for name in REPLICAS] == ["blue", "blue", "nothing"]
    assert shown.locator(f"[data-node={first}] .rl-count").text_content() == "1"
    assert f"keeps 1 hint for {third}" in card(shown, first)
    press(shown, f"Start {third}")
    assert status(shown).endswith(
        f'Hint: {first} sends it to {third}. {third} stores "blue" (timestamp 1).'
    )
    assert drawn(shown, third) == "blue"
    assert shown.locator(".rl-hints").count() == 0


def test_messages_travel_and_the_picture_follows_them(open_page: Any) -> None:
    show(open_page)
    write(open_page, "blue", OTHERS[0])
    place = "e => e.getAttribute('transform')"
    seen = []
    for _ in range(3):
        open_page.clock.run_for(150)
        seen.append(open_page.locator(".rl-dot").evaluate(place))
    assert len(set(seen)) == 3, "the question is on its way"
    assert log(open_page) == [
        f'The client asks {OTHERS[0]} to write "blue" under "{KEY}", at QUORUM.'
    ]
    assert status(open_page) == WELCOME
    open_page.clock.run_for(650)
    assert open_page.locator(".rl-dot.rl-is-write").count() == 3
    assert drawn(open_page, REPLICAS[0]) == "nothing", "not before it has arrived"
    settle(open_page)
    assert open_page.locator(".rl-dot").count() == 0
    assert drawn(open_page, REPLICAS[0]) == "blue"
    assert status(open_page).startswith(f"{OTHERS[0]} answers: done.")


def test_the_next_command_does_not_wait_and_loses_nothing(open_page: Any) -> None:
    show(open_page)
    write(open_page, "blue")
    open_page.clock.run_for(100)
    press(open_page, "Read")
    press(open_page, "Read")
    settle(open_page)
    said = log(open_page)
    assert [line[:12] for line in said].count("The client a") == 3
    assert said[-1] == f'a answers: under "{KEY}", "blue".'


def test_nothing_moves_for_who_wants_no_motion(shown: Any) -> None:
    write(shown, "blue", OTHERS[0])
    assert shown.locator(".rl-dot").count() == 0
    assert len(log(shown)) == 5
    assert shown.evaluate("document.getAnimations().length") == 0


def test_a_cut_makes_two_truths_and_the_later_one_wins(shown: Any) -> None:
    first, second, third = REPLICAS
    for name in ("Write level", "Read level"):
        field(shown, name).select_option("ONE")
    assert "1 + 1 is not more than 3" in shown.locator(".rl-means").text_content()
    field(shown, f"Node {third} Beyond the cut").check()
    assert status(shown).endswith(f"| {third}.")
    assert shown.locator(f"[data-node={third}] rect.rl-disc").count() == 1
    write(shown, "here", first)
    write(shown, "there", third)
    assert [drawn(shown, name) for name in REPLICAS] == ["here", "here", "there"]
    press(shown, "Heal the network")
    assert [drawn(shown, name) for name in REPLICAS] == ["there"] * 3
    assert shown.get_by_role("button", name="Heal the network").is_disabled()
    assert shown.evaluate("document.activeElement.textContent") == "Repair", "the focus is not lost"
    assert 'has "there" (timestamp 2)' in card(shown, second)


def test_a_quorum_is_refused_on_the_smaller_side(shown: Any) -> None:
    first, _, third = REPLICAS
    field(shown, f"Node {third} Beyond the cut").check()
    write(shown, "blue", third)
    assert status(shown) == (
        f"{third} answers: unavailable. QUORUM needs 2 of the replicas {', '.join(REPLICAS)}, and "
        f"{third} reaches 1. Nothing is done."
    )
    write(shown, "blue", first)
    assert drawn(shown, first) == "blue"
    field(shown, f"Node {third} Beyond the cut").uncheck()
    assert status(shown).startswith("The network is whole again. Hint: ")


def test_all_nodes_beyond_the_cut_is_no_cut(shown: Any) -> None:
    for name in "abcde":
        field(shown, f"Node {name} Beyond the cut").click()
    assert status(shown) == "The network is whole again."
    assert shown.locator(":checked[id*=beyond]").count() == 0


def test_an_older_write_wins_by_a_clock_that_is_ahead(shown: Any) -> None:
    field(shown, "Clock of a").fill("60")
    assert status(shown) == "The clock of a is 1 minute ahead."
    assert field(shown, "Clock of a").get_attribute("aria-valuetext") == "1 minute ahead"
    assert shown.locator("[data-node=a] .rl-offset").text_content() == "+60 s"
    write(shown, "older", "a")
    write(shown, "newer", "b")
    press(shown, "Read")
    assert status(shown) == f'b answers: under "{KEY}", "older".'


def test_read_repair_can_be_watched_and_switched_off(shown: Any) -> None:
    first, _, third = REPLICAS
    field(shown, "Hinted handoff").uncheck()
    press(shown, f"Stop {third}")
    write(shown, "blue", first)
    assert "hinted handoff is off" in status(shown)
    press(shown, f"Start {third}")
    field(shown, "Read repair").uncheck()
    field(shown, "Coordinator").select_option(third)
    press(shown, "Read")
    assert status(shown).startswith('The replicas differ: "blue" (timestamp 1) wins.')
    assert drawn(shown, third) == "nothing"
    field(shown, "Read repair").check()
    press(shown, "Read")
    assert f'Read repair: {third} stores "blue"' in status(shown)
    assert drawn(shown, third) == "blue"


def test_a_deleted_value_comes_back_if_the_repair_is_too_late(shown: Any) -> None:
    first, _, third = REPLICAS
    write(shown, "blue", first)
    press(shown, f"Stop {third}")
    press(shown, "4 hours pass")
    press(shown, "Delete")
    assert "away for more than 3 hours" in status(shown)
    assert [drawn(shown, name) for name in REPLICAS] == ["deleted", "deleted", "blue"]
    press(shown, "11 days pass")
    assert "drops its tombstone" in status(shown)
    press(shown, f"Start {third}")
    press(shown, "Repair")
    assert [drawn(shown, name) for name in REPLICAS] == ["blue"] * 3
    assert shown.locator(".rl-clock").text_content() == "Time: 11 d 04:00:02"
    press(shown, "Start again")
    assert status(shown) == "Back at the start: nothing is stored, all nodes run."
    assert (log(shown), drawn(shown, first)) == ([], "nothing")


def test_a_node_in_the_picture_can_be_clicked(shown: Any) -> None:
    shown.locator("[data-node=c]").click()
    assert status(shown) == "c stops."
    assert shown.locator("[data-node=c].rl-down .rl-cross").count() == 1
    assert card(shown, "c").startswith("Stopped; ")
    write(shown, "blue", "c")
    assert status(shown) == "c is stopped: nobody answers the client."
    shown.locator("[data-node=c]").click()
    assert status(shown).startswith("c starts again")


def test_the_replication_factor_and_the_tokens(shown: Any) -> None:
    write(shown, "blue")
    field(shown, "Replication factor").fill("5")
    assert status(shown) == "From now on 5 nodes keep each key."
    assert [drawn(shown, name) for name in OTHERS] == ["nothing"] * 2
    press(shown, "Repair")
    assert [drawn(shown, name) for name in "abcde"] == ["blue"] * 5
    field(shown, "Tokens of each node").fill("8")
    assert status(shown) == "This is another ring: it begins anew, with nothing stored."
    assert shown.locator(".rl-tick").count() == 40
    assert shown.evaluate("one.model.get('settings').replication") == 5
    assert shown.evaluate("one.model.saved") >= 2


def test_without_a_key_nothing_is_asked(shown: Any) -> None:
    field(shown, "Key").fill("")
    for name in ("Write", "Read", "Delete"):
        press(shown, name)
        assert status(shown) == "The key is empty. Give it a name, such as fur-elise."
        assert shown.evaluate("document.activeElement.labels[0].textContent") == "Key"
    assert log(shown) == []


def test_what_looks_like_html_stays_text(shown: Any) -> None:
    field(shown, "Key").fill("<b>key</b>")
    write(shown, "<img src=x onerror=alert(1)>")
    press(shown, "Read")
    assert status(shown) == 'a answers: under "<b>key</b>", "<img src=x onerror=alert(1)>".'
    assert shown.locator("img, b").count() == 0


def test_enter_writes_and_a_notebook_gets_no_keys(shown: Any) -> None:
    shown.evaluate("""() => {
      window.taken = [];
      document.querySelector("main").addEventListener("keydown", (e) => taken.push(e.key));
    }""")
    field(shown, "Value").fill("green")
    field(shown, "Value").press("Enter")
    assert "answers: done" in status(shown)
    for key in ("d", "ArrowDown", "Escape"):
        shown.keyboard.press(key)
    assert shown.evaluate("taken") == []
    assert shown.locator(".ring-lab").get_attribute("data-lm-suppress-shortcuts") == "true"


def test_what_python_sets_is_seen(shown: Any) -> None:
    shown.evaluate("one.model.set('settings', { ...one.model.get('settings'), read_level: 'ALL' })")
    assert field(shown, "Read level").input_value() == "ALL"
    assert "2 + 3 is more than 3" in shown.locator(".rl-means").text_content()
    shown.evaluate(
        "one.model.set('settings', { ...one.model.get('settings'), nodes: 3, key: 'waltz' })"
    )
    assert shown.locator(".rl-card").count() == shown.locator(".rl-node").count() == 3
    assert field(shown, "Key").input_value() == "waltz"
    assert field(shown, "Replication factor").get_attribute("max") == "3"


def test_two_widgets_share_nothing(shown: Any) -> None:
    shown.evaluate("void show()")
    ids = shown.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 20
    first, second = shown.locator("main > div").first, shown.locator("main > div").last
    first.get_by_role("button", name="Write").click()
    assert first.locator(".rl-log li").count() == 5
    assert second.locator(".rl-log li").count() == 0


def test_all_stops_when_the_widget_goes(open_page: Any) -> None:
    show(open_page)
    write(open_page, "blue")
    open_page.clock.run_for(100)
    open_page.evaluate("window.dots = one.el.querySelector('.rl-dots'); one.cleanup()")
    open_page.clock.run_for(3000)
    assert open_page.evaluate("dots.childElementCount") == 0
    assert open_page.evaluate("[one.listeners.length, one.el.childElementCount]") == [0, 0]


def test_the_log_does_not_grow_for_ever(shown: Any) -> None:
    for _ in range(30):
        press(shown, "Read")
    assert len(log(shown)) == 80
