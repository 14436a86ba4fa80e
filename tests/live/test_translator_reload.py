"""A changed configuration that needs another translator: one that starts slowly, dies at its start, or under load."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stand_in import StandIn
from tests.live.changing import RETRIES, Translating, put
from tests.live.laboratory import PATIENCE
from tests.support import plain_http
from tests.support.load import Load
from tests.support.waiting import eventually
from tools.processes import Gateway

# Python runs a module of this name at its start. It hurts the translators of one log level, which tells one configuration from
# the next: `held` lets them wait as long as the file says their level, `killed` ends one of them.
SITE = """
import os, sys, time
FOLDER = {folder!r}
def named(name):
    try:
        return open(os.path.join(FOLDER, name)).read() == os.environ.get("LITELLM_LOG")
    except OSError:
        return False
if "langop_model.translator" in sys.orig_argv:
    if named("killed"):
        os.remove(os.path.join(FOLDER, "killed"))
        os._exit(9)
    while named("held"):
        time.sleep(0.05)
"""


class Hurt(Translating):
    """Its translators can be held back, and end at their start."""

    def level(self, level: str, model: str = "reload") -> None:
        """Mount a change that needs another translator."""
        self.mount(modelName=model, observability={"logging": {"level": level}}, **RETRIES)

    def hurt(self, how: str, level: str) -> None:
        (self.folder / how).write_text(level.upper(), encoding="utf-8")

    def release(self) -> None:
        (self.folder / "held").unlink()

    def until_waiting(self) -> None:
        """Wait until a second translator has been started."""
        eventually(lambda: len(self.translators()) == 2)

    @contextmanager
    def slow_change(self) -> Iterator[int]:
        """A change whose translator is held back meanwhile. It is served in the end, and then what was served before is again.

        Yields how many configurations have been served.
        """
        served = self.served()
        self.hurt("held", "error")
        self.level("error", "changed")
        self.until_waiting()
        yield served
        self.release()
        self.until_served(served + 1)
        assert self.names() == ["changed"]
        self.level("info")
        self.until_served(served + 2)
        self.until_quiet()

    def until_quiet(self) -> None:
        """Wait until neither a former worker nor a former translator is left."""
        eventually(lambda: len(self.translators()) == 1 and len(self.workers()) == 2)

    def names(self) -> list[str]:
        """Return the models that are served."""
        listed = plain_http.get(f"{self.gateway.url}/v1/models", timeout=PATIENCE).json()["data"]
        return [each["id"] for each in listed]


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hurt]:
    folder = tmp_path_factory.mktemp("hurt")
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(SITE.format(folder=str(folder)), encoding="utf-8")
    environment = {"PYTHONPATH": str(folder / "site")}
    with StandIn() as provider:
        hurt = Hurt(Gateway(folder / "model.json", folder / "secrets", folder, environment=environment), provider, folder)
        hurt.level("info")
        put(folder / "secrets" / "keys" / "one", "sk-first\n")
        with hurt.gateway:
            assert hurt.respond().status_code == 200
            yield hurt


def test_until_a_slow_translator_is_ready_the_former_configuration_serves(hurt: Hurt):
    with hurt.slow_change() as served:
        assert hurt.respond().status_code == 200
        assert (hurt.served(), hurt.names()) == (served, ["reload"])


def test_a_worker_that_dies_meanwhile_serves_the_same_configuration_again(hurt: Hurt):
    with hurt.slow_change():
        (worker,) = set(hurt.workers()) - set(hurt.translators())
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: '"code":"LM723"' in hurt.log())
        assert hurt.names() == ["reload"]
        assert hurt.respond().status_code == 200  # by the former translator: the other one is not ready


def test_one_that_dies_under_load_while_a_change_waits_costs_no_request(hurt: Hurt):
    served = hurt.served()
    hurt.hurt("held", "error")
    (serving,) = hurt.translators()
    with Load("POST", f"{hurt.gateway.url}/v1/responses", {"model": "reload", "input": "Hello"}, least=50) as load:
        hurt.level("error")
        hurt.until_waiting()
        os.kill(serving, signal.SIGKILL)
        eventually(lambda: "the translator ended (SIGKILL)" in hurt.log() and len(hurt.translators()) == 2)
        before = load.count
        eventually(lambda: load.count > before + 10)
        assert hurt.served() == served
        hurt.release()
        hurt.until_served(served + 1)
    assert (load.failures, load.statuses) == ([], {200: load.count})
    hurt.until_quiet()


def test_one_that_dies_at_its_start_delays_the_change_only(hurt: Hurt):
    served = hurt.served()
    hurt.hurt("killed", "info")
    hurt.level("info")
    eventually(lambda: "the translator ended (exit code 9)" in hurt.log())
    assert hurt.served() == served
    assert hurt.respond().status_code == 200
    hurt.until_served(served + 1)
    assert hurt.respond().status_code == 200
    hurt.until_quiet()
