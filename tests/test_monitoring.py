"""deploy/monitoring: alerts and dashboard. tests/live/test_dashboard.py compares them with what a gateway exports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.conftest import ROOT
from tests.support import programs
from tests.support.manifests import container, gateway, of_kind
from tools import dashboard

MONITORING = ROOT / "deploy" / "monitoring"
ALERTS = (MONITORING / "alerts.yaml").read_text(encoding="utf-8")
RECORDED: list[dict[str, Any]] = [rule for group in yaml.safe_load(ALERTS)["groups"] for rule in group["rules"]]
RULES = [rule for rule in RECORDED if "alert" in rule]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TOLD_IN = ("alerts.test.yaml", "alerts-of-days.test.yaml")
STORIES: list[dict[str, Any]] = [
    story for name in TOLD_IN for story in yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))["tests"]
]
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
        return subprocess.run([program, *arguments], check=False, capture_output=True, text=True, cwd=folder, timeout=240)

    return run


# Alerts.


def fired_in(story: dict[str, Any]) -> list[str]:
    """Return the alerts that fire in a story."""
    return [test["alertname"] for test in story.get("alert_rule_test", []) if test.get("exp_alerts")]


def test_prometheus_understands_the_alerts(promtool: Promtool):
    done = promtool("check", "rules", "alerts.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alerts_tell_their_stories_and_no_others(promtool: Promtool):
    done = promtool("test", "rules", *TOLD_IN)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_alert_that_never_fires_would_be_noticed(tmp_path: Path, promtool: Promtool):
    """The stories are about each alert: without alerts, promtool names all of them."""
    (tmp_path / "alerts.yaml").write_text("groups: []\n", encoding="utf-8")
    for name in TOLD_IN:
        shutil.copy(MONITORING / name, tmp_path)
    done = promtool("test", "rules", *TOLD_IN, folder=tmp_path)
    assert done.returncode == 1
    missed = set(re.findall(r"alertname: ?(\w+)", done.stdout + done.stderr))
    assert missed == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_what_to_do(rule: dict[str, Any]):
    assert rule["alert"].startswith("LangopModel")
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["for"]
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert all(rule["annotations"][text].endswith(".") for text in ("summary", "description"))


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_the_runbook_of_an_alert_is_its_section_of_the_operations_manual(rule: dict[str, Any]):
    """A heading's anchor is its text in small letters, as GitHub and most renderers make it."""
    document, anchor = rule["annotations"]["runbook_url"].split("#")
    assert document.endswith("/operations.md")
    assert anchor == rule["alert"].lower()
    section = OPERATIONS.partition(f"\n### {rule['alert']}\n")[2].partition("\n#")[0]
    for part in ("Means: ", "Look at: ", "Do: "):
        assert f"\n{part}" in section, f"{part} of {rule['alert']}"


def test_the_operations_manual_has_no_unknown_alert():
    named = re.findall(r"^### (LangopModel\w+)$", OPERATIONS, re.MULTILINE)
    assert sorted(named) == sorted(rule["alert"] for rule in RULES)


def test_each_alert_fires_in_a_story_and_one_story_has_no_alert_at_all():
    assert {alert for story in STORIES for alert in fired_in(story)} == {rule["alert"] for rule in RULES}
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


def test_the_dashboard_is_written_from_its_source():
    assert (MONITORING / "dashboard.json").read_text(encoding="utf-8") == dashboard.text(), "run `make dashboard`"


def test_the_dashboard_has_a_row_for_each_question():
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Is it up?", "Is it us or them?", "Who is limited?", "What does it cost?", "What changed?"]


def test_the_dashboard_fits_grafanas_schema():
    """Grafana's library reads what its schema has, and drops or refuses the rest: nothing may be lost on the way."""
    assert list(_lost(DASHBOARD, _as_grafana_reads(DASHBOARD))) == []


def test_grafanas_schema_finds_a_member_that_it_does_not_have():
    """Else the test above would show nothing."""
    wrong = json.loads(json.dumps(DASHBOARD))
    wrong["panels"][1]["fieldConfig"]["defaults"]["units"] = "s"
    wrong["panels"][1]["options"]["graphmode"] = "area"
    lost = ["/panels/1/fieldConfig/defaults/units", "/panels/1/options/graphmode"]
    assert list(_lost(wrong, _as_grafana_reads(wrong))) == lost


def _as_grafana_reads(board: dict[str, Any]) -> Any:
    plugins.register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(board)))


def _lost(given: Any, read: Any, place: str = "") -> Iterator[str]:
    """Yield the places of what was given and is not the same in what was read."""
    if isinstance(given, dict) and isinstance(read, dict):
        for name, value in given.items():
            yield from _lost(value, read.get(name), f"{place}/{name}")
    elif isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        for at, (value, other) in enumerate(zip(given, read, strict=True)):
            yield from _lost(value, other, f"{place}/{at}")
    elif given != read:
        yield place


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


def test_the_service_monitor_scrapes_the_gateways_port():
    """Under the job that alerts and dashboard name."""
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
