"""A store beside two dictionaries: whatever is done to both, they say the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from helpers.music import Listen
from tests.stores.engines import Engine, counted

SEARCHED = ("id", "title", "composer", "year", "key", "tempo", "genre")
# few texts, so that songs meet; some are what an engine might take for its own language
words = st.sampled_from(["a", "b", "B", "ab", "a'; --", '$"a', "%s", "ä", "\U0001f3b9", "a\nb"])
texts = words | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)  # fmt: skip
numbers = st.sampled_from([-5, 0, 1, 1810]) | st.integers(-(2**31), 2**31 - 1)
notes = st.fixed_dictionaries(
    {
        "pitch": st.none() | texts,
        "beats": st.floats(0, 1e6, exclude_min=True) | st.integers(1, 1_000_000),
    }
)
songs = st.fixed_dictionaries(
    {
        "id": words,
        "title": texts,
        "composer": words,
        "year": numbers,
        "key": texts,
        "tempo": numbers,
        "genre": texts,
        "melody": st.lists(notes, max_size=4),
    }
)
moments = st.integers(-(2**40), 2**44).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)


def model_of(engine: Engine) -> type[RuleBasedStateMachine]:
    """A state machine over stores of this engine."""

    class Beside(RuleBasedStateMachine):
        known = Bundle("known")

        @initialize()
        def start(self) -> None:
            self.store = engine.fresh()
            self.songs: dict[str, dict] = {}
            self.listens: dict[int, Listen] = {}

        @rule(some=st.lists(songs, min_size=1, max_size=3))
        def add(self, some: list[dict]) -> None:
            self.store.add(*some)
            self.songs.update({one["id"]: one for one in some})

        @rule(song_id=words)
        def get(self, song_id: str) -> None:
            assert self.store.get(song_id) == self.songs.get(song_id)

        @rule(names=st.sets(st.sampled_from(SEARCHED), max_size=2), like=songs)
        def find(self, names: set[str], like: dict) -> None:
            # look for what is there, if anything is: values by chance would hardly meet
            like = self.songs.get(like["id"], like)
            wanted = {name: like[name] for name in names}
            matching = [
                one
                for _, one in sorted(self.songs.items())
                if all(one[name] == value for name, value in wanted.items())
            ]
            assert self.store.find(**wanted) == matching

        @rule(
            target=known,
            ids=st.lists(st.integers(0, 60) | st.integers(0, 2**63 - 1), max_size=6),
            song_id=words,
            listener=texts,
            at=moments,
            seconds=st.integers(0, 2**31 - 1),
        )
        def record(self, ids, song_id, listener, at, seconds) -> list[Listen]:
            new = [n for n in dict.fromkeys(ids) if n not in self.listens]
            fresh = [Listen(number, listener, song_id, at, seconds) for number in new]
            self.store.record(*fresh)
            self.listens.update({one.id: one for one in fresh})
            return fresh

        @rule(first=known, second=known)
        def record_again(self, first: list[Listen], second: list[Listen]) -> None:
            self.store.record(*first, *second, *first)

        @rule(song_id=words)
        def plays(self, song_id: str) -> None:
            count = sum(one.song_id == song_id for one in self.listens.values())
            assert self.store.plays(song_id) == count

        @rule(count=st.integers(0, 12))
        def top(self, count: int) -> None:
            assert self.store.top(count) == counted(list(self.listens.values()))[:count]

        @rule()
        def close_and_open(self) -> None:
            self.store.close()
            self.store = engine.again()

        @invariant()
        def nothing_else_is_stored(self) -> None:
            if hasattr(self, "store") and not engine.slow:
                self._compare()

        def teardown(self) -> None:
            if hasattr(self, "store"):
                self._compare()
                self.store.close()

        def _compare(self) -> None:
            mine = sorted(self.listens.values(), key=lambda one: one.id)
            assert engine.recorded(self.store) == mine

    return Beside
