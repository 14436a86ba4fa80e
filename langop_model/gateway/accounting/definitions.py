"""Every metric of the gateway: docs/metrics.md is made from these.

Those named gen_ai_* are OpenTelemetry's GenAI semantic conventions in Prometheus' spelling, with their buckets
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/): gen_ai.request.model is the label `model`,
gen_ai.operation.name `operation`, gen_ai.token.type `token_type`, error.type `outcome`. A label's values come from the
configuration or from a fixed set, never from a request: a client can make no time series.
"""

from __future__ import annotations

from langop_model.gateway.accounting import request_definitions, state_definitions
from langop_model.gateway.accounting.registry import Definition

SECTIONS: dict[str, tuple[Definition, ...]] = {**request_definitions.SECTIONS, **state_definitions.SECTIONS}
ALL: tuple[Definition, ...] = tuple(definition for section in SECTIONS.values() for definition in section)
BY_NAME: dict[str, Definition] = {definition.name: definition for definition in ALL}
