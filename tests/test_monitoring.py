"""deploy/monitoring: alerts and dashboard. tests/live/test_dashboard.py compares them with what a gateway exports."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import programs
from tests.conftest import ROOT
from tests.manifests import container, gateway, of_kind

MONITORING = ROOT / "deploy" / "monitoring"
ALERTS = (MONITORING / "alerts.yaml").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [rule for group in yaml.safe_load(ALERTS)["groups"] for rule in group["rules"]]
TESTS: dict[str, Any] = yaml.safe_load((MONITORING / "alerts.test.yaml").read_text(encoding="utf-8"))
STORIES: list[dict[str, Any]] = TESTS["tests"]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
Promtool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def promtool() -> Promtool:
    """Prometheus's own checker of rules."""
    try:
        program = programs.find("promtool", "prometheus")
    except FileNotFoundError as problem:
        pytest.skip(f"PROMTOOL CHECKS NOTHING: {problem}")

    def run(*arguments: str, folder: Path = MONITORING) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *arguments], check=False, capture_output=True, text=True, cwd=folder, timeout=60)

    return run


# Alerts.


def fired_in(story: dict[str, Any]) -> list[str]:
    """Return the alerts that fire in a story."""
    return [test["alertname"] for test in story.get("alert_rule_test", []) if test.get("exp_alerts")]


def test_prometheus_understands_the_alerts(promtool: Promtool):
    done = promtool("check", "rules", "alerts.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alerts_tell_their_stories_and_no_others(promtool: Promtool):
    done = promtool("test", "rules", "alerts.test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_that_never_fires_would_be_noticed(rule: dict[str, Any], tmp_path: Path, promtool: Promtool):
    """Without an alert, promtool fails at the story in which it fires."""
    without = {"groups": [{"name": "all", "rules": [other for other in RULES if other != rule]}]}
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(without), encoding="utf-8")
    its_own = {**TESTS, "tests": [story for story in STORIES if rule["alert"] in fired_in(story)]}
    (tmp_path / "alerts.test.yaml").write_text(yaml.safe_dump(its_own), encoding="utf-8")
    done = promtool("test", "rules", "alerts.test.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert rule["alert"] in done.stdout + done.stderr


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_what_to_do(rule: dict[str, Any]):
    assert rule["alert"].startswith("LangopModel")
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["for"]
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert all(text.endswith(".") for text in rule["annotations"].values())


def test_each_alert_fires_in_one_story_and_one_story_has_no_alert_at_all():
    fired = [alert for story in STORIES for alert in fired_in(story)]
    assert sorted(fired) == sorted(rule["alert"] for rule in RULES)
    assert [story for story in STORIES if {"expr": "ALERTS", "eval_time": "60m"} in story.get("promql_expr_test", [])]


def test_prometheus_operators_rules_are_the_same(request: pytest.FixtureRequest):
    """Written by `pytest tests/test_monitoring.py --update-golden`."""
    head = (
        "# Written from alerts.yaml: change that, and run pytest tests/test_monitoring.py --update-golden.\n"
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: langop-model\nspec:\n"
    )
    groups = ALERTS[ALERTS.index("groups:") :]
    expected = head + "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))
    file = MONITORING / "prometheus-rule.yaml"
    if request.config.getoption("--update-golden"):
        file.write_text(expected, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == expected
    assert yaml.safe_load(expected)["spec"] == yaml.safe_load(ALERTS)


# The dashboard.


def test_the_dashboard_has_a_row_for_each_subject():
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == [
        "Now",
        "Traffic and errors",
        "Latency",
        "Tokens",
        "Cost",
        "Limits",
        "Fallbacks",
        "Endpoints",
        "Cache",
        "Process",
    ]


def test_panels_have_numbers_and_places_of_their_own():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_a_panel_asks_the_chosen_source_for_the_chosen_gateways(panel: dict[str, Any]):
    assert panel["datasource"]["uid"] == "${datasource}"
    assert panel["fieldConfig"]["defaults"]["unit"]
    for target in panel["targets"]:
        selectors = re.findall(r"\{([^{}]*)\}", target["expr"])
        assert selectors
        assert all('namespace=~"$namespace", service=~"$service"' in selector for selector in selectors)


def test_every_variable_that_is_used_can_be_chosen():
    chosen = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]+)\b", json.dumps(DASHBOARD)))
    assert used == chosen


# Prometheus finds the gateway.


def test_the_service_monitor_scrapes_the_port_of_the_gateways_service_under_the_job_that_alerts_and_dashboard_name():
    build = "overlays/monitoring"
    (monitor,) = of_kind(build, "ServiceMonitor")
    (service,) = of_kind(build, "Service")
    labels = service["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert endpoint["path"] == "/metrics"
    job = labels[monitor["spec"]["jobLabel"]]
    named = re.findall(r'\bjob="([^"]+)"', ALERTS + json.dumps(DASHBOARD).replace('\\"', '"'))
    assert set(named) == {job}
    assert container(gateway(build))["ports"]


def test_grafanas_sidecar_gets_the_dashboard():
    (found,) = [each for each in of_kind("overlays/monitoring", "ConfigMap") if "dashboard.json" in each["data"]]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["dashboard.json"]) == DASHBOARD
