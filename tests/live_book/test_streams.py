"""What a cell prints is shown as it was printed, wherever the kernel cut it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_output

from live_book._streams import join_streams

words = st.text(st.sampled_from("ab \n"), max_size=30)


def stream(text: str, name: str = "stdout"):
    return new_output("stream", name=name, text=text)


@given(words, st.lists(st.integers(0, 30)))
def test_where_the_pieces_were_cut_does_not_show(text, cuts):
    places = [0, *sorted(cut for cut in cuts if cut <= len(text)), len(text)]
    pieces = [stream(text[a:b]) for a, b in pairwise(places)]
    before = [piece["text"] for piece in pieces]
    (joined,) = join_streams(pieces)
    assert joined["text"] == text.rstrip() + "\n"
    assert [piece["text"] for piece in pieces] == before


def test_other_outputs_keep_their_place():
    shown = new_output("display_data", {"text/plain": "shown"})
    joined = join_streams([stream("be"), shown, stream("fore\n")])
    assert [one["output_type"] for one in joined] == ["stream", "display_data"]
    assert joined[0]["text"] == "before\n"


def test_standard_output_comes_first():
    joined = join_streams([stream("careful\n", "stderr"), stream("done\n")])
    assert [one["name"] for one in joined] == ["stdout", "stderr"]


def test_a_line_begun_again_replaces_itself():
    (joined,) = join_streams([stream("1 %\r"), stream("50 %\r100 %\nend\r\n")])
    assert joined["text"] == "100 %\nend\n"


def test_no_output_stays_none():
    assert join_streams([]) == []
