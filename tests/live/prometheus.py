"""A Prometheus that scrapes gateways every two seconds, with rules of shorter durations where a test wants them to fire."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support import plain_http, programs
from tools.processes import Gateway, free_port

JOB = "langop-model"
SECONDS = {"m": 2, "h": 120, "d": 24 * 120}  # that are left of a minute, an hour, and a day


def shortened(rules: str) -> str:
    """Return rules with two seconds for each minute of their ranges and of `for`."""

    def shorter(match: re.Match[str]) -> str:
        return f"{match[1]}{int(match[2]) * SECONDS[match[3]]}s{match[4]}"

    return re.sub(r"(for: )(\d+)([mhd])()$", shorter, re.sub(r"(\[)(\d+)([mhd])(\])", shorter, rules), flags=re.MULTILINE)


def find_or_skip(consequence: str) -> str:
    """Return the path of prometheus; where there is none, skip the test with the `consequence` and the reason."""
    try:
        return programs.find("prometheus", "prometheus")
    except FileNotFoundError as problem:
        pytest.skip(f"{consequence}: {problem}")


class Prometheus:
    """The server. `gateways` are its targets, each with the labels that service discovery gives it; `rules` is a rule file."""

    def __init__(
        self, program: str, folder: Path, gateways: Mapping[str, Gateway], labels: Mapping[str, dict[str, str]], rules: str = ""
    ) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        targets = [
            {"targets": [gateway.url.removeprefix("http://")], "labels": labels[name]} for name, gateway in gateways.items()
        ]
        config: dict[str, Any] = {
            "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
            "scrape_configs": [{"job_name": JOB, "static_configs": targets}],
        }
        if rules:
            (folder / "rules.yml").write_text(rules, encoding="utf-8")
            config["rule_files"] = ["rules.yml"]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        command = [program, "--config.file=prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        command.append(f"--web.listen-address={self.url.removeprefix('http://')}")
        with (folder / "prometheus.log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)

    def series(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression now, each with `metric` and `value`; none while Prometheus is starting."""
        try:
            answer = plain_http.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=30)
        except httpx.TransportError:
            return []
        if answer.status_code == 503:
            return []
        body: dict[str, Any] = answer.json()
        assert body["status"] == "success", body
        found: list[dict[str, Any]] = body["data"]["result"]
        return found

    def values(self, expression: str) -> list[float]:
        """Return the values of an expression now."""
        return [float(series["value"][1]) for series in self.series(expression)]

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)
