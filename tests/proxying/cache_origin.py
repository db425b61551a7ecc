"""A server to be killed, whose pages change: each is of a path, a language and a version.

python cache_origin.py PORT NOTES
"""

import asyncio
import os
import sys
import time

EVERY = 0.05  # seconds, after which there is a new version
LIMITS = "max-age=1, stale-if-error=2"


def page(path: str, language: str, version: int) -> tuple[str, bytes]:
    """Its ETag and its body."""
    line = f"{path} {language} {version}\n"
    return f'"{line.strip().replace(" ", "!")}"', line.encode() * (1 + len(path) * 300)


async def main(port: int, notes: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                os.write(notes, b".")
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
                path, language = head.split()[1], fields["accept-language"]
                etag, body = page(path, language, int(time.time() / EVERY))
                good = fields.get("if-none-match") == etag.lower()
                first = "304 Not Modified" if good else f"200 OK\r\nContent-Length: {len(body)}"
                answer = f"HTTP/1.1 {first}\r\nETag: {etag}\r\nVary: Accept-Language\r\nCache-Control: {LIMITS}\r\n\r\n"
                writer.write(answer.encode() + (b"" if good else body[:900]))
                await asyncio.sleep(0.002)  # when it is killed, some are always in the middle
                writer.write(b"" if good else body[900:])
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=512)
    os.write(notes, b"ready\n")
    await server.serve_forever()


if __name__ == "__main__":
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    asyncio.run(main(int(sys.argv[1]), os.open(sys.argv[2], flags)))
