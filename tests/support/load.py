"""Requests without a pause, over connections that stay open: a context manager that counts what came back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import httpx

PATIENCE = 60.0  # seconds until a client gives up; more than anything here takes


class Load:
    """`clients` threads, each with one connection, that send the same request until they are left, `least` at least."""

    def __init__(self, method: str, url: str, body: Any = None, clients: int = 4, least: int = 0) -> None:
        self.request = (method, url, body)
        self.least = least
        self.statuses: Counter[int] = Counter()
        self.failures: list[str] = []
        self._left = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    @property
    def count(self) -> int:
        """How many requests there were."""
        return self.statuses.total() + len(self.failures)

    def _ask(self) -> None:
        method, url, body = self.request
        with httpx.Client(timeout=PATIENCE) as client:  # it repeats nothing by itself
            while not self._left.is_set():
                try:
                    self.statuses[client.request(method, url, json=body).status_code] += 1
                except httpx.TransportError as problem:
                    self.failures.append(repr(problem))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        while kind is None and self.count < self.least:
            time.sleep(0.01)
        self._left.set()
        for thread in self._threads:
            thread.join()
