"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else an import of LiteLLM asks for prices

ROOT = Path(__file__).parent.parent
DECLARED_VARIABLES = (
    "LANGOP_GATEWAY_HMAC_SECRET",
    "LANGOP_MODEL_NAME",
    "LANGOP_NAMESPACE",
    "LANGOP_SIBLING_URL",
    "LANGOP_SECRETS_PATH",
    "LITELLM_MASTER_KEY",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "REDIS_HOST",
    "REDIS_URL",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing them")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test in the project's folder, without the variables that a rendering depends on."""
    monkeypatch.chdir(ROOT)
    for name in DECLARED_VARIABLES:
        monkeypatch.delenv(name, raising=False)
