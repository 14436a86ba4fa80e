"""Requests that are over: several are counted and logged together, after their answers have left."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from langop_model.gateway.accounting import counting
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.accounting.request_record import RequestRecord
from langop_model.gateway.accounting.series import Series
from langop_model.gateway.accounting.traces import Traces

LOGGER = logging.getLogger("langop.accounting")
DELAY = 0.02  # seconds until a request that is over is counted and logged, with those that follow
MOST = 64  # requests that wait so long; to settle them keeps the event loop for a third of a millisecond


class Turn(Protocol):
    """A turn of the event loop (end_of_turn.EndOfTurn)."""

    def soon(self, call: Callable[[], None]) -> None:
        """Call something when the turn's answers have left."""

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something so many seconds from now."""


class Settlement:
    """Counts requests, ends their spans and writes their lines: at once where there is no `turn` to wait for the end of.

    The first one finds the processor's caches full of other things, which takes as long as ten of those that come after it.
    """

    def __init__(self, metrics: Metrics, series: Series, log: RequestLog, traces: Traces | None, turn: Turn | None) -> None:
        self.metrics = metrics
        self.series = series
        self.log = log
        self.traces = traces
        self.turn = turn
        self.over: list[RequestRecord] = []
        self.is_due = False  # at the end of this turn
        self.is_expected = False  # within DELAY

    def add(self, record: RequestRecord) -> None:
        """Take a request that is over."""
        self.over.append(record)
        if self.is_due:
            return
        turn = self.turn
        if turn is None:
            self.settle()
        elif len(self.over) >= MOST or _is_urgent(record):
            self.is_due = True
            turn.soon(self.settle)
        elif not self.is_expected:
            self.is_expected = True
            turn.later(DELAY, self._settle_late)

    def settle(self) -> None:
        """Settle those that are over, each for itself: the failure of one keeps no other out of the metrics and the log."""
        self.is_due = False
        over, self.over = self.over, []
        since_1970 = time.time() - time.monotonic()
        for record in over:
            try:
                self._settle(record, since_1970 + record.started + record.seconds)
            except Exception:
                LOGGER.exception("a request could not be counted and logged")
        self.log.flush()

    def _settle_late(self) -> None:
        self.is_expected = False
        self.settle()

    def _settle(self, record: RequestRecord, ended: float) -> None:
        counting.count(record, self.metrics, self.series)
        if self.traces is not None:
            self.traces.end(record)
        self.log.write(record, ended)
        if record.failure is not None:
            record.failure.forget_frames()


def _is_urgent(record: RequestRecord) -> bool:
    """Whether a record holds what must not wait: a failure, a text that takes memory, or a span, which ends now."""
    return record.failure is not None or record.body is not None or record.logged_answer is not None or record.span is not None
