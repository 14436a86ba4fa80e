"""The same requests through the relay and through LiteLLM: what differs is listed in differences.yaml, with its reason.

LiteLLM is the reference for what a provider is asked and what a client gets. A difference that is not listed is a defect of the
relay, or a decision that nobody wrote down; one that is listed and does not occur any more is out of date.
"""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from langop_model.contract import section
from langop_model.gateway.serving.translator_process import TranslatorProcess
from langop_model.gateway.upstreams.base import UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.failure_causes import classify
from langop_model.gateway.upstreams.parameters import Parameters
from langop_model.gateway.upstreams.relay import Relay
from langop_model.gateway.upstreams.translation import Translation
from langop_model.renderer import rendering
from langop_model.renderer.settings import Settings
from tests.differential import compare
from tests.differential.compare import Difference
from tests.differential.corpus import CASES, KINDS, Case, Kind
from tests.translator.scripted import Scripted
from tests.unit.specs import a_resource

pytestmark = pytest.mark.skipif(find_spec("litellm") is None, reason="LiteLLM is not installed")
KEY = "not-a-real-key-4711"
LISTED: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "differences.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found(translator: TranslatorProcess, tmp_path_factory: pytest.TempPathFactory) -> list[Difference]:
    """All differences, of all kinds and cases."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "secret").mkdir()
    (folder / "secret" / "api-key").write_text(f"{KEY}\n", encoding="utf-8")

    async def every() -> list[Difference]:
        return [each for name, kind in KINDS.items() for each in await of_kind(name, kind, str(translator.path), folder)]

    return asyncio.run(every())


async def of_kind(name: str, kind: Kind, socket: str, folder: Path) -> list[Difference]:
    """Return the differences of one provider kind."""
    async with Scripted() as provider:
        spec = {
            "provider": kind.provider,
            "modelName": kind.model,
            "endpoint": provider.url + kind.path,
            "apiKeySecretRef": {"name": "secret", "key": "api-key"},
        }
        config = rendering.render([a_resource(spec, "model")], Settings(secrets_folder=str(folder))).config
        (group,) = section.groups(config["callback_settings"]["langop"]).values()
        deployments = Deployments(config["model_list"], {})
        relay, translation = Relay(deployments), Translation([socket], deployments, classify=classify)
        parameters, served = Parameters(group), group.upstream.routes if group.upstream else {}
        try:
            return [
                each
                for case_name, case in CASES.items()
                if case.route in served
                for each in await of_case(name, case_name, case, provider, parameters, relay, translation)
            ]
        finally:
            await relay.aclose()
            await translation.aclose()


async def of_case(  # noqa: PLR0917
    kind: str, name: str, case: Case, provider: Scripted, parameters: Parameters, relay: Relay, translation: Translation
) -> list[Difference]:
    """Return the differences of one request. What the catalogue has LiteLLM translate is not relayed, and not compared."""
    group = parameters.group
    body = {**case.body, "model": group.name, **({"stream": True} if case.stream else {})}
    prepared = parameters.prepare(case.route, body, case.stream, group.name)
    if prepared.is_translated:
        return []
    unprepared = {key: value for key, value in body.items() if key != "model"}
    provider.behave = case.behaviour
    results = []
    for upstream, content in ((relay, prepared.body), (translation, unprepared)):
        provider.asked.clear()
        request = UpstreamRequest(
            case.route,
            group.name,
            content,
            case.stream,
            timeout=10,
            files=case.files,
            shown_model="shown",
            strips_usage=prepared.strips_usage and upstream is relay,
        )
        got = await compare.got(upstream.send(group, group.endpoints[0], request), request)
        results.append((compare.sent(provider.asked), got))
    (sent, got), (also_sent, also_got) = results
    return [
        *compare.differences(kind, name, "sent", sent, also_sent),
        *compare.differences(kind, name, "got", got, also_got),
    ]


def is_listed(difference: Difference, entry: dict[str, Any]) -> bool:
    """Whether an entry of the list is about a difference."""
    wanted = {"kinds": difference.kind, "cases": difference.case, "at": difference.at, "side": difference.side}
    return all(
        any(fnmatchcase(value, pattern) for pattern in _patterns(entry.get(name, "*"))) for name, value in wanted.items()
    )


def _patterns(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_every_difference_is_listed_with_its_reason(found: list[Difference]):
    unlisted = [str(each) for each in found if not any(is_listed(each, entry) for entry in LISTED)]
    assert not unlisted, "\n" + "\n".join(unlisted)


def test_every_listed_difference_occurs(found: list[Difference]):
    assert [entry for entry in LISTED if not any(is_listed(each, entry) for each in found)] == []


def test_every_entry_says_why():
    assert all(entry["why"].endswith(".") for entry in LISTED)
