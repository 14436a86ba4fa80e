"""`make dashboard`: deploy/monitoring/dashboard.json, from dashboard.yaml beside it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path("deploy/monitoring")
SOURCE, TARGET = FOLDER / "dashboard.yaml", FOLDER / "dashboard.json"
GATEWAY = 'namespace=~"$namespace", service=~"$service"'
WORDS = {"MODEL": f'{GATEWAY}, model=~"$model"', "GATEWAY": GATEWAY, "[RATE]": "[$__rate_interval]", "[RANGE]": "[$__range]"}
SOURCE_OF_DATA = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
Panel = dict[str, Any]


def build(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return Grafana's dashboard of these rows, as dashboard.yaml has them."""
    return {
        "title": "langop/model",
        "uid": "langop-model",
        "description": "Gateways of LanguageModels, one row for each question.",
        "tags": ["langop", "llm"],
        "schemaVersion": 39,
        "version": 2,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "",
        "templating": {"list": list(_variables())},
        "annotations": {"list": []},
        "links": [],
        "panels": list(_panels(rows)),
    }


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}
    queries = {
        "namespace": 'up{job="langop-model"}',
        "service": 'up{job="langop-model", namespace=~"$namespace"}',
        "model": f"langop_requests_total{{{GATEWAY}}}",
    }
    for name, series in queries.items():
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": SOURCE_OF_DATA,
            "query": {"query": f"label_values({series}, {name})", "refId": name},
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }


def _panels(rows: list[dict[str, Any]]) -> Iterator[Panel]:
    numbers = itertools.count(1)
    top = 0
    for row in rows:
        place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
        yield {"id": next(numbers), "type": "row", "title": row["row"], "collapsed": False, "gridPos": place, "panels": []}
        left, top, height = 0, top + 1, 0
        for entry in row["panels"]:
            kind = entry.get("kind", "time")
            width, high = entry.get("width", 4 if kind == "stat" else 8), 4 if kind == "stat" else 8
            if left + width > COLUMNS or (height and high != height):
                left, top, height = 0, top + height, 0
            yield _panel(next(numbers), entry, {"x": left, "y": top, "w": width, "h": high})
            left, height = left + width, high
        top += height


def _panel(number: int, entry: dict[str, Any], place: dict[str, int]) -> Panel:
    kind = entry.get("kind", "time")
    defaults: dict[str, Any] = {"unit": entry.get("unit", "short"), "min": 0}
    if kind == "time":
        defaults["custom"] = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never"}
        if entry.get("stacked"):
            defaults["custom"] |= {"fillOpacity": 30, "stacking": {"mode": "normal"}}
    if "thresholds" in entry:
        steps = [{"color": color, "value": value} for color, value in entry["thresholds"].items()]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if "states" in entry:
        states = entry["states"].items()
        options = {str(value): {"text": text, "color": color, "index": value} for value, (text, color) in states}
        defaults["mappings"] = [{"type": "value", "options": options}]
    return {
        "id": number,
        "type": {"time": "timeseries", "state": "state-timeline"}.get(kind, kind),
        "title": entry["title"],
        "description": entry.get("about", ""),
        "datasource": SOURCE_OF_DATA,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(kind),
        "targets": list(_targets(entry)),
    }


def _options(kind: str) -> dict[str, Any]:
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    if kind == "state":
        return {"mergeValues": True, "showValue": "never", "legend": {"displayMode": "list", "placement": "bottom"}}
    if kind == "table":
        return {"showHeader": True}
    legend = {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "max"]}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def _targets(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for letter, (legend, expression) in zip("ABCDEF", queries(entry).items(), strict=False):
        target: dict[str, Any] = {"refId": letter, "datasource": SOURCE_OF_DATA, "expr": expression, "legendFormat": legend}
        if entry.get("instant"):
            target["instant"] = True
        if entry.get("kind") == "table":
            target["format"] = "table"
        yield target


def queries(entry: dict[str, Any]) -> dict[str, str]:
    """Return the expressions of a panel by their legends."""
    if "quantiles" in entry:
        rate = f"sum by (le) (rate({entry['quantiles']}[RATE]))"
        found = {f"p{share * 100:g}": f"histogram_quantile({share:g}, {rate})" for share in entry["of"]}
    else:
        found = entry["queries"] if isinstance(entry["queries"], dict) else {"": entry["queries"]}
    for word, meaning in WORDS.items():
        found = {legend: expression.replace(word, meaning) for legend, expression in found.items()}
    return found


def text() -> str:
    """Return what dashboard.json is to hold."""
    return json.dumps(build(yaml.safe_load(SOURCE.read_text(encoding="utf-8"))), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it."""
    TARGET.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
