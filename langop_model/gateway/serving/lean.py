"""LiteLLM's proxy without the routes that the gateway does not open: 640 of its 670.

To make a route, FastAPI takes its function's signature apart and builds models of it: a fifth of the import, and 20 MB. A route
that was never made can't be reached either.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

from fastapi import APIRouter


@contextlib.contextmanager
def only(paths: Collection[str]) -> Iterator[None]:
    """Let FastAPI make no other routes than `paths` while something is imported; without their /v1 they are the same."""
    make: Callable[..., None] = APIRouter.add_api_route

    def make_if_open(router: APIRouter, path: str, endpoint: Any, **settings: Any) -> None:
        # A router may be included in another one later, under a prefix: what could become an open path then, is made.
        if any(open_path.endswith(router.prefix + path) for open_path in paths):
            make(router, path, endpoint, **settings)

    APIRouter.add_api_route = make_if_open  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        APIRouter.add_api_route = make  # type: ignore[method-assign]
