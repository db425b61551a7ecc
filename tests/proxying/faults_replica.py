"""A server to be killed: it notes each request in a file before it answers, and takes its time.

python faults_replica.py PORT NAME NOTES
"""

import asyncio
import os
import sys

WORK = 0.004  # seconds that a request takes: so some are always under way when it is killed


async def main(port: int, name: str, notes: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                first = head.split(b"\r\n", 1)[0]
                body = b""
                if b"content-length: " in head:
                    body = await reader.readexactly(
                        int(head.split(b"content-length: ")[1].split()[0])
                    )
                if b"/health" not in first:
                    os.write(notes, first.split()[0].upper() + b" " + body + b"\n")
                    await asyncio.sleep(WORK)
                answer = f"HTTP/1.1 200 OK\r\nServed-By: {name}\r\nContent-Length: 1\r\n\r\n{name}"
                writer.write(answer.encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=512)
    os.write(notes, b"ready\n")
    await server.serve_forever()


if __name__ == "__main__":
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], os.open(sys.argv[3], flags)))
