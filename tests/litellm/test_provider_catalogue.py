"""The catalogue of providers against the installed LiteLLM: what a raised pin brings is a list to review."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tools import provider_catalogue
from tools.provider_catalogue import Installed


@pytest.fixture(scope="module")
def installed() -> dict[str, Installed]:
    return provider_catalogue.installed()


def differences(found: dict[str, Installed]) -> list[str]:
    return list(provider_catalogue.differences(found, provider_catalogue.rows()))


def test_the_catalogue_has_every_provider_of_the_installed_litellm(installed: dict[str, Installed]):
    assert differences(installed) == []


def test_litellm_has_more_than_a_hundred_providers_to_chat_with(installed: dict[str, Installed]):
    assert sum(each.chat for each in installed.values()) > 130


def test_a_new_provider_is_listed(installed: dict[str, Installed]):
    new = {"acme": Installed(chat=True, embeddings=False, address="https://api.acme.example/v1")}
    assert differences(installed | new) == ["new: acme (chat, https://api.acme.example/v1)"]


def test_one_that_is_gone_is_listed(installed: dict[str, Installed]):
    assert differences({name: each for name, each in installed.items() if name != "groq"}) == ["gone: groq"]


@pytest.mark.parametrize(
    ("change", "listed"),
    [
        ({"chat": False}, "it has no chat route"),
        ({"embeddings": True}, "it has an embeddings route"),
        ({"address": "https://new.example"}, "its address is https://new.example, not https://api.groq.com/openai/v1"),
    ],
)
def test_one_that_has_changed_is_listed(change: dict[str, object], listed: str, installed: dict[str, Installed]):
    changed = {**installed, "groq": replace(installed["groq"], **change)}  # type: ignore[arg-type]
    assert differences(changed) == [f"changed: groq: {listed}"]


def names(lines: Iterable[str]) -> list[str]:
    return [line.split(":")[1].split()[0] for line in lines]


def test_an_empty_litellm_lacks_them_all():
    assert len(names(differences({}))) == len(provider_catalogue.rows())
