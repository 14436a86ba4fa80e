"""A provider whose every answer is a stream: each chunk is a write of its own, as a model sends it.

python -m tools.gateway_bench.stream_provider PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

import uvloop

from tools.load_generator import ANSWER

CHUNKS = 200  # of a stream
PAUSE = 0.001  # seconds between two chunks; without, the kernel puts them together again
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def events() -> list[bytes]:
    """Return a streamed answer of CHUNKS chunks, as OpenAI writes it."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}
    # LiteLLM ends a stream that repeats itself.
    deltas = [{"index": 0, "delta": {"content": f" word{number}"}, "finish_reason": None} for number in range(CHUNKS)]
    choices = [*deltas, {"index": 0, "delta": {}, "finish_reason": "stop"}]
    found = [{**head, "choices": [choice]} for choice in choices] + [{**head, "choices": [], "usage": ANSWER["usage"]}]
    return [f"data: {json.dumps(event)}\n\n".encode() for event in found] + [b"data: [DONE]\n\n"]


WRITES = [b"%x\r\n%b\r\n" % (len(event), event) for event in events()] + [b"0\r\n\r\n"]


class Stream(asyncio.Protocol):
    """A connection: each request that has arrived whole, which a small one does at once, is answered with the stream."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Wait for the end of a request."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        length = next(
            (line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), b"0"
        )
        if len(body) >= int(length):
            self.received = b""
            self.transport.write(HEAD)
            self._write(0)

    def _write(self, number: int) -> None:
        if number < len(WRITES) and not self.transport.is_closing():
            self.transport.write(WRITES[number])
            asyncio.get_running_loop().call_later(PAUSE, self._write, number + 1)


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Stream, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
