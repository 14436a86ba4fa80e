"""Every golden configuration is loaded by a stock LiteLLM Router, which drops a deployment that it does not understand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

GOLDENS = sorted((ROOT / "tests" / "golden").glob("*.config.yaml"))
EXPECTED_WARNINGS = ("not in built-in cost map",)  # a price of the spec's own


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what LiteLLM made of each golden configuration, by file name. One process loads them all."""
    folder = tmp_path_factory.mktemp("loaded")
    broken = folder / "broken.config.yaml"
    broken.write_text(GOLDENS[0].read_text(encoding="utf-8").replace("max_tokens: 8192", "rpm: fifty"), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    process = subprocess.run(
        [sys.executable, "-m", "tests.litellm.load_configurations", *map(str, GOLDENS), str(broken)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return {path.rsplit("/", 1)[-1]: result for path, result in json.loads(process.stdout).items()}


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.name)
def test_litellm_keeps_every_deployment_that_was_rendered(golden: Any, loaded: dict[str, Any]):
    rendered = [entry["model_info"]["id"] for entry in yaml.safe_load(golden.read_text(encoding="utf-8"))["model_list"]]
    result = loaded[golden.name]
    assert result["error"] is None
    assert result["ids"] == rendered
    assert len(set(rendered)) == len(rendered)


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.name)
def test_litellm_has_nothing_to_warn_about(golden: Any, loaded: dict[str, Any]):
    unexpected = [
        warning for warning in loaded[golden.name]["warnings"] if not any(known in warning for known in EXPECTED_WARNINGS)
    ]
    assert unexpected == []


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.name)
def test_litellm_knows_the_model_by_both_its_names(golden: Any, loaded: dict[str, Any]):
    config = yaml.safe_load(golden.read_text(encoding="utf-8"))
    names = {entry["model_name"] for entry in config["model_list"]} | set(
        config["router_settings"].get("model_group_alias", {})
    )
    assert names <= set(loaded[golden.name]["groups"])


def test_a_broken_deployment_would_be_noticed(loaded: dict[str, Any]):
    assert loaded["broken.config.yaml"]["ids"] == [] or loaded["broken.config.yaml"]["warnings"]
