"""Widgets in the page's kernel: what they send is what ipykernel sends, and callbacks answer."""

from __future__ import annotations

import re

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.live_book.test_page_kernel import outputs_of, run_in_page

COUNTER = """
import anywidget, asyncio, traitlets

class Counter(anywidget.AnyWidget):
    _esm = "export default { render() {} }"
    count = traitlets.Int(3).tag(sync=True)
    data = traitlets.Any(b"abc").tag(sync=True)

counter = Counter()
counter
"""
VIEW = "application/vnd.jupyter.widget-view+json"


def comms(messages):
    return [one for one in messages if one["type"] == "comm"]


def update(**state):
    return {"data": {"method": "update", "state": state, "buffer_paths": []}}


def test_a_widget_opens_its_comms_and_shows_a_view_as_with_ipykernel():
    notebook = NotebookClient(new_notebook(cells=[new_code_cell(COUNTER)]), timeout=60).execute()
    (truth,) = notebook.cells[0].outputs
    states = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]

    messages = run_in_page([COUNTER])
    opened = [one["message"] for one in comms(messages)]
    assert {one["msg_type"] for one in opened} == {"comm_open"}
    assert {one["target_name"] for one in opened} == {"jupyter.widget"}
    assert sorted(one["data"]["state"]["_model_name"] for one in opened) == sorted(
        one["model_name"] for one in states.values()
    )
    (shown,) = outputs_of(messages, "cell 1")
    assert shown["data"][VIEW]["model_id"] == opened[-1]["comm_id"]
    assert set(shown["data"]) == set(truth["data"])
    plain = shown["data"]["text/plain"]
    assert re.sub(r"0x\w+", "", plain) == re.sub(r"0x\w+", "", truth["data"]["text/plain"])
    assert comms(messages)[-1]["buffers"] == [b"abc".hex()]
    assert comms(messages)[-1]["cell"] == "cell 1"


def test_a_change_in_the_page_reaches_observers_and_they_print_in_the_widgets_cell():
    observe = "counter.observe(lambda change: print('now', change.new), 'count')"
    messages = run_in_page([COUNTER, observe, update(count=8), "counter.count"])
    assert outputs_of(messages, "cell 4")[0]["data"]["text/plain"] == "8"
    assert outputs_of(messages, "cell 1")[-1]["text"] == "now 8\n"


def test_bytes_travel_both_ways_beside_the_message():
    message = {"data": {"method": "update", "state": {}, "buffer_paths": [["data"]]}}
    messages = run_in_page([COUNTER, {**message, "buffers": ["00ff"]}, "bytes(counter.data)"])
    assert outputs_of(messages, "cell 3")[0]["data"]["text/plain"] == r"b'\x00\xff'"


def test_an_error_in_a_callback_is_shown_in_the_widgets_cell():
    observe = "counter.observe(lambda change: 1 / 0, 'count')"
    messages = run_in_page([COUNTER, observe, update(count=8), "'alive'"])
    error = outputs_of(messages, "cell 1")[-1]
    assert error["ename"] == "ZeroDivisionError"
    assert outputs_of(messages, "cell 4")[0]["data"]["text/plain"] == "'alive'"


def test_a_task_that_a_callback_starts_prints_in_the_widgets_cell():
    observe = (
        "async def answer(change):\n    await asyncio.sleep(0)\n    print('later', change.new)\n"
        "def start(change):\n    global task\n    task = asyncio.create_task(answer(change))\n"
        "counter.observe(start, 'count')"
    )
    messages = run_in_page([COUNTER, observe, update(count=8), "await task"])
    assert outputs_of(messages, "cell 1")[-1]["text"] == "later 8\n"
    assert outputs_of(messages, "cell 4") == []


def test_a_command_of_an_anywidget_answers():
    widget = COUNTER.replace("counter = ", "Counter.double = None\ncounter = ").replace(
        "class Counter(",
        "from anywidget.experimental import command\n\nclass Base:\n    @command\n"
        "    def twice(self, number, buffers):\n        return number * 2, [b'ok']\n\n"
        "class Counter(Base, ",
    )
    custom = {
        "method": "custom",
        "content": {"id": "1", "kind": "anywidget-command", "name": "twice", "msg": 21},
    }
    messages = run_in_page([widget, {"data": custom}])
    answer = comms(messages)[-1]
    assert answer["message"]["data"]["content"] == {
        "id": "1",
        "kind": "anywidget-command-response",
        "response": 42,
    }
    assert answer["buffers"] == [b"ok".hex()]
