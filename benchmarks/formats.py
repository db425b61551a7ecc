"""How long a song is in nine formats, how fast each is written and read, and gRPC beside JSON.

The whole catalogue is written and read in each round, the formats in turns. Then the same question
goes to a gRPC server and to an API with JSON, again in turns.
"""

from __future__ import annotations

import gzip
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
from fastapi import FastAPI

from benchmarks import machine, median_ratio, milliseconds, seconds_of, table
from helpers import serve
from helpers.calling import MUSIC_PROTO, Tap, compile_proto
from helpers.formats import FORMATS
from helpers.music import SONGS, find_song

ROUNDS = 21
CALLS = 200  # in a round
REPORT = Path(__file__).with_suffix(".md")
BASE = "JSON"


def formats(rounds: int) -> list[list[str]]:
    """Rows: a format's bytes, with gzip, and its times for writing and reading the catalogue."""
    written = {name: [form.encode(song) for song in SONGS] for name, form in FORMATS.items()}
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in FORMATS}
    for _ in range(rounds):
        for name, form in FORMATS.items():
            writing, reading = times[name]
            writing.append(seconds_of(lambda form=form: [form.encode(song) for song in SONGS]))
            messages = written[name]
            reading.append(seconds_of(lambda f=form, m=messages: [f.decode(one) for one in m]))
    rows = []
    whole = sum(map(len, written[BASE]))
    for name, messages in written.items():
        raw, zipped = sum(map(len, messages)), len(gzip.compress(b"".join(messages)))
        row = [name, f"{raw:,} ({raw / whole:.2f})", f"{zipped:,} ({zipped / whole:.2f})"]
        for mine, base in zip(times[name], times[BASE], strict=True):
            ratio = median_ratio(mine, base)
            row.append(f"{ratio:.1f} ({milliseconds(statistics.median(mine))})")
        rows.append(row)
    return rows


def calls(rounds: int) -> list[list[str]]:
    """Rows: gRPC and JSON, each the time of a call and its bytes on the wire."""
    music, music_grpc = compile_proto(MUSIC_PROTO)
    song = find_song("fur elise")
    answer = {name: getattr(song, name) for name in ("id", "title", "composer", "year")}

    class Music(music_grpc.MusicServicer):
        def GetSong(self, request: Any, context: Any) -> Any:
            return music.Song(**answer)

    app = FastAPI()

    @app.get("/songs/{name}")
    async def get_song(name: str) -> dict[str, object]:
        return answer

    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    music_grpc.add_MusicServicer_to_server(Music(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with serve(app) as api, Tap(port) as grpc_tap, Tap(api.port) as json_tap:
        with (
            grpc.insecure_channel(f"127.0.0.1:{grpc_tap.port}") as channel,
            httpx.Client(base_url=f"http://127.0.0.1:{json_tap.port}") as client,
        ):
            stub, request = music_grpc.MusicStub(channel), music.GetSongRequest(name="fur elise")
            both = {
                "JSON (httpx, uvicorn, FastAPI)": (json_tap, lambda: client.get("/songs/elise")),
                "gRPC (grpcio)": (grpc_tap, lambda: stub.GetSong(request)),
            }
            times: dict[str, list[float]] = {name: [] for name in both}
            passed = {}
            for name, (tap, call) in both.items():
                call()
                passed[name] = len(tap.sent) + len(tap.received)
            for _ in range(rounds):
                for name, (_, call) in both.items():
                    times[name].append(seconds_of(lambda c=call: [c() for _ in range(CALLS)]))
            rows = []
            base = times[next(iter(both))]
            for name, (tap, _) in both.items():
                ratio = median_ratio(times[name], base)
                one = statistics.median(times[name]) / CALLS
                size = (len(tap.sent) + len(tap.received) - passed[name]) / (rounds * CALLS)
                rows.append([name, f"{ratio:.2f} ({milliseconds(one)})", f"{size:.0f}"])
    server.stop(grace=None).wait()
    return rows


def main(rounds: int = ROUNDS) -> None:
    """Measure, write formats.md, print it."""
    where = machine()
    parts = [
        "# formats: one catalogue in nine formats, and one question over gRPC and JSON\n",
        f"{where} {rounds} rounds, in turns. Written by `python -m benchmarks formats`.\n",
        f"{len(SONGS)} songs. Bytes, and in brackets the share of what JSON takes without gzip; how "
        "many times as long as JSON writing and reading took (median of the rounds), and the median "
        "time for all songs. Reading makes a `Song` and checks each field, which all formats pay "
        "for.\n",
        table(["", "bytes", "with gzip", "writing", "reading"], formats(rounds)),
        f"One song asked for, {CALLS} calls a round, one after the other, on a connection that "
        "stands. Each goes through a tap of ours, which costs both the same. Bytes are those of a "
        "question and its answer.\n",
        table(["", "time", "bytes a call"], calls(rounds)),
    ]
    text = "\n".join(parts)
    REPORT.write_text(text, encoding="utf-8")
    print(text)
