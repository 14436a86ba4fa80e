"""The series that each request adds to, looked up once: looking for each by its labels takes longer than counting."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.registry import Distribution, Value

Key = TypeVar("Key")
Made = TypeVar("Made")


class Kept(dict[Key, Made]):
    """What `make` makes of each key, when it is first asked for."""

    def __init__(self, make: Callable[[Key], Made]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, key: Key) -> Made:
        made = self[key] = self.make(key)
        return made


class Ended(NamedTuple):
    """What requests add to that end in one way."""

    requests: Value
    responses: Value
    duration: Distribution


class ModelSeries:
    """Those of one model: what its requests add, whoever answers.

    `ended` are those of requests by operation, outcome and status; `tokens` by operation those of a question and its answer.
    """

    def __init__(self, metrics: Metrics, name: str) -> None:
        self.in_flight = metrics.in_flight.labels(name)
        self.attempts = metrics.attempts_of_request.labels(name)
        self.overhead = metrics.overhead_duration.labels(name)

        def ended(key: tuple[str, str, int]) -> Ended:
            operation, outcome, status = key
            return Ended(
                metrics.requests.labels(name, outcome),
                metrics.responses.labels(name, operation, str(status)),
                metrics.request_duration.labels(name, operation, outcome),
            )

        def tokens(operation: str) -> tuple[Distribution, Distribution]:
            usage = metrics.token_usage
            return usage.labels(name, operation, "input"), usage.labels(name, operation, "output")

        self.ended = Kept(ended)
        self.tokens = Kept(tokens)


class EndpointSeries:
    """Those of one endpoint: what attempts at it add. `labels` are its model, its id and its region.

    `ended` are by outcome the number of its attempts and how long they take, `tokens` the number of its tokens by their kind.
    """

    def __init__(self, metrics: Metrics, labels: tuple[str, str, str]) -> None:
        self.labels = labels
        self.in_flight = metrics.endpoint_in_flight.labels(*labels)
        self.cost = metrics.cost.labels(*labels)
        self.unpriced = metrics.unpriced.labels(*labels)

        def ended(outcome: str) -> tuple[Value, Distribution]:
            return metrics.attempts_of_endpoint.labels(*labels, outcome), metrics.upstream_duration.labels(*labels, outcome)

        self.ended = Kept(ended)
        self.tokens = Kept[str, Value](lambda kind: metrics.tokens_of_endpoint.labels(*labels, kind))


class Series:
    """Those of all models of a worker, by the names of their groups, and of all endpoints, by those and their ids."""

    def __init__(self, metrics: Metrics) -> None:
        self.models = Kept[str, ModelSeries](lambda name: ModelSeries(metrics, name))
        self.endpoints = Kept[tuple[str, str], EndpointSeries](
            lambda place: EndpointSeries(metrics, metrics.endpoint_labels(*place))
        )
