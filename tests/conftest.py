"""What all tests share."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import langop_model.renderer.json_schema  # noqa: F401 - before jsonschema: it leaves out a parser that takes four seconds
from langop_model.translator.settings import BEFORE_IMPORT

if TYPE_CHECKING:
    from langop_model.gateway.serving.translator_process import TranslatorProcess

# What the gateway, LiteLLM or a provider's client reads: the machine's own would change what a test sees, and the gateways that
# it starts. OPENAI_API_KEY asks for the one live request, and every gateway is started without it.
READ = re.compile(
    r"(LANGOP|LITELLM|OTEL|REDIS|AWS)_.*|(?!OPENAI_).*_API_KEY|DEBUG|JSON_LOGS|HOSTNAME|PROMETHEUS_MULTIPROC_DIR", re.DOTALL
)
for name in [name for name in os.environ if READ.fullmatch(name)]:
    del os.environ[name]

os.environ.update(BEFORE_IMPORT)  # LiteLLM reads it once, in whichever test imports it first
# LiteLLM asks Replicate whether an answer is ready, and the stand-in's is ready at once.
os.environ.update({"DEFAULT_REPLICATE_POLLING_DELAY_SECONDS": "0", "REPLICATE_POLLING_DELAY_SECONDS": "0"})
os.environ["LANGOP_NAMESPACE"] = "default"  # else a gateway that is started inside a pod takes the pod's

ROOT = Path(__file__).parent.parent
Golden = Callable[[Path, str], None]  # the fixture `golden`
# With -n 2 a module belongs to one process. These belong together: what they share takes seconds to start.
TOGETHER = {
    "gateways": ("tests/live/",),
    "LiteLLM": ("tests/litellm/", "tests/translator/", "tests/wire/"),
}
DECLARED_VARIABLES = (
    "LANGOP_GATEWAY_HMAC_SECRET",
    "LANGOP_MODEL_NAME",
    "LANGOP_SIBLING_URL",
    "LANGOP_SECRETS_PATH",
    "LITELLM_MASTER_KEY",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "REDIS_HOST",
    "REDIS_URL",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-values", action="store_true", help="put every value into every place of every example: minutes")
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing them")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Return what compares a text with its golden file, or writes the file with --update-golden."""
    refresh = f"run: .venv/bin/python -m pytest {request.path.relative_to(ROOT)} --update-golden, and read the difference"

    def compare(file: Path, actual: str) -> None:
        if request.config.getoption("--update-golden"):
            file.write_text(actual, encoding="utf-8")
        assert file.exists(), f"{file.relative_to(ROOT)} is missing: {refresh}"
        assert actual == file.read_text(encoding="utf-8"), f"{file.relative_to(ROOT)} differs: {refresh}"

    return compare


@pytest.fixture(scope="module")
def translator() -> Iterator[TranslatorProcess]:
    """A translator's process that serves, with LiteLLM in it."""
    from tests.translator.live import started, wait_until_ready

    process = started()
    wait_until_ready(process)
    yield process
    process.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With -n 2: which tests one process runs, one after another."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return next((name for name, folders in TOGETHER.items() if nodeid.startswith(folders)), nodeid.partition("::")[0])

    return Together(config, log)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test in the project's folder, without what another one left of the variables that a rendering depends on."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LANGOP_NAMESPACE", "default")
    for name in DECLARED_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """What a test does to the root logger ends with it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
