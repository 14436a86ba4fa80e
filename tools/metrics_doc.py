"""`make metrics-doc`: docs/metrics.md, from the definitions of the gateway's metrics."""

from __future__ import annotations

import sys
from pathlib import Path

from langop_model.gateway.accounting.definitions import ALL, SECTIONS
from langop_model.gateway.accounting.registry import Definition, Merge, MetricType

PAGE = Path("docs/metrics.md")

HEAD = """<!-- Made by `make metrics-doc` from langop_model/gateway/accounting/*_definitions.py: change them there. -->
# Metrics

`GET /metrics` shows them, without a key: as Prometheus' text, or as OpenMetrics with exemplars to a scraper that accepts it.
With several workers any of them shows the sum of all, including what workers that have ended had counted.

Names that begin with `gen_ai_` are those of OpenTelemetry's
[semantic conventions for generative AI](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/) as Prometheus
spells them. Labels:

| label | values | OpenTelemetry's attribute |
|---|---|---|
| `model` | the model's name in the specification; `<resource>/*` where it serves any model | `gen_ai.request.model` |
| `endpoint`, `region` | the endpoint's id (`<resource>/endpoint-0`, or its region's name), and its region | |
| `operation` | `chat` (also responses and messages), `text_completion`, `embeddings`, … | `gen_ai.operation.name` |
| `token_type` | `input`, `output`, and their parts | `gen_ai.token.type` |
| `outcome` | how a request or an attempt ended | `error.type` |

Each model and endpoint has its series from the start, at 0. No label holds anything that a client chooses.
"""

MOVING = """
## Moving dashboards and alerts

The gateway used to be LiteLLM's proxy. Its metrics have gone; this is where their figures are now. Where LiteLLM had
`requested_model` or `model_group`, the label is `model`; for `model_id` it is `endpoint`; `exception_status` is `status_code`,
and instead of `exception_class` there is the cause in `outcome`. Labels that name a client had been removed before.

| before | now |
|---|---|
"""

REST = """
LiteLLM's other metrics (budgets, keys, teams, its guardrails and callbacks) were of features that this gateway never had.
"""


def section(title: str, definitions: tuple[Definition, ...]) -> str:
    """Return a section with a table of its metrics."""
    lines = [f"\n## {title}\n", "| metric | type | unit | labels | meaning |", "|---|---|---|---|---|"]
    for each in definitions:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        lines.append(f"| `{each.series}` | {each.kind} | {each.unit} | {labels} | {each.help}{workers(each)} |")
    return "\n".join(lines) + "\n"


def workers(definition: Definition) -> str:
    """Return what several workers make of a gauge, where it is not their sum."""
    if definition.kind is not MetricType.GAUGE or definition.merge is Merge.SUM:
        return ""
    return f" Of several workers, the {'largest' if definition.merge is Merge.MAX else 'smallest'}."


def replaced() -> list[tuple[str, str]]:
    """Return each of LiteLLM's metrics with the ones that replace it."""
    found: dict[str, list[str]] = {}
    for definition in ALL:
        for name, labels in definition.replaces:
            selector = f"{{{labels}}}".replace("|", r"\|") if '"' in labels else ""
            note = f" ({labels})" if labels and not selector else ""
            found.setdefault(name, []).append(f"`{definition.series}{selector}`{note}")
    return [(name, ", ".join(names)) for name, names in sorted(found.items())]


def page() -> str:
    """Return the page."""
    sections = "".join(section(title, definitions) for title, definitions in SECTIONS.items())
    return HEAD + sections + MOVING + "".join(f"| `{before}` | {now} |\n" for before, now in replaced()) + REST


def main() -> None:
    """Write the page, or with --check say whether it is stale."""
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else f"{PAGE} is stale; run make metrics-doc")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
