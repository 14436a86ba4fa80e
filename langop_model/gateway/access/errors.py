"""The gateway's own errors: requests that no provider is asked for."""

from __future__ import annotations


class APIError(Exception):
    """Why a request is refused: the HTTP `status`, a sentence for its author, and OpenAI's `type`, `code` and `param`.

    `headers` are sent beside it. No part of it ever holds a key or a text of the request beyond the name of a field.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        param: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = headers
