"""`launch` with a real LiteLLM: what keeps it from serving, and several workers."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import httpx

from tests.live.laboratory import PATIENCE, question
from tools.processes import Gateway
from tools.stand_in import StandIn

NO_SUCH = "litellm_settings: {callbacks: [no_such.thing, langop_model.gateway.extension.callback]}"


def model(folder: Path, endpoint: str) -> Path:
    path = folder / "model.json"
    spec = {"provider": "openai-compatible", "modelName": "launched", "endpoint": endpoint, "observability": {"metrics": True}}
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def test_what_litellm_can_not_load_is_told_in_a_line_and_ends_with_78(tmp_path: Path):
    termination = tmp_path / "termination-log"
    termination.touch()
    environment = {"LANGOP_TERMINATION_LOG": str(termination), "LANGOP_GATEWAY_EXTRA_CONFIG": NO_SUCH}
    gateway = Gateway(model(tmp_path, "http://127.0.0.1:9/v1"), tmp_path, tmp_path, environment=environment)
    gateway.start()
    try:
        assert gateway.process is not None
        assert gateway.process.wait(PATIENCE) == 78
    finally:
        gateway.stop()
    told = "error LM721: LiteLLM can't load the configuration: ImportError: Could not import thing from no_such"
    assert termination.read_text(encoding="utf-8").startswith(told)
    log = gateway.log.read_text(encoding="utf-8")
    assert told in log
    assert "Traceback" not in log


def test_several_workers_add_up_their_metrics(tmp_path: Path):
    with (
        StandIn() as provider,
        Gateway(model(tmp_path, provider.base("launched")), tmp_path, tmp_path, environment={"LANGOP_WORKERS": "2"}) as gateway,
    ):
        for _ in range(16):  # each on a connection of its own, which either worker may accept
            answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=question("launched"), timeout=PATIENCE)
            assert answer.status_code == 200
        deadline = time.monotonic() + PATIENCE
        while counted(gateway) != 16:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert [counted(gateway) for _ in range(8)] == [16] * 8


def counted(gateway: Gateway) -> float:
    """Return the requests of the model by one scrape, on a connection of its own."""
    text = httpx.get(f"{gateway.url}/metrics", timeout=PATIENCE).text
    found = re.search(r"^litellm_proxy_total_requests_metric_total\{[^}]*\"launched\"[^}]*\} ([\d.]+)", text, re.MULTILINE)
    return float(found[1]) if found else 0.0
