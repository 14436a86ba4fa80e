"""A provider whose answers are written to its connections byte for byte."""

from __future__ import annotations

import asyncio
import json

from langop_model.gateway.upstreams.base import Answer


def completion(text: str) -> bytes:
    """Return the body of a chat completion."""
    message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"id": "1", "object": "chat.completion", "model": "m", "choices": [message]}).encode()


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """Return a response of HTTP with this body."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


class RawProvider:
    """A server that answers each request with the next of `answers`, whole as they are, on connections that stay open."""

    def __init__(self, *answers: bytes, late: bytes = b"") -> None:
        self.answers = list(answers)
        self.late = late  # what follows the first answer after a moment, though nobody asked
        self.connections = 0
        self.paths: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                self.paths.append(head.split()[1])
                writer.write(self.answers.pop(0))
                if self.late:
                    await asyncio.sleep(0.05)
                    writer.write(self.late)
                    self.late = b""
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def said(found: Answer) -> str:
    """Return the text of a chat completion."""
    assert found.body is not None
    text: str = json.loads(found.body)["choices"][0]["message"]["content"]
    return text
