"""The catalogue of providers, from which come the schema's values, the templates' facts and the tables of the documentation."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from langop_model.renderer import catalogue
from langop_model.renderer.catalogue import Provider
from langop_model.resources import load_json

PROVIDERS = catalogue.providers()
USABLE = catalogue.usable()
SPEC = load_json("languagemodel.schema.json")["properties"]["spec"]["properties"]
RESOURCES_OWN = ["openai", "anthropic", "openai-compatible", "azure", "bedrock", "vertex", "custom", "gemini"]


def each(providers: list[Provider]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("provider", providers, ids=[provider.name for provider in providers])


def test_the_resources_own_providers_come_first():
    assert [provider.name for provider in PROVIDERS[:8]] == RESOURCES_OWN


# The schema of the catalogue, with which an editor helps.

CATALOGUE = load_json("providers.schema.json")
ROW = CATALOGUE["properties"]["providers"]["additionalProperties"]


def test_the_catalogue_is_valid():
    jsonschema.Draft202012Validator.check_schema(CATALOGUE)
    jsonschema.validate(load_json("providers.json"), CATALOGUE)


def test_the_schema_describes_each_member_that_is_read():
    assert set(ROW["properties"]) | {"name"} == set(Provider.__annotations__)
    relay = set(catalogue.Relay.__annotations__)
    assert set(ROW["properties"]["relay"]["properties"]) == relay
    assert all(member.get("description") for member in ROW["properties"].values())


@pytest.mark.parametrize("wrong", [{"keyles": True}, {"routes": ["chatt"]}, {"key": None}, {"unsupported_fields": ["top_p"]}])
def test_a_mistake_in_a_row_is_found(wrong: dict[str, Any]):
    row = {"title": "A", "link": "https://a.example.com", "routes": ["chat"], **wrong}
    assert not jsonschema.Draft202012Validator(CATALOGUE).is_valid({"providers": {"a": row}})


def test_the_others_are_in_the_order_of_their_names():
    names = [provider.name for provider in PROVIDERS[8:]]
    assert names == sorted(names)


def test_the_schema_takes_every_provider_that_can_be_used():
    assert SPEC["provider"]["enum"] == [provider.name for provider in USABLE]


def test_the_schema_takes_every_provider_by_litellms_own_name():
    assert SPEC["litellmProvider"]["enum"] == list(dict.fromkeys(provider.litellm for provider in USABLE))


def test_a_name_of_litellm_means_the_row_of_that_name_where_there_is_one():
    assert catalogue.of_litellm("openai").name == "openai"
    assert catalogue.of_litellm("vertex_ai").name == "vertex"


def test_custom_is_the_resources_own_and_another_one_for_litellm():
    assert catalogue.of_spec({"provider": "custom"}).litellm == "openai"
    assert catalogue.of_spec({"litellmProvider": "custom"}).litellm == "custom"


@each(USABLE)
def test_a_provider_has_an_address_or_says_what_an_endpoint_looks_like(provider: Provider):
    shown = provider.address or provider.endpoint_format
    assert re.match(r"https?://\S+$", shown)
    assert provider.endpoint_format or provider.address


@each(USABLE)
def test_a_provider_says_what_it_serves(provider: Provider):
    known = ("chat", "embeddings", "rerank", "images", "transcriptions", "speech", "moderations")
    assert [route for route in known if route in provider.routes] == list(provider.routes) != []


@each(PROVIDERS)
def test_a_provider_has_a_title_and_a_link(provider: Provider):
    """The title is one line; the link leads to the provider's documentation."""
    assert provider.title == provider.title.strip() != ""
    assert "\n" not in provider.title
    assert re.fullmatch(r"https://\S+", provider.link)


@each(USABLE)
def test_what_suffices_are_credentials_of_the_provider(provider: Provider):
    held = {*provider.credentials, *provider.environment}
    assert {name for names in provider.credential_sets for name in names} <= held
    assert set(provider.files) <= held


@each(USABLE)
def test_a_key_is_sent_in_a_header_of_its_own(provider: Provider):
    assert not provider.key or re.fullmatch(r"[A-Za-z-]+: ([A-Za-z]+ )?(KEY|TOKEN)", provider.key)


@each([provider for provider in PROVIDERS if provider.unsupported_reason])
def test_a_provider_that_is_refused_has_a_reason_and_nothing_else(provider: Provider):
    assert (provider.routes, provider.credentials, provider.template) == ((), {}, "deployment.yaml.j2")


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("groq", "apiKeySecretRef"),
        ("azure", "endpoint (https://RESOURCE.openai.azure.com); apiKeySecretRef or credentialsSecretRef"),
        ("openai-compatible", "endpoint (https://HOST/v1)"),
        ("sagemaker", "credentialsSecretRef, or the pod's own identity"),
        ("ollama", "nothing else"),
        ("predibase", "apiKeySecretRef; params.predibase_tenant_id"),
    ],
)
def test_what_a_provider_needs_is_said_in_the_fields_of_a_spec(name: str, needs: str):
    assert catalogue.named(name).needs == needs


def test_the_header_of_a_check_is_the_one_that_carries_the_key():
    assert catalogue.named("openai").key_header == ("Authorization", "Bearer ")
    assert catalogue.named("anthropic").key_header == ("x-api-key", "")


def test_a_member_that_no_row_has_is_refused():
    with pytest.raises(TypeError, match=r"the provider new: .*there is no colour$"):
        catalogue.provider_of("new", {"title": "New", "link": "x", "routes": ["chat"], "colour": "red"})


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_TENANT_ID", "DATABRICKS_CLIENT_SECRET", "GROQ_API_KEY"]
)
def test_the_variables_that_litellm_would_read_by_itself_are_known(name: str):
    assert name in catalogue.foreign_settings()


@pytest.mark.parametrize("name", ["PATH", "LITELLM_MASTER_KEY", "REDIS_PASSWORD", "DD_API_KEY", "AWS_ROLE_ARN"])
def test_other_variables_are_not_among_them(name: str):
    assert name not in catalogue.foreign_settings()
