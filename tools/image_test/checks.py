"""What the image must do. Each check says in its first line what it shows; they follow one another on one stage."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tools.image_test.stage import FIRST_KEY, MODEL, REDIS_PASSWORD, SECOND_KEY, Stage

Check = Callable[[Stage], str]

DRAINED = 60.0  # seconds that a stopped container may take
SOON = 90.0  # seconds until a changed specification must be served; the kubelet alone takes up to a minute to show it
LEFT_ALONE = 60.0  # seconds; REDIS_CIRCUIT_BREAKER_RECOVERY_TIMEOUT of LiteLLM
REQUESTS = 1000
SOMEBODY = "1000650000:0"  # a user as OpenShift gives one: unknown to the image, in group 0


class SkippedError(Exception):
    """What a check needs is not on this machine."""


def it_gets_ready(stage: Stage) -> str:
    """The container gets ready with the memory of deploy/base, on a read-only root, as its user."""
    stage.specify()
    stage.start()
    seconds = stage.wait_until_ready()
    return f"ready after {seconds:.1f} s with {_memory(stage)} of memory"


def it_has_no_rights(stage: Stage) -> str:
    """Its processes have no capability, can gain none, and can't change the program."""
    status = stage.inside("cat", "/proc/1/status")
    values = dict(re.findall(r"^(Uid|CapEff|CapBnd|NoNewPrivs):\s+(\S+)", status, re.MULTILINE))
    assert values["Uid"] == "1000", values
    assert int(values["CapEff"], 16) == int(values["CapBnd"], 16) == 0, values
    assert values["NoNewPrivs"] == "1", values
    for place in ("/x", "/opt/langop/x", "/etc/langop/x", "/etc/secrets/x"):
        assert stage.engine.execute(stage.name, "touch", place).returncode != 0, f"{place} can be written"
    assert stage.inside("cat", "/proc/1/comm").strip() == "tini"
    return f"user {values['Uid']}"


def it_cannot_install_packages(stage: Stage) -> str:
    """The environment has no pip."""
    stage.inside("python", "-c", "import jinja2")
    done = stage.engine.execute(stage.name, "python", "-m", "pip", "--version")
    assert "No module named pip" in done.stderr, done
    return ""


def it_answers(stage: Stage) -> str:
    """A chat request is answered, whole and as a stream, with the mounted key."""
    answer = stage.ask("Hello")
    assert answer.status_code == 200, answer.text
    assert "Hello" in answer.json()["choices"][0]["message"]["content"]
    stream = stage.ask("Hello again", stream=True)
    assert stream.text.rstrip().endswith("data: [DONE]"), stream.text
    assert {seen.headers["authorization"] for seen in stage.provider.requests} == {f"Bearer {FIRST_KEY}"}
    return ""


def it_stays_within_its_memory(stage: Stage) -> str:
    """A thousand requests fit into the memory of deploy/base."""
    before = _memory(stage)
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda number: stage.ask(f"Question {number}").status_code, range(REQUESTS)))
    assert statuses == {200: REQUESTS}, statuses
    assert httpx.get(f"{stage.url}/metrics", timeout=60).status_code == 200
    return f"{before} before, {_memory(stage)} after"


def its_health_check_holds(stage: Stage) -> str:
    """The HEALTHCHECK succeeds inside the container, and fails where nobody listens."""
    dockerfile = Path("Dockerfile").read_text(encoding="utf-8")
    (program,) = re.findall(r'CMD \["python", "-ISc", "(.+)"\]', dockerfile)
    assert "4000" in program
    commands = [program.replace("4000", str(port)) for port in (stage.port, 9)]
    good, bad = (stage.engine.execute(stage.name, "python", "-ISc", each).returncode for each in commands)
    assert good == 0
    assert bad != 0
    return ""


def its_configuration_is_in_its_place(stage: Stage) -> str:
    """/app/config.yaml holds the configuration without the key, and generate-config.py prints the same."""
    written = stage.inside("cat", "/app/config.yaml")
    assert f"model_name: {MODEL}" in written
    assert FIRST_KEY not in written
    assert stage.inside("/usr/local/bin/generate-config.py") == written
    return ""


def it_answers_while_redis_is_down(stage: Stage) -> str:
    """A redis that goes down loses no request."""
    redis = stage.redis
    if redis is None:
        raise SkippedError("there is no redis-server on this machine")
    assert stage.ask("Before the outage").status_code == 200
    _eventually(lambda: bool(redis.answers()), "redis holds no answer")
    redis.kill()
    statuses = [stage.ask(f"During the outage {number}").status_code for number in range(5)]
    redis.start()
    assert statuses == [200] * 5, statuses
    return "5 requests"


def it_uses_a_rotated_key(stage: Stage) -> str:
    """A changed Secret is used by the next request, without a restart."""
    stage.secrets.write({"api-key": f"{SECOND_KEY}\n"})
    assert stage.ask("With which key?").status_code == 200
    used = stage.provider.requests[-1].headers["authorization"]
    assert used == f"Bearer {SECOND_KEY}", f"the provider still got {'the first key' if FIRST_KEY in used else used}"
    return ""


def it_follows_its_specification(stage: Stage) -> str:
    """A changed specification takes effect without a restart, and no request is lost meanwhile."""
    stage.specify(modelName="renamed")
    started, lost = time.monotonic(), []
    while stage.ask("Renamed?", model="renamed").status_code != 200:
        assert time.monotonic() - started < SOON, f"not served within {SOON:.0f} s"
        lost += [answer.status_code for answer in [stage.ask("Still there?")] if answer.status_code >= 500]
    assert not lost, lost
    return f"after {time.monotonic() - started:.1f} s, with {_memory(stage)} of memory"


def it_keeps_the_keys_to_itself(stage: Stage) -> str:
    """No key and no password is in the logs, in the list of processes or in the configuration."""
    shown = stage.engine.logs(stage.name)
    assert shown
    shown += stage.inside("sh", "-c", "cat /proc/[0-9]*/cmdline /app/config.yaml")
    found = [secret for secret in (FIRST_KEY, SECOND_KEY, REDIS_PASSWORD) if secret in shown]
    assert not found, found
    return ""


def it_returns_to_redis(stage: Stage) -> str:
    """A redis that returns is used again, within the minute for which LiteLLM leaves one alone that has failed."""
    redis = stage.redis
    if redis is None:
        raise SkippedError("there is no redis-server on this machine")
    started = time.monotonic()

    def cached() -> bool:
        return stage.ask(f"After the outage {time.monotonic()}", model=_served(stage)).status_code == 200 and bool(
            redis.answers()
        )

    _eventually(cached, "no answer is cached after the outage", within=LEFT_ALONE + 30)
    return f"after {time.monotonic() - started:.0f} s"


def it_drains(stage: Stage) -> str:
    """A request in flight is answered after SIGTERM, and then the container ends by it."""
    served = _served(stage)
    stage.provider.behave("provider", delay=4.0)
    with ThreadPoolExecutor(2) as pool:
        before = len(stage.provider.requests)
        slow = pool.submit(stage.ask, "Slow", model=served)
        stage.provider.wait_until(lambda: len(stage.provider.requests) > before, 30)
        started = time.monotonic()
        stopped = pool.submit(stage.engine.stop, stage.name, DRAINED)
        answer = slow.result()
        stopped.result()
    seconds = time.monotonic() - started
    stage.provider.behave("provider")
    code = stage.engine.exit_code(stage.name, DRAINED)
    assert answer.status_code == 200, answer.text
    assert code in (0, 143), f"exit code {code}"
    assert seconds < DRAINED / 2, f"it took {seconds:.0f} s to end"
    return f"exit code {code} after {seconds:.1f} s"


def it_runs_as_anybody(stage: Stage) -> str:
    """It runs as a user that the image does not know, in group 0: OpenShift's way."""
    stage.specify()
    stage.start(user=SOMEBODY)
    stage.wait_until_ready()
    assert stage.ask("Who am I?").status_code == 200
    assert "model_name" in stage.inside("cat", "/app/config.yaml")
    return f"user {stage.inside('id', '-u').strip()}"


def it_translates(stage: Stage) -> str:
    """A provider in a protocol of its own is answered by LiteLLM's SDK, within the memory of deploy/base."""
    key = stage.secrets.folder.joinpath("api-key").read_text(encoding="utf-8").strip()
    stage.specify(provider="anthropic", modelName="translated", endpoint=stage.provider.base("translated"))
    _eventually(lambda: stage.ask("Translated?", model="translated").status_code == 200, "nothing is translated", within=SOON)
    stream = stage.ask("Translated?", model="translated", stream=True)
    assert stream.text.rstrip().endswith("data: [DONE]"), stream.text
    seen = stage.provider.requests[-1]
    assert seen.path.endswith("/v1/messages"), seen.path
    assert seen.headers["x-api-key"] == key
    return f"with {_memory(stage)} of memory"


def it_refuses_a_wrong_specification(stage: Stage) -> str:
    """A wrong specification ends the start with code 78, and says why in the log and as the pod's termination message."""
    stage.specify(timeout="soon")
    stage.start()
    code = stage.engine.exit_code(stage.name, DRAINED)
    told = {"log": stage.engine.logs(stage.name), "termination message": stage.termination_log.read_text(encoding="utf-8")}
    assert code == 78, f"exit code {code}"
    assert not [name for name, text in told.items() if "spec.timeout" not in text], told
    return ""


ALL: tuple[Check, ...] = (
    it_gets_ready,
    it_has_no_rights,
    it_cannot_install_packages,
    it_answers,
    it_stays_within_its_memory,
    its_health_check_holds,
    its_configuration_is_in_its_place,
    it_answers_while_redis_is_down,
    it_uses_a_rotated_key,
    it_returns_to_redis,
    it_follows_its_specification,
    it_keeps_the_keys_to_itself,
    it_drains,
    it_runs_as_anybody,
    it_translates,
    it_refuses_a_wrong_specification,
)


def _served(stage: Stage) -> str:
    """Return the name of the model that is served now."""
    name: str = httpx.get(f"{stage.url}/v1/models", timeout=60).json()["data"][0]["id"]
    return name


def _eventually(holds: Callable[[], bool], otherwise: str, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)


def _memory(stage: Stage) -> str:
    """Return what the container's control group counts, as the kernel compares it with the limit."""
    files = "/sys/fs/cgroup/memory.current /sys/fs/cgroup/memory/memory.usage_in_bytes"
    counted = stage.engine.execute(stage.name, "sh", "-c", f"cat {files} 2>/dev/null").stdout
    return f"{int(counted.split()[0]) / 2**20:.0f} MiB" if counted else "an unknown amount"
