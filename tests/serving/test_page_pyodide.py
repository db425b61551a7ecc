"""The page's own network in Pyodide itself, which here runs in Node instead of a browser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.browser_support import skip_or_fail
from tests.live_book.tiny_book import runtime_folder
from tests.serving.apps import ROOT

pytestmark = pytest.mark.slow

DRIVER = """
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [runtime, root, script, result] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.join(runtime, "pyodide.mjs")));
const pyodide = await loadPyodide({ indexURL: runtime + path.sep });
const copy = (from, to) => {
  pyodide.FS.mkdirTree(to);
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), `${to}/${entry.name}`];
    if (entry.isDirectory()) copy(source, target);
    else pyodide.FS.writeFile(target, fs.readFileSync(source));
  }
};
copy(path.join(root, "helpers"), "/checkout/helpers");
const { packages } = JSON.parse(fs.readFileSync(path.join(runtime, "manifest.json")));
const wanted = Object.keys(packages).filter((name) => name !== "backend-fundamentals");
await pyodide.loadPackage(wanted, { messageCallback: () => {} });
pyodide.runPython('import sys; sys.path.insert(0, "/checkout"); facts = {}');
await pyodide.runPythonAsync(fs.readFileSync(script, "utf8"));
fs.writeFileSync(result, pyodide.runPython("import json; json.dumps(facts)"));
process.exit();
"""


@pytest.fixture(scope="session")
def runtime() -> Path:
    """The folder with Pyodide and the wheels that the published page uses."""
    if isinstance(folder := runtime_folder(), str):
        skip_or_fail(folder)
    return folder


@pytest.fixture
def in_pyodide(runtime, tmp_path):
    """Runs a script, and returns what it put into ``facts``."""
    try:
        from live_book.runtime._node import find_node
    except ImportError:
        from shutil import which

        def find_node() -> str | None:
            return which("node")

    node = find_node()
    if node is None:
        pytest.skip("Node is not installed")

    def run(script: str) -> dict:
        driver, cell, result = (tmp_path / name for name in ("run.mjs", "cell.py", "facts.json"))
        driver.write_text(DRIVER, "utf-8")
        cell.write_text(script, "utf-8")
        command = [node, driver, runtime, ROOT, cell, result]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(result.read_text("utf-8"))

    return run


def test_the_flow_of_the_first_chapter(in_pyodide):
    facts = in_pyodide("""
import asyncio, contextlib, io
import httpx
from helpers import serve
from helpers.music import create_app, find_song, render_wav
from helpers.serving import SlowAnswer, show_exchange

api = serve(create_app())
client = httpx.AsyncClient(base_url=api.url)
response = await client.get("/play", params={"song": "fur elise"})
facts["same audio"] = response.content == render_wav(find_song("fur elise"))

closed = serve(create_app())
closed.stop()
try:
    await client.get(f"{closed.url}/songs")
except httpx.ConnectError as error:
    facts["refused"] = str(error)

with contextlib.redirect_stdout(io.StringIO()) as printed:
    show_exchange(await client.get("/songs/fur-elise"))
facts["exchange"] = printed.getvalue().replace(str(api.port), "PORT")

reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
writer.write(b"GET /songs HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n")
facts["no host"] = (await reader.read()).decode().splitlines()[0]
writer.close()

part = await client.get("/songs/fur-elise/audio", headers={"Range": "bytes=0-15"})
facts["range"] = [part.status_code, part.headers["content-range"], part.content.decode("latin-1")]

impatient = httpx.Timeout(10, read=0.2)
late = serve(SlowAnswer(create_app(), seconds=30, times=1))
listener = httpx.AsyncClient(base_url=late.url, timeout=impatient)
try:
    await listener.post("/songs/fur-elise/plays")
except httpx.ReadTimeout as error:
    facts["late"] = type(error).__name__
due = asyncio.get_running_loop().create_future()
asyncio.get_running_loop().call_at(asyncio.get_running_loop().time() - 1, due.set_result, "at once")
facts["due in the past"] = await due
facts["plays"] = (await listener.get("/songs/fur-elise/plays")).json()

answers = await asyncio.gather(*(client.get("/songs/fur-elise") for _ in range(20)))
facts["at once"] = sum(answer.status_code == 200 for answer in answers)
for server in (api, late):
    server.stop()
    server.stop()
facts["repr"] = repr(api).replace(str(api.port), "PORT")
try:
    await client.get("https://example.com")
except httpx.ConnectError as error:
    facts["internet"] = str(error)
""")
    exchange = facts.pop("exchange")
    assert exchange.startswith(
        "----- request -----\nGET /songs/fur-elise HTTP/1.1\nHost: 127.0.0.1:"
    )
    assert "\nHTTP/1.1 200 OK\ndate: " in exchange and "\nserver: uvicorn\n" in exchange
    assert facts.pop("internet").startswith("This page has no internet: ")
    assert facts.pop("range")[:2] == [206, "bytes 0-15/446334"]
    assert facts == {
        "same audio": True,
        "refused": "All connection attempts failed",
        "no host": "HTTP/1.1 400 Bad Request",
        "late": "ReadTimeout",
        "due in the past": "at once",
        "plays": {"plays": 1},
        "at once": 20,
        "repr": "<Server http://127.0.0.1:PORT (stopped)>",
    }


def test_wsgi_and_plain_functions_in_pyodide(in_pyodide):
    facts = in_pyodide("""
import asyncio
import httpx
from helpers import serve
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

def hello(environ, start_response):
    start_response("200 OK", [("X-Kind", "wsgi")])
    yield b"hello, "
    yield environ["wsgi.input"].read()

plain = FastAPI()

@plain.get("/def")
def endpoint(name: str = "nobody"):
    return {"playing": name}

@plain.get("/pieces")
def pieces():
    return StreamingResponse(f"piece {number} " for number in range(3))

async with httpx.AsyncClient() as client:
    with serve(hello) as wsgi, serve(plain) as api:
        answer = await client.post(wsgi.url, content=b"world")
        facts["wsgi"] = [answer.text, answer.headers["x-kind"]]
        url = f"{api.url}/def"
        facts["def"] = [(await client.get(url)).json() for _ in range(3)]
        facts["pieces"] = (await client.get(f"{api.url}/pieces")).text
    facts["thread"] = await asyncio.to_thread(lambda: "in line")

    starting = asyncio.Event()
    async def slow(scope, receive, send):
        if scope["type"] == "lifespan":
            await starting.wait()
        await plain(scope, receive, send)
    with serve(slow) as api:
        asked = asyncio.ensure_future(client.get(f"{api.url}/def"))
        await asyncio.sleep(0.05)
        facts["waits"] = not asked.done()
        starting.set()
        facts["then"] = (await asked).status_code

async def broken(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no disk"})
try:
    serve(broken)
except RuntimeError as error:
    facts["broken"] = str(error)
""")
    assert facts == {
        "wsgi": ["hello, world", "wsgi"],
        "def": [{"playing": "nobody"}] * 3,
        "pieces": "piece 0 piece 1 piece 2 ",
        "thread": "in line",
        "waits": True,
        "then": 200,
        "broken": "The app failed while starting: no disk",
    }


@pytest.mark.parametrize("order", [["helpers", "httpx"], ["httpx", "helpers"]])
def test_helpers_first_or_httpx_first(in_pyodide, order):
    """httpx and anyio learn of the page's sockets whenever they are imported."""
    first = (
        "import anyio._backends._asyncio, httpcore._backends.anyio\n" if order[0] == "httpx" else ""
    )
    facts = in_pyodide(
        f"""
import sys
{first}import {order[0]}
facts["loaded"] = sorted({{"uvicorn", "httpx", "anyio", "fastapi"}} & set(sys.modules))
import {order[1]}
"""
        + """
import anyio
from helpers import serve

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(scope["client"][1]).encode()})

facts["thread"] = await anyio.to_thread.run_sync(lambda: "in line")
with serve(app) as api:
    async with httpx.AsyncClient() as client:
        facts["connections"] = len({(await client.get(api.url)).text for _ in range(5)})
"""
    )
    loaded = [] if order[0] == "helpers" else ["anyio", "httpx"]
    assert facts == {"loaded": loaded, "thread": "in line", "connections": 1}
