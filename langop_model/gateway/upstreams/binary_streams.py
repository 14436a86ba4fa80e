"""Answers that are no text, such as speech: their parts as they arrive, within the limits of any stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from langop_model.gateway.deadline import Deadlines
from langop_model.gateway.upstreams import answers, streams
from langop_model.gateway.upstreams.base import UpstreamRequest
from langop_model.gateway.upstreams.http_client import Response

MAX_PART_SIZE = 16 * 2**20  # bytes of what has arrived, decoded


class BinaryStream:
    """One answer; `begun` is what has been read of it. Raises MalformedAnswerError for an encoding that was not asked for."""

    def __init__(self, response: Response, request: UpstreamRequest, begun: bytes = b"") -> None:
        self.response = response
        self.request = request
        self.decode = answers.decoder(response)
        self.first = self._decoded(begun)
        self.deadlines = Deadlines()

    async def begin(self) -> None:
        """Wait for the first part. Raises UpstreamError where there is none."""
        while not self.first:
            part = await self.response.content.readany()
            if not part:
                raise streams.broken("the provider ended its stream before the first event")
            self.first = self._decoded(part)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the parts, the first of which has arrived. Raises UpstreamError where one is late, or the rest never comes."""
        try:
            yield self.first
            while part := await self._next():
                yield part
        finally:
            self.deadlines.close()
            answers.leave(self.response)

    async def _next(self) -> bytes:
        try:
            with self.deadlines.within(self.request.timeout):
                while part := await self.response.content.readany():
                    if decoded := self._decoded(part):  # the first bytes of what is compressed stand for nothing yet
                        return decoded
                return b""
        except TimeoutError:
            raise streams.paused(self.request.timeout) from None
        except answers.MalformedAnswerError as problem:
            raise streams.broken(str(problem)) from None
        except (aiohttp.ClientError, OSError):
            raise streams.broken("the connection to the provider broke during its stream") from None

    def _decoded(self, part: bytes) -> bytes:
        if self.decode is None:
            return part
        decoded = self.decode(part, MAX_PART_SIZE + 1)
        if len(decoded) > MAX_PART_SIZE:
            raise answers.MalformedAnswerError(f"a part of the provider's answer is larger than {MAX_PART_SIZE // 2**20} MiB")
        return decoded
