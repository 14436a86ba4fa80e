"""An event loop whose time is made up: what waits for a minute waits for no time, in the right order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from selectors import SelectSelector
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next thing that is due."""

    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return self.selector.now


def run(scene: Callable[[Callable[[], float]], Awaitable[T]]) -> T:
    """Return what `scene` returns, called with a clock that starts at 0."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()

        async def play() -> T:
            return await scene(loop.time)

        return runner.run(play())
