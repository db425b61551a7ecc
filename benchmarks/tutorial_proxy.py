"""The reverse proxy of many tutorials, to be measured beside ours: FastAPI, and httpx for each request.

ORIGIN names the server behind it. Run it with `uvicorn benchmarks.tutorial_proxy:app`.
"""

import os

import httpx
from fastapi import FastAPI, Request, Response

ORIGIN = os.environ["ORIGIN"]
app = FastAPI()


@app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
async def forward(path: str, request: Request) -> Response:
    """Ask the server, and send back what it says."""
    async with httpx.AsyncClient() as client:
        answer = await client.request(
            request.method, f"{ORIGIN}/{path}", content=await request.body()
        )
    return Response(answer.content, answer.status_code)
