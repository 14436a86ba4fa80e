"""Requests that are over: those that end in one turn of the event loop are counted and logged together, after their answers."""

from __future__ import annotations

import logging
from collections.abc import Callable

from langop_model.gateway.accounting import counting
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.accounting.request_record import RequestRecord
from langop_model.gateway.accounting.series import Series
from langop_model.gateway.accounting.traces import Traces

LOGGER = logging.getLogger("langop.accounting")
Soon = Callable[[Callable[[], None]], object]


def at_once(call: Callable[[], None]) -> None:
    """Call something now."""
    call()


class Settlement:
    """Counts requests, ends their spans and writes their lines. `soon` is given what does so, and calls it when it is time."""

    def __init__(self, metrics: Metrics, series: Series, log: RequestLog, traces: Traces | None, soon: Soon) -> None:
        self.metrics = metrics
        self.series = series
        self.log = log
        self.traces = traces
        self.soon = soon
        self.over: list[RequestRecord] = []

    def add(self, record: RequestRecord) -> None:
        """Take a request that is over."""
        self.over.append(record)
        if len(self.over) == 1:
            self.soon(self.settle)

    def settle(self) -> None:
        """Settle those that are over, each for itself: the failure of one keeps no other out of the metrics and the log."""
        over, self.over = self.over, []
        for record in over:
            try:
                self._settle(record)
            except Exception:
                LOGGER.exception("a request could not be counted and logged")
        self.log.flush()

    def _settle(self, record: RequestRecord) -> None:
        counting.count(record, self.metrics, self.series)
        if self.traces is not None:
            self.traces.end(record)
        self.log.write(record)
        if record.failure is not None:
            record.failure.forget_frames()
