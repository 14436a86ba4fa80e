"""Specs for corners of the schema that no example shows."""

from __future__ import annotations

from typing import Any

from tests.unit.specs import EAST, WEST, a_spec, balanced

LIGHT, HEAVY = {**EAST, "weight": 5}, {**WEST, "weight": 7}
OFF = {"enabled": False}
CORNERS: dict[str, dict[str, Any]] = {
    "one endpoint": balanced({**LIGHT, "region": "east", "priority": 1}),
    "random": balanced(LIGHT, HEAVY, strategy="random"),
    "round-robin": balanced(LIGHT, HEAVY, strategy="round-robin"),
    "latency-based": balanced(LIGHT, HEAVY, strategy="latency-based"),
    "least-connections": balanced(LIGHT, HEAVY, strategy="least-connections"),
    "weights and a limit on concurrency": balanced(LIGHT, HEAVY, strategy="random", rateLimits={"concurrentRequests": 24}),
    "weight 0": balanced({**EAST, "weight": 0, "region": "east", "priority": 3}, {**WEST, "weight": 7}),
    "no cache": a_spec(caching={**OFF, "backend": "redis", "ttl": "5m", "maxSize": 5}),
    "no prices": a_spec(costTracking={**OFF, "currency": "EUR", "inputTokenCost": 1, "outputTokenCost": 2}),
    "no checks": a_spec(
        loadBalancing={"healthCheck": {**OFF, "interval": "5s", "timeout": "6s", "healthyThreshold": 1,
                                       "unhealthyThreshold": 2}}
    ),
    "no retries": a_spec(
        retryPolicy={"maxAttempts": 0, "initialBackoff": "2s", "maxBackoff": "3s", "backoffMultiplier": 3,
                     "retryableStatusCodes": [500]}
    ),
    "nothing to observe": a_spec(
        observability={"metrics": False, "tracing": False,
                       "logging": {"level": "info", "logRequests": False, "logResponses": True}}
    ),
    "every status": a_spec(
        retryPolicy={"maxAttempts": 2, "retryableStatusCodes": [400, 401, 404, 408, 418, 422, 429, 500, 502, 503, 504]}
    ),
    "no status that fails": a_spec(retryPolicy={"maxAttempts": 2, "retryableStatusCodes": [418]}),
    "fallbacks": a_spec(
        fallbacks=[{"modelRef": "x", "conditions": ["rate_limit", "timeout"]},
                   {"modelRef": "y", "conditions": ["context_window"]}, {"modelRef": "z", "conditions": []}]
    ),
    "a check of one endpoint": a_spec(
        loadBalancing={"strategy": "weighted", "healthCheck": {"enabled": True, "interval": "1500ms", "timeout": "2s"}}
    ),
    "a region of bedrock": a_spec(
        provider="bedrock", endpoint=None, regions=[{"name": "eu"}], apiKeySecretRef={"name": "a", "key": "b"},
        configuration={"additionalParameters": {"aws_region_name": "us"}, "frequencyPenalty": 1.0},
    ),
    "a region of vertex": a_spec(
        provider="vertex", endpoint=None, regions=[{"name": "eu", "priority": 2}],
        apiKeySecretRef={"name": "a", "namespace": "c"}, configuration={"additionalParameters": {"vertex_location": "us"}},
    ),
    "an endpoint that is not used": balanced(EAST) | {"endpoint": WEST["url"]},
    "prices in euros": a_spec(costTracking={"enabled": True, "currency": "EUR", "inputTokenCost": 1.5, "outputTokenCost": 2.5}),
    "an older and a newer way to name a parameter": a_spec(
        configuration={"additionalParameters": {"top_k": "40", "seed": "7"}},
        params={"seed": 8, "user": "me", "extra_body": {"a": 1}},
    ),
    "fields of a newer resource": a_spec(
        provider=None, litellmProvider="vertex_ai", endpoint=None, project="p", location="l", aliases=["fast"],
        credentialsSecretRef={"name": "google"}, params={"temperature": 0.5}, configuration={"temperature": 0.7, "topP": 0.5},
    ),
    "fields that the provider does not have": a_spec(
        provider="groq", endpoint=None, region="r", project="p", location="l", apiVersion="v",
        credentialsSecretRef={"name": "a"},
    ),
    "a region of the spec and of an endpoint": a_spec(
        provider="bedrock", endpoint=None, region="us", regions=[{"name": "eu"}], apiKeySecretRef={"name": "a", "key": "b"},
        params={"aws_region_name": "ap"},
    ),
    "two Secrets of azure": a_spec(
        provider="azure", credentialsSecretRef={"name": "a"}, apiKeySecretRef={"name": "b", "key": "c"}
    ),
    "two Secrets": a_spec(credentialsSecretRef={"name": "a"}, apiKeySecretRef={"name": "b", "key": "c"}),
    "prices among the parameters": a_spec(
        params={"input_cost_per_token": 0.5}, costTracking={"enabled": True, "inputTokenCost": 1, "outputTokenCost": 2}
    ),
    "empty lists": a_spec(
        configuration={"stopSequences": [], "additionalParameters": {}}, fallbacks=[{"modelRef": "a", "conditions": []}]
    ),
}  # fmt: skip
