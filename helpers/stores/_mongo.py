"""The catalogue in a server that speaks MongoDB's protocol: a song is a document, as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..music import Listen
from ._engine import Engine, client

_DATABASE = "store"
_PATIENCE = 10_000  # milliseconds for a server to answer
_BATCH = 50  # songs in a command: FerretDB 1.24 does not answer one with more than about 100
_DUPLICATE = 11_000  # MongoDB's number for "this _id is there already"


class MongoStore(Engine):
    """The catalogue in MongoDB, or in FerretDB, in a database of its own named ``store``.

    A song is one document and a listen is one document: each is there whole or not at all, also
    after kill -9 of the client or of the server, because a write to one document is atomic
    (MongoDB manual, "Atomicity and Transactions"). Its index entries come and go with it. A call
    with many is not all or nothing: if it fails, some are stored and some are not. Send the same
    again; each listen counts once.

    Writes are asked for with ``w=1, j=True``: one server acknowledges when the write is in the
    journal on its disk (MongoDB manual, "Write Concern"). FerretDB accepts this and leaves it to
    SQLite, which it runs in WAL mode.

    `find` sends a dictionary of values that were checked to be text or whole numbers; an operator
    such as ``{"$ne": None}`` is refused before. Several threads may use one store.

    Attributes:
        database: the ``pymongo.database.Database``, for questions of your own.
    """

    _name = "MongoDB"

    def __init__(self, url: str) -> None:
        """Connect, and make the indexes if they are not there.

        Args:
            url: such as ``mongodb.url``.

        Raises:
            StoreError: no server answers.
        """
        if not isinstance(url, str):
            raise TypeError(f"url is the text of an address, such as mongodb.url, not {url!r}.")
        self._pymongo = client("pymongo", "pymongo")
        bson = client("bson.errors", "pymongo")
        self._errors = (self._pymongo.errors.PyMongoError, bson.BSONError)
        with self._told():
            self._client = self._pymongo.MongoClient(
                url, tz_aware=True, w=1, journal=True, serverSelectionTimeoutMS=_PATIENCE
            )
            try:
                self._most = self._client.admin.command("hello")["maxBsonObjectSize"]
                self.database = self._client[_DATABASE]
                self._songs, self._listens = self.database["songs"], self.database["listens"]
                self._songs.create_index("composer")
                self._listens.create_index("song_id")
            except BaseException:
                self._client.close()
                raise

    def _explain(self, error: BaseException) -> str | None:
        errors = self._pymongo.errors
        if isinstance(error, errors.DocumentTooLarge) or "too large" in str(error):
            return (
                "The song is too large: a document of MongoDB has 16 MB (16,777,216 bytes) at most."
            )
        if isinstance(error, errors.ConnectionFailure):
            return "The server does not answer: it was stopped, killed, or never started."
        if isinstance(error, errors.InvalidURI | errors.ConfigurationError):
            return "The URL is not one that MongoDB's client understands."
        return None

    def _add(self, documents: Sequence[dict[str, Any]]) -> None:
        for one in documents:
            self._refuse_giant(one)
        replace = self._pymongo.ReplaceOne
        for first in range(0, len(documents), _BATCH):
            self._songs.bulk_write(
                [
                    replace(
                        {"_id": one["id"]}, {"_id": one["id"], **_without(one, "id")}, upsert=True
                    )
                    for one in documents[first : first + _BATCH]
                ]
            )

    def _refuse_giant(self, document: dict[str, Any]) -> None:
        """The driver looks at the size of what it inserts, not of what it puts in a place."""
        import bson

        size = len(bson.encode(document))
        if size > self._most:
            raise self._pymongo.errors.DocumentTooLarge(
                f"BSON document too large ({size} bytes): the server takes {self._most} at most"
            )

    def _get(self, song_id: str) -> dict[str, Any] | None:
        return next(iter(self._find({"id": song_id})), None)

    def _find(self, wanted: Mapping[str, str | int]) -> list[dict[str, Any]]:
        query = {"_id" if name == "id" else name: value for name, value in wanted.items()}
        return [{"id": one["_id"], **_without(one, "_id")} for one in self._songs.find(query)]

    def _record(self, listens: Sequence[Listen]) -> None:
        documents = [
            {
                "_id": one.id,
                "listener": one.listener,
                "song_id": one.song_id,
                "at": one.at,
                "seconds": one.seconds,
            }
            for one in listens
        ]
        try:
            # not ordered: the first that is there already must not keep the others out
            self._listens.insert_many(documents, ordered=False)
        except self._pymongo.errors.BulkWriteError as error:
            failed = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(
                one["code"] != _DUPLICATE for one in failed
            ):
                raise

    def _plays(self, song_id: str) -> int:
        return self._listens.count_documents({"song_id": song_id})

    def _top(self, count: int) -> list[tuple[str, int]]:
        steps = [
            {"$group": {"_id": "$song_id", "plays": {"$sum": 1}}},
            {"$sort": {"plays": -1, "_id": 1}},
            {"$limit": count},
        ]
        return [(one["_id"], one["plays"]) for one in self._listens.aggregate(steps)]

    def _close(self) -> None:
        self._client.close()


def _without(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}
