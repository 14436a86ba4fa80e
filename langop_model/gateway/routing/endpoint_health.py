"""What is known of an endpoint, for GET /health: by one worker, and by several together.

The rules are those of the metrics: an endpoint is down where any worker skips it. Failures before another worker's last answer
no longer count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from langop_model.gateway.routing.endpoints import FAILURES_IN_A_ROW, LastError, State


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """What is known of an endpoint. Times are time.monotonic's, which the processes of a machine share; -inf is never.

    `is_skipped`: checks, a cooldown or another replica keep requests away. `failures` are those in a row, the last of them at
    `failed_at`. `check_error` is None where the last check, at `checked_at`, was successful. `heard_at` is the last answer, or
    the last check if that was successful.
    """

    is_skipped: bool = False
    down_since: float | None = None
    up_since: float | None = None
    cooldown_until: float = -math.inf
    failures: int = 0
    failed_at: float = -math.inf
    in_flight: int = 0
    answered_at: float = -math.inf
    checked_at: float = -math.inf
    heard_at: float = -math.inf
    error: LastError | None = None
    check_error: LastError | None = None

    @property
    def is_down(self) -> bool:
        """Whether it is skipped or has failed several times in a row. A single endpoint is asked however often it fails."""
        return self.is_skipped or self.failures >= FAILURES_IN_A_ROW

    @property
    def since(self) -> float | None:
        """Since when it has been as it is."""
        return self.down_since if self.is_down else self.up_since

    def dump(self) -> list[Any]:
        """Return it for JSON, in which an infinite number is null."""
        return [_plain(getattr(self, name)) for name in self.__slots__]

    @classmethod
    def load(cls, values: Sequence[Any]) -> EndpointHealth:
        """Return what `dump` wrote. Raises TypeError for anything else."""
        named = dict(zip(cls.__slots__, values, strict=True))
        times = {name: -math.inf for name in _TIMES if named[name] is None}
        errors = {name: LastError(*named[name]) for name in ("error", "check_error") if named[name] is not None}
        return cls(**{**named, **times, **errors})


_TIMES = ("cooldown_until", "failed_at", "answered_at", "checked_at", "heard_at")
UNKNOWN = EndpointHealth()


def of(state: State, now: float) -> EndpointHealth:
    """Return what this worker knows of an endpoint."""
    return EndpointHealth(
        is_skipped=state.is_down(now),
        down_since=state.down_since,
        up_since=state.up_since,
        cooldown_until=state.down_until if now < state.down_until else -math.inf,
        failures=state.failures,
        failed_at=state.failed_at,
        in_flight=state.in_flight,
        answered_at=state.answered_at,
        checked_at=state.checked_at,
        heard_at=max(state.answered_at, state.checked_at if state.successful_checks else -math.inf),
        error=state.error,
        check_error=state.check_error,
    )


def together(views: Sequence[EndpointHealth]) -> EndpointHealth:
    """Return what several workers know of an endpoint."""
    if len(views) == 1:
        return views[0]
    answered_at = max(view.answered_at for view in views)
    failing = [view for view in views if view.failed_at > answered_at]
    skipping = [view for view in views if view.is_skipped]
    errors = [view.error for view in views if view.error is not None]
    return EndpointHealth(
        is_skipped=bool(skipping),
        down_since=_first(view.down_since for view in skipping or failing),
        up_since=_first(view.up_since for view in views),
        cooldown_until=max(view.cooldown_until for view in views),
        failures=max((view.failures for view in failing), default=0),
        failed_at=max(view.failed_at for view in views),
        in_flight=sum(view.in_flight for view in views),
        answered_at=answered_at,
        checked_at=max(view.checked_at for view in views),
        heard_at=max(view.heard_at for view in views),
        error=max(errors, key=lambda error: error.at, default=None),
        check_error=max(views, key=lambda view: view.checked_at).check_error,
    )


def _first(times: Iterable[float | None]) -> float | None:
    return min((each for each in times if each is not None), default=None)


def _plain(value: Any) -> Any:
    if isinstance(value, LastError):
        return tuple(value)
    return None if value == -math.inf else value
