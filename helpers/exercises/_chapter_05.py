"""The exercises of chapter 5, Wide-column databases."""

from __future__ import annotations

from collections.abc import Callable

from . import exercise, items, show, works_like

_COLUMNS = ("id", "song_id", "listener", "day", "at", "seconds")


@exercise(
    "5.1",
    hints=(
        "In the partition key stands what the question always names. It names two things.",
        "Among the clustering columns comes first what the rows are sorted by, and last what makes each row different from every other.",
    ),
    typical_mistake=(
        'check("5.1", {"partition": ["song_id"], "clustering": ["day", "at"]})'  # no id
    ),
    why="Equality goes into the partition key, order into the clustering columns, and the id keeps two rows apart.",
)
def a_key_for_a_question(answer: dict):
    if set(answer) != {"partition", "clustering"}:
        return "The dictionary has the two keys partition and clustering, and no other."
    for name, columns in answer.items():
        if not isinstance(columns, list | tuple):
            return f"{name} is a list of names of columns, not {show(columns)}."
        for column in columns:
            if column not in _COLUMNS:
                return f"{show(column)} is no column. There are {', '.join(_COLUMNS)}."
    partition, clustering = list(answer["partition"]), list(answer["clustering"])
    if len({*partition, *clustering}) < len(partition + clustering):
        return "A column stands there twice."
    if not partition:
        return "Without a partition key Cassandra does not know which node the row belongs to."
    if "song_id" not in partition:
        return "song_id has to be in the partition key: the question always names the song."
    if "at" in partition:
        return "With `at` in the partition key each moment is a partition of its own, and nothing is sorted."
    for column in partition:
        if column not in ("song_id", "day"):
            return (
                f"The question does not name a {column}, so Cassandra could not find the partition."
            )
    if "day" not in partition:
        return "A song that is played for years has one partition that grows and grows. Use the day, too: the question names it."
    if not clustering or clustering[0] != "at":
        return "The rows are wanted in the order of time, so `at` has to be the first clustering column."
    if "id" not in clustering and "listener" in clustering:
        return "The same listener can start the song twice in the same millisecond, on two devices: the second row would overwrite the first."
    if "id" not in clustering:
        return "Two listeners can start the song in the same millisecond: the second row would overwrite the first."
    return None


@exercise(
    "5.2",
    hints=(
        "The w nodes that have the value and the r nodes that are asked: when do they surely have one in common?",
        "They have one in common if r + w is greater than n. Which is the least such r?",
    ),
    typical_mistake=('def least_read(n, w):\n    return n - w\ncheck("5.2", least_read)'),
    why="With one replica more than those that may have missed the write, at least one of them has it.",
)
def enough_to_be_sure(answer: Callable):
    return works_like(
        answer, [((3, 2), 2), ((3, 1), 3), ((3, 3), 1), ((5, 3), 3), ((5, 1), 5), ((1, 1), 1)]
    )


@exercise(
    "5.3",
    hints=(
        "A dictionary does it: first the older run, then the newer one over it. Sort at the end.",
        "In `dict(a) | dict(b)`, which of the two wins for a key that is in both?",
    ),
    typical_mistake=(
        "def merge(newer, older):\n"
        "    both = dict(older) | dict(newer)\n"
        "    return [(k, v) for k, v in sorted(both.items()) if v is not None]\n"
        'check("5.3", merge)'
    ),
    why="A tombstone may go only when no older run is left that it could have to cover.",
)
def merge_two_runs(answer: Callable):
    cases = [
        (([("a", "1")], [("b", "2")]), [("a", "1"), ("b", "2")]),
        (([("b", "new")], [("a", "1"), ("b", "old")]), [("a", "1"), ("b", "new")]),
        (([("a", "new"), ("c", "3")], [("a", "old")]), [("a", "new"), ("c", "3")]),
        (([], [("a", "1")]), [("a", "1")]),
        (([("a", "1")], []), [("a", "1")]),
        (([], []), []),
        (([("a", "1")], [("a", None), ("b", "2")]), [("a", "1"), ("b", "2")]),
        (([("a", None)], [("a", "1"), ("b", "2")]), [("a", None), ("b", "2")]),
        (([("d", None)], [("b", "2")]), [("b", "2"), ("d", None)]),
    ]
    complaint = works_like(answer, cases)
    if complaint:
        try:
            lost = list(answer([("a", None)], [("b", "2")])) == [("b", "2")]
        except Exception:
            lost = False
        if lost:
            return (
                "Your function drops tombstones. A third, older run may still have the key, and "
                "the song would come back from the dead."
            )
    return complaint


@exercise(
    "5.4",
    hints=(
        "First compare the timestamps. Only if they are equal, look at the values.",
        "`max` takes a key. If the key is a tuple, its first items are compared first; `value is None` can be one of them.",
    ),
    typical_mistake=(
        "def winner(versions):\n"
        "    return max(versions, key=lambda version: version[0])[1]\n"
        'check("5.4", winner)'
    ),
    why="What the rule is matters less than that all replicas decide the same, in whatever order the versions reach them.",
)
def the_last_write(answer: Callable):
    return works_like(
        answer,
        [
            (([(5, "blue")],), "blue"),
            (([(5, "blue"), (7, "green")],), "green"),
            (([(7, "green"), (5, "blue")],), "green"),
            (([(5, "blue"), (7, None)],), None),
            (([(7, None), (9, "red")],), "red"),
            (([(5, "blue"), (5, "green")],), "green"),
            (([(5, "green"), (5, "blue")],), "green"),
            (([(5, "green"), (5, None)],), None),
            (([(5, None), (5, "green")],), None),
            (([(3, "zoo"), (5, "blue"), (5, "ant")],), "blue"),
        ],
    )


@exercise(
    "5.5",
    hints=(
        "Each needs the whole partition key, and of the clustering columns a piece from the left, without a gap.",
        "Four of the seven. A range is allowed on the last column that you name; the order may be turned round.",
    ),
    typical_mistake='check("5.5", {"a", "b", "c", "e"})',
    why="The rows of a partition are one sorted list: Cassandra answers what is one piece of it.",
)
def what_the_table_answers(answer: set):
    reasons = {
        "b": "b names no listener: Cassandra would have to look into every partition.",
        "d": "d jumps over `at`: rows with this id may be anywhere in the partition.",
        "g": "g wants an order that the partition does not have: it is sorted by `at` first.",
    }
    return items(answer, {"a", "c", "e", "f"}, ignore_case=True, instead=reasons)


@exercise(
    "5.6",
    hints=(
        "Find the first token that is not less than the key's, and walk on from there. After the last comes the first.",
        "Collect names until you have enough, and pass over a node that you have already.",
    ),
    typical_mistake=(
        "def replicas(tokens, token, count):\n"
        "    behind = [node for place, node in tokens if place >= token]\n"
        "    return (behind + [node for _, node in tokens])[:count]\n"
        'check("5.6", replicas)'
    ),
    why="Two copies on one node would die together, so the walk passes over a node that has one.",
)
def who_keeps_it(answer: Callable):
    ring = [(-80, "a"), (-50, "b"), (-10, "b"), (0, "c"), (40, "a"), (70, "d")]
    plain = [(-50, "a"), (0, "b"), (50, "c")]
    return works_like(
        answer,
        [
            ((plain, -20, 1), ["b"]),
            ((plain, -20, 2), ["b", "c"]),
            ((plain, 20, 3), ["c", "a", "b"]),
            ((plain, 0, 1), ["b"]),
            ((plain, 60, 2), ["a", "b"]),
            ((plain, -90, 1), ["a"]),
            ((ring, -60, 2), ["b", "c"]),
            ((ring, 10, 3), ["a", "d", "b"]),
            ((ring, 60, 4), ["d", "a", "b", "c"]),
            ((ring, 99, 3), ["a", "b", "c"]),
        ],
    )


@exercise(
    "5.7",
    hints=(
        "Imagine each statement done twice, one after the other. Is the table the same as after once?",
        "Those that say what the value *is* may be sent again. Those that say how it *changes* may not.",
    ),
    typical_mistake='check("5.7", {"a", "c", "e", "f"})',
    why="An answer that got lost looks like a write that got lost. So write in a way that may be repeated.",
)
def safe_to_send_again(answer: set):
    reasons = {
        "b": "b adds 1 each time: the second time it counts a play that never was.",
        "e": "e appends to a list: the tag would be there twice. A set has it once.",
    }
    return items(answer, {"a", "c", "d", "f"}, ignore_case=True, instead=reasons)
