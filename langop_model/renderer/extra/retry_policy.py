"""LiteLLM's retry policies, which count by classes of errors, as spec.retryPolicy, which has one number and status codes."""

from __future__ import annotations

from langop_model.renderer import specification
from langop_model.renderer.extra.refusals import finding, in_words
from langop_model.renderer.extra.wanted import Default
from langop_model.renderer.findings import Path, SpecError

# The status codes that LiteLLM's classes of errors mean (litellm/types/router.py, RetryPolicy; measured with an
# OpenAI-compatible provider).
CLASSES: dict[str, list[int]] = {
    "BadRequestErrorRetries": [400, 422],
    "AuthenticationErrorRetries": [401],
    "NotFoundErrorRetries": [404],
    "TimeoutErrorRetries": [408, 504],
    "RateLimitErrorRetries": [429],
    "InternalServerErrorRetries": [500],
    "ServiceUnavailableErrorRetries": [503],
    "DefaultRetries": [409, 501, 502, 520, 529],
}
NOT_BY_STATUS = "ContentPolicyViolationErrorRetries"  # a content policy's answer is a 400 like any other
# Errors that LiteLLM retries only where a policy names them.
ONLY_IF_NAMED = ("BadRequestErrorRetries", "AuthenticationErrorRetries", "NotFoundErrorRetries")


def defaults(path: Path, policy: dict[str, int], others: int, models: frozenset[str]) -> list[Default]:
    """Return the retries of the policy at `path`; `others` is the number of those for errors that it does not name.

    `models` are the names of those that it is for: none, all. Raises SpecError (LM731, LM751) for what no field can say.
    """
    if policy.get(NOT_BY_STATUS):
        problem = "a content policy's answer can't be told from other errors by its status: use content_policy_fallbacks"
        raise SpecError([finding("LM751", (*path, NOT_BY_STATUS), problem=problem)])
    counts = {name: policy.get(name, others) for name in CLASSES}
    counts |= {name: 0 for name in ONLY_IF_NAMED if name not in policy}
    numbers = sorted({count for count in counts.values() if count})
    if len(numbers) > 1:
        numbers_in_words = " and ".join(map(str, numbers))
        problem = f"one number of retries holds for all errors that are retried, and here are {numbers_in_words}"
        raise SpecError([finding("LM751", path, problem=problem)])
    attempts = Default(path, ("retryPolicy", "maxAttempts"), numbers[0] if numbers else 0, models=models)
    codes = sorted(code for name, count in counts.items() if count for code in CLASSES[name])
    found = [checked(attempts)]
    if codes:
        found.append(Default(path, ("retryPolicy", "retryableStatusCodes"), codes, models=models))
    return found


def checked(default: Default) -> Default:
    """Return `default` if its field accepts the value. Raises SpecError (LM731) at the key."""
    from langop_model.renderer.json_schema import best_match

    if default.field[0] == "params":
        return default
    error = best_match(specification.errors_of(default.field, default.value))
    if error is not None:
        raise SpecError([finding("LM731", default.path, problem=in_words(error))])
    return default
