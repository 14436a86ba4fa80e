"""Rules about durations that do not fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langop_model.renderer.durations import seconds
from langop_model.renderer.lint.rule import Problem, problem, stated
from langop_model.renderer.plan import Model

SHORTEST = 0.1  # seconds; a provider on the same machine needs about as long for its first token
GRACE_PERIOD = 130  # seconds; terminationGracePeriodSeconds of deploy/base/deployment.yaml
PRE_STOP = 5  # seconds of it that pass before the gateway is asked to end: its preStop hook


def backoff_above_maximum(model: Model) -> Iterator[Problem]:
    """An initialBackoff above maxBackoff is cut to maxBackoff, so that every wait is the same and backoffMultiplier is lost."""
    retry = _retries(model)
    if retry and seconds(retry["initialBackoff"]) > seconds(retry["maxBackoff"]):
        field = "initialBackoff" if stated(model, "retryPolicy", "initialBackoff") else "maxBackoff"
        yield problem("spec", "retryPolicy", field, first=retry["initialBackoff"], longest=retry["maxBackoff"])


def check_longer_than_interval(model: Model) -> Iterator[Problem]:
    """A health check that may take longer than its interval delays the next one where an endpoint hangs.

    Just then, an outage is noticed late.
    """
    check = _health_check(model)
    if check and seconds(check["timeout"]) > seconds(check["interval"]):
        field = "timeout" if stated(model, "loadBalancing", "healthCheck", "timeout") else "interval"
        values = {"timeout": check["timeout"], "interval": check["interval"]}
        yield problem("spec", "loadBalancing", "healthCheck", field, **values)


def too_short(model: Model) -> Iterator[Problem]:
    """No model answers within 100 ms reliably: mostly, ms was written where s was meant."""
    if seconds(model.spec["timeout"]) < SHORTEST:
        yield problem("spec", "timeout", value=model.spec["timeout"])
    check = _health_check(model)
    if check and seconds(check["timeout"]) < SHORTEST:
        yield problem("spec", "loadBalancing", "healthCheck", "timeout", value=check["timeout"])


def longer_than_the_pod_lives(model: Model) -> Iterator[Problem]:
    """A request with its retries may take longer than a pod has to end: Kubernetes then kills the pod, and the request is lost.

    The figure is terminationGracePeriodSeconds of deploy/, less its preStop hook. Where the pod has more time, ignore the rule.
    """
    retry = _retries(model)
    if not retry:
        return
    timeout, attempts = seconds(model.spec["timeout"]), retry["maxAttempts"]
    first, longest, factor = seconds(retry["initialBackoff"]), seconds(retry["maxBackoff"]), retry["backoffMultiplier"]
    waits = 0.0
    for _ in range(attempts):
        waits += min(first, longest)
        first = min(first * factor, longest)
    queue = timeout if model.spec.get("rateLimits") else 0
    whole = round(PRE_STOP + queue + (attempts + 1) * timeout + waits)
    if whole > GRACE_PERIOD:
        yield problem("spec", "retryPolicy", needed=whole, grace=GRACE_PERIOD)


def _retries(model: Model) -> dict[str, Any]:
    """Return the retry policy, empty where there are no retries."""
    retry: dict[str, Any] = model.spec.get("retryPolicy", {})
    return retry if retry.get("maxAttempts") else {}


def _health_check(model: Model) -> dict[str, Any]:
    """Return the health check, empty where there is none."""
    check: dict[str, Any] = model.spec.get("loadBalancing", {}).get("healthCheck", {})
    return check if check.get("enabled") else {}
