"""Databases, seen from a notebook: what they answer, how they work, and what goes wrong in them.

For the relational chapter: ``table`` shows what a query gave, ``steps`` and ``listen_to`` watch
SQLite at work, ``IndexTree`` draws an index, ``kill_after`` ends a writer in the middle, and a
``Duet`` is two connections to PostgreSQL that get in each other's way.

For the document chapter: ``plan_of`` and ``said`` read what a server answers.

For all three: the same catalogue behind five engines. ``SqliteStore``, ``PostgresStore``,
``MongoStore``, ``LsmStore`` and ``CassandraStore`` keep the contract that ``Store`` writes down,
and ``load`` fills any of them. Each imports its engine's client when one is made, so that a page
in the browser, which has only SQLite, can import this package.

For the wide-column chapter: a ``Ring`` says which nodes keep a key, and a ``Cluster`` simulates the
nodes, with a network that can be cut; it raises ``Unavailable``. ``TinyLsm`` is a log-structured
merge tree to read, with its ``Bloom`` filter, and ``LsmTree`` is RocksDB with its lid off.
"""

from ._cassandra import CassandraStore
from ._cluster import Cluster
from ._documents import plan_of, said
from ._duet import Duet, Voice
from ._load import load
from ._lsm import LsmStore
from ._lsm_tree import LsmTree, SSTable
from ._mongo import MongoStore
from ._postgres import PostgresStore
from ._relational import Rows, kill_after, listen_to, steps, table
from ._replicas import Unavailable
from ._ring import Ring
from ._sqlite import SqliteStore
from ._store import Store, StoreError
from ._tiny_lsm import Bloom, RunInfo, TinyLsm
from ._tree_picture import IndexTree

__all__ = [
    "Bloom",
    "CassandraStore",
    "Cluster",
    "Duet",
    "IndexTree",
    "LsmStore",
    "LsmTree",
    "MongoStore",
    "PostgresStore",
    "Ring",
    "Rows",
    "RunInfo",
    "SSTable",
    "SqliteStore",
    "Store",
    "StoreError",
    "TinyLsm",
    "Unavailable",
    "Voice",
    "kill_after",
    "listen_to",
    "load",
    "plan_of",
    "said",
    "steps",
    "table",
]
