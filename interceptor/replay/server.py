"""A loopback HTTP/1.1 server that answers by rules, from recorded exchanges.

It is for tests and for the demo: one thread runs an event loop, so that hundreds of streams may
move at once. It reads whole requests and keeps them; it knows no TLS and no HTTP/2.
"""

import asyncio
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Self

from interceptor.replay.messages import Request, Response, parse_head, value
from interceptor.replay.rules import Rule, in_order
from interceptor.replay.scripts import HOLD, Pause, Script, script

__all__ = ["Server"]

_HEAD_LIMIT_BYTES = 1 << 20
_BACKLOG = 512


class Server:
    """A server on 127.0.0.1 while its `with` block lasts.

    The first rule that holds for a request answers it; a request that no rule holds for gets a
    404. `pace` multiplies the pauses of the answers: 0 is at once, 1 is about as the real API
    moves. A client that hangs up is no error.
    """

    def __init__(self, rules: Iterable[Rule], *, pace: float = 0.0) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self._rules = tuple(rules)
        self._pace = pace
        self._used: Counter[int] = Counter()
        self._running = threading.Event()
        self._thread: threading.Thread
        self._loop: asyncio.AbstractEventLoop
        self._closed: asyncio.Event
        self._released: asyncio.Event

    @classmethod
    def of(cls, *names: str, pace: float = 0.0) -> Self:
        """Give a server that answers from our fixtures, in their order at each endpoint."""
        return cls(in_order(*names), pace=pace)

    def __enter__(self) -> Self:
        # Only of a socket that says it is TCP does asyncio switch off Nagle's algorithm, by which
        # an event would wait until the client has acknowledged the one before.
        listener = socket.socket(proto=socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._thread = threading.Thread(
            target=asyncio.run,
            args=(self._serve(listener),),
            name="interceptor-replay",
            daemon=True,
        )
        self._thread.start()
        self._running.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join()

    def release(self) -> None:
        """Let every answer that waits at a `HOLD` go on, and those to come as well."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def _serve(self, listener: socket.socket) -> None:
        """Accept connections until the block ends; `asyncio.run` then cancels what is open."""
        self._loop = asyncio.get_running_loop()
        self._closed, self._released = asyncio.Event(), asyncio.Event()
        conversations: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._converse(reader, writer))
            conversations.add(task)
            task.add_done_callback(conversations.discard)

        server = await asyncio.start_server(
            accept, sock=listener, backlog=_BACKLOG, limit=_HEAD_LIMIT_BYTES
        )
        self._running.set()
        await self._closed.wait()
        server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until either side hangs up."""
        try:
            while await self._play(self._answer(await _received(reader)), writer):
                pass
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone, as it may at any time
        finally:
            writer.transport.abort()

    def _answer(self, request: Request) -> Script:
        """Keep the request and choose what to write."""
        self.requests.append(request)
        for number, rule in enumerate(self._rules):
            if rule.holds_for(request):
                turn = self._used[number]
                self._used[number] += 1
                return rule.scripts[min(turn, len(rule.scripts) - 1)]
        return script(_not_found(request))

    async def _play(self, steps: Script, writer: asyncio.StreamWriter) -> bool:
        """Write an answer; tell whether the connection may be used again."""
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, Pause):
                await asyncio.sleep(step.seconds * self._pace)
            elif step is HOLD:
                await self._released.wait()
            else:
                return False
        return True


async def _received(reader: asyncio.StreamReader) -> Request:
    """Read one request; raises `IncompleteReadError` where the client has no more."""
    start, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
    method, path, _ = start.split(" ", 2)
    if value(headers, "transfer-encoding") == "chunked":
        body = await _unchunked(reader)
    else:
        body = await reader.readexactly(int(value(headers, "content-length") or 0))
    return Request(method, path, headers, body)


async def _unchunked(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append((await reader.readexactly(size + 2))[:size])
    await reader.readuntil(b"\r\n")
    return b"".join(pieces)


def _not_found(request: Request) -> Response:
    """Answer in the API's own shape, and tell the test's author what was missing."""
    error = {
        "object": "error",
        "message": f"no rule of this server answers {request.method} {request.path}",
        "type": "not_found",
        "param": None,
        "code": "1404",
        "raw_status_code": 404,
    }
    headers = (("content-type", "application/json"),)
    return Response(404, "Not Found", headers, json.dumps(error).encode())
