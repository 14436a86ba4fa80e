"""The providers, as the header comments of their templates describe them."""

from __future__ import annotations

from pathlib import Path

import pytest

from langop_model.renderer import catalogue, specification


def test_the_providers_are_those_of_the_schema_in_its_order():
    names = specification.schema()["properties"]["spec"]["properties"]["provider"]["enum"]
    assert [provider.name for provider in catalogue.providers()] == names


@pytest.mark.parametrize("index", range(7))
def test_a_provider_says_in_one_line_each_what_it_is_and_needs_and_where_to_read_on(index: int):
    provider = catalogue.providers()[index]
    for text in (provider.title, provider.needs):
        assert text
        assert "\n" not in text
        assert text == text.strip()
    assert provider.link.startswith("https://docs.litellm.ai/docs/providers/")


def test_what_a_provider_needs_is_taken_from_its_template():
    azure = next(provider for provider in catalogue.providers() if provider.name == "azure")
    assert azure.title == "Azure OpenAI"
    assert azure.needs.startswith("endpoint (the resource's root), apiKeySecretRef;")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{# Only a title. #}",
        "{# Title.\n   Needs: a key. #}",
        "text\n{# Title.\n   Needs: x\n   Special: y\n   https://a #}",
    ],
)
def test_a_template_whose_header_says_too_little_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str
):
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "openai.yaml.j2").write_text(header, encoding="utf-8")
    monkeypatch.setattr(catalogue, "folder", lambda _: tmp_path)
    with pytest.raises(ValueError, match=r"providers/openai\.yaml\.j2"):
        catalogue.providers()
