"""Whatever happens to the process that serves: it ends, and nothing is left of it."""

from __future__ import annotations

import pytest

from tests.serving.apps import run_python

APPS = """
import asyncio, sys, threading, time
import httpx
from fastapi import FastAPI
from fastapi.concurrency import asynccontextmanager
from helpers import serve

arrived = threading.Event()

@asynccontextmanager
async def lifespan(app):
    yield
    sys.stdout.write("shutdown ran\\n")  # one write: other servers write at the same time

app = FastAPI(lifespan=lifespan)

@app.get("/async")
async def in_the_loop():
    return "async"

@app.get("/def")
def in_a_thread():
    return "def"

@app.get("/wait")
async def wait():
    arrived.set()
    await asyncio.Event().wait()

@app.get("/sleep")
def sleep():
    arrived.set()
    time.sleep(600)

@app.get("/block")
async def block():
    sleep()

def wsgi(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/sleep":
        sleep()
    return [b"wsgi"]

def ask_in_a_thread(url):
    def ask():
        try:
            httpx.get(url, timeout=None)
        except httpx.TransportError:
            pass
    threading.Thread(target=ask, daemon=True).start()
    arrived.wait()
"""


def test_a_process_ends_with_servers_running():
    script = APPS + "\nservers = [serve(app) for _ in range(3)]\nhttpx.get(servers[0].url)"
    assert run_python(script).splitlines() == ["shutdown ran"] * 3


@pytest.mark.parametrize(
    ("app", "path", "printed"),
    [
        ("app", "/wait", "shutdown ran\n"),
        ("app", "/sleep", "shutdown ran\n"),
        ("wsgi", "/sleep", ""),
    ],
)
def test_a_process_ends_with_a_request_running(app, path, printed):
    """Ten minutes of sleep in somebody's endpoint do not hold it."""
    assert run_python(APPS + f'\nask_in_a_thread(serve({app}).url + "{path}")') == printed


def test_a_process_ends_although_several_apps_block_their_loops():
    once = "\narrived.clear()\nask_in_a_thread(serve(app).url + '/block')"
    assert run_python(APPS + once * 3) == ""


def test_a_process_ends_after_an_exit_in_the_middle():
    script = APPS + "\nwith serve(app) as api:\n    httpx.get(api.url + '/def')\n    sys.exit(0)"
    assert run_python(script) == "shutdown ran\n"


NEST_ASYNCIO = """
import nest_asyncio

when = sys.argv[1]
if when == "before":
    nest_asyncio.apply()

def ask(api):
    return [httpx.get(f"{api.url}/{path}").json() for path in ("async", "def")]

async def main():
    with serve(app) as inner:
        async with httpx.AsyncClient() as client:
            answers = [(await client.get(f"{api.url}/async")).json() for api in (api, inner)]
        if when != "never":
            nested = asyncio.get_event_loop().run_until_complete(asyncio.sleep(0, "nested"))
            answers.append(nested)
    return answers

api = serve(app)
print(ask(api))
if when == "after":
    nest_asyncio.apply()
print(ask(api))
print(asyncio.get_event_loop_policy().new_event_loop().run_until_complete(main()))
with serve(app) as second, serve(wsgi) as third:
    print(ask(second), httpx.get(third.url).text)
if sys.version_info < (3, 12) or when == "never":
    print(asyncio.run(main()))  # what nest_asyncio breaks on newer Pythons, with us or without
api.stop()
left = [thread.name for thread in threading.enumerate() if thread.name == "serve"]
print("left:", left)
"""


@pytest.mark.parametrize("when", ["before", "after", "never"])
def test_nest_asyncio_changes_nothing(when):
    lines = run_python(APPS + NEST_ASYNCIO, when).splitlines()
    both = "['async', 'def']"
    assert [line for line in lines if line.startswith(both)] == [both, both, f"{both} wsgi"]
    inside = "['async', 'async']" if when == "never" else "['async', 'async', 'nested']"
    assert inside in lines
    assert lines.count("shutdown ran") == len([line for line in lines if line == inside]) + 2
    assert lines[-1] == "left: []"


def test_the_helpers_import_without_uvicorn():
    """As in a browser, where there are no sockets to serve on."""
    print_loaded = "import sys, helpers; print([n for n in sys.modules if n.startswith('uvicorn')])"
    assert run_python(print_loaded).strip() == "[]"
