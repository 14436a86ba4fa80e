"""What the dashboard and the alerts of deploy/monitoring ask for: queries, and the metrics and labels in them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import yaml

from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
# What Prometheus adds to every metric of a target.
OF_THE_TARGET = {"job", "instance", "namespace", "service", "pod"}
RECORDED = re.compile(r"\blangop:\w+:\w+")
METRIC = re.compile(r"\b((?:langop|gen_ai|process)_\w+)(?:\{([^{}]*)\})?")


@dataclass(frozen=True)
class Query:
    """An expression, what it is for, and the labels by which it groups."""

    title: str
    expression: str
    metrics: dict[str, set[str]] = field(default_factory=dict)  # the labels of its selectors, by metric
    groups: set[str] = field(default_factory=set)


def _query(title: str, expression: str) -> Query:
    metrics: dict[str, set[str]] = {}
    for name, selector in METRIC.findall(expression):
        metrics.setdefault(name, set()).update(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", selector))
    groups = {name for listed in re.findall(r"\b(?:by|on)\s*\(([^()]*)\)", expression) for name in re.findall(r"\w+", listed)}
    return Query(title, expression, metrics, groups)


def panels() -> list[Query]:
    """Return the queries of the dashboard, with every variable at All."""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    shown = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]
    return [
        _query(title, re.sub(r"\$(namespace|service|model)\b", ".*", re.sub(r"\[\$__\w+\]", "[1m]", expression)))
        for title, expression in shown
    ]


def alerts() -> list[Query]:
    """Return the queries of the alerts, with the expressions of recording rules in place of their names."""
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = {rule["record"]: rule["expr"].strip() for rule in rules if "record" in rule}
    return [
        _query(rule["alert"], RECORDED.sub(lambda name: f"({recorded[name[0]]})", rule["expr"]))
        for rule in rules
        if "alert" in rule
    ]
