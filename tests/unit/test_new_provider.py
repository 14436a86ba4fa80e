"""`new-provider`: what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from langop_model.renderer import catalogue
from tests.conftest import ROOT
from tools import new_provider, provider_catalogue
from tools.provider_catalogue import Installed

BEARER = "Authorization: Bearer KEY"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a catalogue, where LiteLLM knows one provider more."""
    for name in ("schema", "examples", "templates/providers"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "schema" / "providers.json", tmp_path / "schema")
    (tmp_path / "examples" / "taken.yaml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    known = {"bolt": Installed(chat=True, embeddings=False)}
    monkeypatch.setattr(provider_catalogue, "installed", lambda: known)
    return tmp_path


def create(
    name: str = "acme",
    address: str = "https://api.acme.example/v1",
    key: str = BEARER,
    title: str = "Acme AI",
    link: str = "https://acme.example/docs",
) -> list[str]:
    return new_provider.create(name, title, link, address, key, Path.cwd())


def row(checkout: Path, name: str) -> dict[str, Any]:
    rows = json.loads((checkout / "schema" / "providers.json").read_text(encoding="utf-8"))["providers"]
    found: dict[str, Any] = rows[name]
    return found


def test_a_provider_that_litellm_knows_needs_a_row_and_an_example(checkout: Path):
    assert create("bolt") == ["schema/providers.json", "examples/bolt.yaml"]
    provider = catalogue.provider_of("bolt", row(checkout, "bolt"))
    assert (provider.litellm, provider.always_set_api_base, provider.template) == ("bolt", False, "deployment.yaml.j2")
    assert provider.credentials == {"api_key": ["BOLT_API_KEY"]}


def test_any_other_one_is_asked_as_openai_is_at_its_own_address(checkout: Path):
    create()
    provider = catalogue.provider_of("acme", row(checkout, "acme"))
    assert (provider.litellm, provider.address, provider.always_set_api_base) == ("openai", "https://api.acme.example/v1", True)


def test_one_with_a_header_of_its_own_gets_a_template(checkout: Path):
    assert create(key="X-Acme-Key: KEY")[-1] == "templates/providers/acme.yaml.j2"
    assert row(checkout, "acme")["template"] == "acme"
    assert '"X-Acme-Key"' in (checkout / "templates" / "providers" / "acme.yaml.j2").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["acme", "aa", "zz"])
def test_the_other_rows_stay_as_they_are(name: str, checkout: Path):
    before = (checkout / "schema" / "providers.json").read_text(encoding="utf-8").splitlines()
    create(name)
    after = (checkout / "schema" / "providers.json").read_text(encoding="utf-8").splitlines()
    start = after.index(f'    "{name}": {{')
    rest = after[:start] + after[start + len(after) - len(before) :]
    assert [line.rstrip(",") for line in rest] == [line.rstrip(",") for line in before]
    names = list(json.loads("\n".join(after))["providers"])[8:]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": "Acme AI"}, "a provider's name is"),
        ({"name": "groq"}, "is in the catalogue already"),
        ({"name": "gateway"}, "is something else"),
        ({"name": "taken"}, "is something else"),
        ({"title": "Acme #} {{ 1 }}"}, "a title is a line"),
        ({"link": "acme.example"}, "a link starts with"),
        ({"address": "api.acme.example"}, "an address starts with"),
        ({"address": "http://api.acme.example/v1"}, "an address starts with"),
        ({"address": "https://api.acme.example/v1/"}, "an address starts with"),
        ({"address": "https://api.acme.example/v1?x=1"}, "an address starts with"),
        ({"address": "https://api.acme.example/v1/chat/completions"}, "an address starts with"),
        ({"key": "X-Acme-Key"}, "a header that holds the key alone"),
        ({"key": "X-Acme-Key: Token KEY"}, "a header that holds the key alone"),
    ],
)
def test_what_can_not_be_a_provider_is_refused_and_nothing_is_written(arguments: dict[str, str], reason: str, checkout: Path):
    before = (checkout / "schema" / "providers.json").read_bytes()
    with pytest.raises(ValueError, match=reason):
        create(**arguments)
    assert (checkout / "schema" / "providers.json").read_bytes() == before
    assert [path.name for path in (checkout / "examples").iterdir()] == ["taken.yaml"]
