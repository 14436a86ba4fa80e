"""The series that each request adds to, looked up once: looking for each by its labels takes longer than counting."""

from __future__ import annotations

from typing import NamedTuple

from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.registry import Distribution, Value


class Ended(NamedTuple):
    """What requests add to that end in one way."""

    requests: Value
    responses: Value
    duration: Distribution


class ModelSeries:
    """Those of one model: what its requests add, whoever answers."""

    __slots__ = ("_ended", "_metrics", "_name", "_tokens", "attempts", "in_flight", "overhead")

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics = metrics
        self._name = name
        self._ended: dict[tuple[str, str, int], Ended] = {}
        self._tokens: dict[str, tuple[Distribution, Distribution]] = {}
        self.in_flight = metrics.in_flight.labels(name)
        self.attempts = metrics.attempts_of_request.labels(name)
        self.overhead = metrics.overhead_duration.labels(name)

    def ended(self, operation: str, outcome: str, status: int) -> Ended:
        """Return those of requests that end so."""
        found = self._ended.get((operation, outcome, status))
        if found is None:
            metrics, name = self._metrics, self._name
            found = self._ended[operation, outcome, status] = Ended(
                metrics.requests.labels(name, outcome),
                metrics.responses.labels(name, operation, str(status)),
                metrics.request_duration.labels(name, operation, outcome),
            )
        return found

    def tokens(self, operation: str) -> tuple[Distribution, Distribution]:
        """Return those of the tokens of a question and of its answer."""
        found = self._tokens.get(operation)
        if found is None:
            usage, name = self._metrics.token_usage, self._name
            found = usage.labels(name, operation, "input"), usage.labels(name, operation, "output")
            self._tokens[operation] = found
        return found


class EndpointSeries:
    """Those of one endpoint: what attempts at it add. `labels` are its model, its id and its region."""

    __slots__ = ("_ended", "_metrics", "_tokens", "cost", "in_flight", "labels", "unpriced")

    def __init__(self, metrics: Metrics, labels: tuple[str, str, str]) -> None:
        self._metrics = metrics
        self._ended: dict[str, tuple[Value, Distribution]] = {}
        self._tokens: dict[str, Value] = {}
        self.labels = labels
        self.in_flight = metrics.endpoint_in_flight.labels(*labels)
        self.cost = metrics.cost.labels(*labels)
        self.unpriced = metrics.unpriced.labels(*labels)

    def ended(self, outcome: str) -> tuple[Value, Distribution]:
        """Return the number of the attempts that end so, and how long they take."""
        found = self._ended.get(outcome)
        if found is None:
            metrics, labels = self._metrics, self.labels
            found = metrics.attempts_of_endpoint.labels(*labels, outcome), metrics.upstream_duration.labels(*labels, outcome)
            self._ended[outcome] = found
        return found

    def tokens(self, kind: str) -> Value:
        """Return the number of its tokens of one kind."""
        found = self._tokens.get(kind)
        if found is None:
            found = self._tokens[kind] = self._metrics.tokens_of_endpoint.labels(*self.labels, kind)
        return found


class Series:
    """Those of all models and endpoints of a worker."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._models: dict[str, ModelSeries] = {}
        self._endpoints: dict[tuple[str, str], EndpointSeries] = {}

    def model(self, name: str) -> ModelSeries:
        """Return those of a model, by the name of its group."""
        found = self._models.get(name)
        if found is None:
            found = self._models[name] = ModelSeries(self._metrics, name)
        return found

    def endpoint(self, group: str, endpoint: str) -> EndpointSeries:
        """Return those of an endpoint of a group."""
        found = self._endpoints.get((group, endpoint))
        if found is None:
            labels = self._metrics.endpoint_labels(group, endpoint)
            found = self._endpoints[group, endpoint] = EndpointSeries(self._metrics, labels)
        return found
