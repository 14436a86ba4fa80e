"""What people paste as the address of a provider, and what it means. The forms are those of public bug reports."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer import catalogue, endpoints
from langop_model.renderer.findings import Finding, Findings
from langop_model.renderer.settings import Settings
from tests.unit.specs import EAST, a_spec, balanced, codes, parameters, refusal, render, render_gateway

PATH = ("spec", "endpoint")
AZURE = "https://r.openai.azure.com"
GOOGLE = "https://us-central1-aiplatform.googleapis.com"
AWS = "https://bedrock-runtime.us-east-1.amazonaws.com"
IN_POD = Settings(in_pod=True)
KEY: dict[str, Any] = {"apiKeySecretRef": {"name": "a", "key": "b"}}


def read(provider: str, url: str, model: str = "m") -> tuple[endpoints.Endpoint, list[Finding]]:
    found = Findings()
    return endpoints.read(catalogue.named(provider), url, model, PATH, found), found.items


def azure(endpoint: str = AZURE, **fields: Any) -> dict[str, Any]:
    return a_spec(provider="azure", modelName="gpt-4o", endpoint=endpoint, **KEY, **fields)


# A base address without its path.


@pytest.mark.parametrize(
    ("provider", "url", "base"),
    [
        ("openai-compatible", "http://ollama:11434", "http://ollama:11434/v1"),
        ("custom", "http://llm/", "http://llm/v1"),
        ("lm_studio", "http://studio:1234", "http://studio:1234/v1"),
        ("hosted_vllm", "http://vllm:8000", "http://vllm:8000/v1"),
        ("openai", "https://proxy.example.com", "https://proxy.example.com/v1"),
        ("mistral", "https://api.mistral.ai", "https://api.mistral.ai/v1"),
        ("gemini", "https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com/v1beta"),
        ("databricks", "https://w.databricks.com", "https://w.databricks.com/serving-endpoints"),
        ("cohere", "https://api.cohere.com/v2", "https://api.cohere.com/v2/chat"),
    ],
)
def test_a_path_that_is_missing_is_added(provider: str, url: str, base: str):
    endpoint, said = read(provider, url)
    assert (endpoint.base, codes(said)) == (base, ["LM130"])


@pytest.mark.parametrize("url", ["https://proxy.example.com/fal", "https://proxy.example.com/fal/fal-ai/flux"])
def test_where_only_the_model_follows_no_other_segment_is_taken_for_one(url: str):
    endpoint, said = read("fal_ai", url, "fal-ai/flux")
    assert endpoint.base == "https://proxy.example.com/fal"
    assert codes(said) == (["LM131"] if url.endswith("flux") else [])


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("https://api.groq.com/openai", "https://api.groq.com/openai/v1"),
        ("https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
        ("https://api.perplexity.ai", "https://api.perplexity.ai"),
        ("https://models.inference.ai.azure.com", "https://models.inference.ai.azure.com"),
    ],
)
def test_the_path_is_that_of_the_provider_whose_host_it_is(url: str, base: str):
    assert read("openai-compatible", url)[0].base == base


@pytest.mark.parametrize(
    "url",
    [
        "http://a/v1", "http://a/api/v1", "http://a/openai/v1", "http://a/v3/openai", "http://a/compatible-mode/v1",
        "http://a/engines/llama.cpp/v1", "http://a/v1beta/openai", "http://a/api/paas/v4",
    ],
)  # fmt: skip
def test_a_path_with_a_version_is_left_as_it_is(url: str):
    endpoint, said = read("openai-compatible", url)
    assert (endpoint.base, said) == (url, [])
    assert not endpoints.lacks_version(catalogue.named("openai-compatible"), url)


def test_another_providers_path_is_not_added_to_an_unknown_host():
    """A gateway in front of groq may have any path."""
    endpoint, said = read("groq", "http://gateway:8080")
    assert (endpoint.base, said) == ("http://gateway:8080", [])


# The URL of a request.


@pytest.mark.parametrize(
    ("provider", "url", "base"),
    [
        ("openai-compatible", "https://a/v1/chat/completions", "https://a/v1"),
        ("openai-compatible", "https://a/v1/chat/completions/", "https://a/v1"),
        ("openai-compatible", "https://a/v1/embeddings", "https://a/v1"),
        ("openai", "https://api.openai.com/v1/responses", "https://api.openai.com/v1"),
        ("anthropic", "https://a/v1/messages", "https://a"),
        ("anthropic", "https://a/v1", "https://a"),
        ("azure", f"{AZURE}/openai/deployments/m/chat/completions", AZURE),
        ("azure", f"{AZURE}/openai/deployments/m/embeddings", AZURE),
        ("azure", f"{AZURE}/openai/deployments/m", AZURE),
        ("azure", f"{AZURE}/openai/v1/", AZURE),
        ("azure", "https://r.cognitiveservices.azure.com/openai/deployments/m", "https://r.cognitiveservices.azure.com"),
        ("azure_ai", "https://r.services.ai.azure.com/models/chat/completions", "https://r.services.ai.azure.com/models"),
        ("bedrock", f"{AWS}/model/m/converse-stream", AWS),
        ("vertex", f"{GOOGLE}/v1/projects/p/locations/us-central1/publishers/anthropic/models/m:rawPredict", GOOGLE),
        ("gemini", "https://a/v1beta/models/m:streamGenerateContent", "https://a/v1beta"),
        ("gemini", "https://a/v1beta/openai/", "https://a/v1beta"),
        ("ollama", "http://ollama:11434/v1", "http://ollama:11434"),
        ("ollama_chat", "http://ollama:11434/api/chat", "http://ollama:11434"),
    ],
)
def test_what_litellm_appends_is_cut(provider: str, url: str, base: str):
    endpoint, said = read(provider, url)
    assert (endpoint.base, codes(said)) == (base, ["LM131"])


@pytest.mark.parametrize("url", ["https://a/v12", "https://a/v1/x", "https://v1"])
def test_only_whole_words_at_the_end_are_cut(url: str):
    assert read("anthropic", url)[0].base == url


def test_a_slash_at_the_end_is_worth_no_word():
    endpoint, said = read("openai-compatible", "https://a/v1//")
    assert (endpoint.base, said) == ("https://a/v1", [])


@pytest.mark.parametrize(
    ("provider", "url", "other"),
    [
        ("openai-compatible", "https://a/v1/messages", "anthropic"),
        ("anthropic", "https://a/v1/chat/completions", "openai-compatible"),
        ("openai", f"{AZURE}/openai/deployments/m/chat/completions?api-version=2024-10-21", "azure"),
        ("azure_ai", "https://r.services.ai.azure.com/openai/deployments/m/chat/completions", "azure"),
        ("vertex", f"{GOOGLE}/v1/projects/p/locations/l/endpoints/openapi/chat/completions", "openai-compatible"),
        ("openai-compatible", "http://ollama:11434/api/chat", "ollama_chat"),
    ],
)
def test_the_url_of_a_request_to_another_provider_is_refused(provider: str, url: str, other: str):
    _, said = read(provider, url)
    assert "LM233" in codes(said)
    assert f"provider {other}" in said[0].message


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("azure", "https://r.services.ai.azure.com/api/projects/p"),
        ("azure", "https://r.services.ai.azure.com/models"),
        ("bedrock", f"{AWS}/openai/v1"),
        ("vertex", f"{GOOGLE}/v1/projects/p/locations/us-central1/endpoints/openapi"),
    ],
)
def test_a_path_that_a_provider_does_not_have_is_refused(provider: str, url: str):
    assert "LM234" in codes(read(provider, url)[1])


def test_a_path_at_a_host_that_is_not_the_providers_is_kept():
    """An API gateway in front of Azure has a path of its own."""
    endpoint, said = read("azure", "https://apim.example.com/team-a")
    assert (endpoint.base, said) == ("https://apim.example.com/team-a", [])


# What a URL says beside the address.


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("azure", f"{AZURE}/openai/deployments/other/chat/completions"),
        ("bedrock", f"{AWS}/model/other/converse"),
        ("vertex", f"{GOOGLE}/v1/projects/p/locations/us-central1/publishers/google/models/other:generateContent"),
        ("gemini", "https://a/v1beta/models/other:generateContent"),
    ],
)
def test_a_url_of_another_model_is_refused(provider: str, url: str):
    assert "LM230" in codes(read(provider, url)[1])


def test_a_url_that_contradicts_itself_is_refused():
    assert "LM236" in codes(read("vertex", f"{GOOGLE}/v1/projects/p/locations/europe-west4")[1])


def test_the_model_in_a_url_may_be_encoded():
    assert codes(read("bedrock", f"{AWS}/model/amazon.nova-pro-v1%3A0/converse", "amazon.nova-pro-v1:0")[1]) == ["LM131"]


PORTAL = f"{AZURE}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"


def test_what_the_portal_of_azure_shows_is_understood():
    result = render(azure(PORTAL))
    wanted = {"model": "azure/gpt-4o", "api_base": AZURE, "api_version": "2024-10-21"}
    assert parameters(result).items() >= wanted.items()
    assert codes(result.findings) == ["LM131", "LM132"]


@pytest.mark.parametrize("fields", [{"apiVersion": "2024-10-21"}, {"params": {"api_version": "2024-10-21"}}])
def test_a_version_that_is_said_twice_alike_is_no_contradiction(fields: dict[str, Any]):
    result = render(azure(PORTAL, **fields))
    assert parameters(result)["api_version"] == "2024-10-21"
    assert codes(result.findings) == ["LM131"]


@pytest.mark.parametrize("fields", [{"apiVersion": "2025-01-01"}, {"params": {"api_version": "2025-01-01"}}])
def test_a_version_that_contradicts_the_spec_is_refused(fields: dict[str, Any]):
    assert "LM231" in codes(refusal(azure(PORTAL, **fields)))


@pytest.mark.parametrize("text", ["api-version=2024-10-21", "?api-version=2024-10-21"])
def test_a_version_that_was_copied_with_its_name_is_understood(text: str):
    by_field, by_parameter = render(azure(apiVersion=text)), render(azure(params={"api_version": text}))
    by_text = render(azure(configuration={"additionalParameters": {"api_version": text}}))
    for result in (by_field, by_parameter, by_text):
        assert parameters(result)["api_version"] == "2024-10-21"
        assert codes(result.findings) == ["LM133"]


def test_a_version_in_the_address_of_any_other_provider_is_refused():
    assert codes(refusal(a_spec(endpoint="https://llm.example.com/v1?api-version=1"))) == ["LM232"]


@pytest.mark.parametrize("query", ["?key=abc", "?api-version=1&key=abc", "?api-version=", "?api-version=1#x"])
def test_any_other_query_is_refused_and_not_repeated(query: str):
    (finding,) = refusal(azure(f"{AZURE}{query}"))
    assert finding.code == "LM106"
    assert "abc" not in finding.message


def test_what_the_console_of_google_shows_is_understood():
    url = f"{GOOGLE}/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent"
    result = render(a_spec(provider="vertex", modelName="gemini-2.5-flash", endpoint=url, **KEY))
    wanted = {"api_base": GOOGLE, "vertex_project": "p", "vertex_location": "us-central1"}
    assert parameters(result).items() >= wanted.items()


@pytest.mark.parametrize("fields", [{"location": "eu"}, {"region": "eu"}, {"params": {"vertex_location": "eu"}}])
def test_a_location_that_contradicts_the_spec_is_refused(fields: dict[str, Any]):
    assert "LM231" in codes(refusal(a_spec(provider="vertex", endpoint=GOOGLE, **KEY, **fields)))


def test_the_region_of_aws_is_that_of_the_host():
    """A request that is signed for another region is refused by AWS."""
    result = render(a_spec(provider="bedrock", endpoint=AWS, **KEY))
    assert parameters(result)["aws_region_name"] == "us-east-1"
    assert codes(result.findings) == ["LM132"]


def test_each_endpoint_is_read_by_itself():
    one, two = (f"https://{name}.openai.azure.com/openai/deployments/m?api-version={name}" for name in ("v1", "v2"))
    result = render(balanced({"url": one}, {"url": two}, provider="azure", modelName="m", **KEY))
    assert [parameters(result, index)["api_version"] for index in (0, 1)] == ["v1", "v2"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"endpoint": "http://a"}, ("spec", "endpoint")),
        ({"endpoint": None, "regions": [{"name": "x", "endpoint": "http://a"}]}, ("spec", "regions", 0, "endpoint")),
        (
            {"endpoint": None, "loadBalancing": {"endpoints": [{"url": "http://a"}]}},
            ("spec", "loadBalancing", "endpoints", 0, "url"),
        ),
    ],
)
def test_every_place_of_an_address_is_read(fields: dict[str, Any], path: tuple[str | int, ...]):
    result = render(a_spec(**fields))
    assert parameters(result)["api_base"] == "http://a/v1"
    assert [(finding.code, finding.path) for finding in result.findings] == [("LM130", path)]


# Names of models.


@pytest.mark.parametrize(
    ("provider", "name", "model"),
    [
        ("openai", "openai/gpt-4", "openai/gpt-4"),
        ("anthropic", "anthropic/claude-3-haiku", "anthropic/claude-3-haiku"),
        ("bedrock", "bedrock/amazon.nova-pro-v1:0", "bedrock/amazon.nova-pro-v1:0"),
        ("vertex", "vertex_ai/gemini-2.5-flash", "vertex_ai/gemini-2.5-flash"),
        ("gemini", "models/gemini-2.5-flash", "gemini/gemini-2.5-flash"),
        ("gemini", "gemini/gemini-2.5-flash", "gemini/gemini-2.5-flash"),
    ],
)
def test_the_provider_in_a_model_name_is_not_said_twice(provider: str, name: str, model: str):
    result = render(a_spec(provider=provider, modelName=name, endpoint=None, region="eu-west-1", **KEY))
    assert parameters(result)["model"] == model
    assert "LM134" in codes(result.findings)


def test_clients_may_use_both_names():
    result = render(a_spec(provider="openai", modelName="openai/gpt-4", endpoint=None, **KEY), name="mine")
    assert result.config["model_list"][0]["model_name"] == "gpt-4"
    assert result.config["router_settings"]["model_group_alias"] == {"mine": "gpt-4", "openai/gpt-4": "gpt-4"}


def test_the_longer_name_stays_that_of_a_model_which_has_no_other():
    result = render_gateway(
        a=a_spec(provider="openai", modelName="openai/gpt-4", endpoint=None, **KEY),
        b=a_spec(modelName="openai/gpt-4", endpoint="https://openrouter.ai/api/v1"),
    )
    assert "openai/gpt-4" not in result.config["router_settings"]["model_group_alias"]


@pytest.mark.parametrize(
    "fields",
    [
        {"provider": "openai-compatible", "modelName": "openai/gpt-oss-20b"},
        {"provider": "openai", "endpoint": "https://openrouter.ai/api/v1", "modelName": "openai/gpt-4"},
        {"provider": "groq", "endpoint": None, "modelName": "groq/compound"},
        {"provider": "openrouter", "endpoint": None, "modelName": "openrouter/auto"},
        {"provider": "azure", "endpoint": AZURE, "modelName": "o_series/my-deployment"},
        {"provider": "bedrock", "endpoint": None, "region": "eu", "modelName": "converse/amazon.nova-pro-v1:0"},
    ],
)
def test_a_slash_that_may_be_part_of_the_name_is_kept(fields: dict[str, Any]):
    result = render(a_spec(**KEY, **fields))
    assert parameters(result)["model"].endswith(f"/{fields['modelName']}")
    assert not {"LM134", "LM235"} & set(codes(result.findings))


@pytest.mark.parametrize(
    ("provider", "name"), [("openai", "azure/gpt-4"), ("anthropic", "openai/gpt-4"), ("azure", "openai/gpt-4")]
)
def test_a_model_of_another_provider_is_refused(provider: str, name: str):
    endpoint = AZURE if provider == "azure" else None
    assert codes(refusal(a_spec(provider=provider, modelName=name, endpoint=endpoint, **KEY))) == ["LM235"]


# Addresses of the machine itself.


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1", True), ("http://LOCALHOST", True), ("http://a.localhost", True), ("http://127.0.0.2", True),
        ("http://[::1]:1", True), ("http://0.0.0.0:1", True), ("http://10.0.0.1", False), ("http://localhost.example", False),
    ],
)  # fmt: skip
def test_a_loopback_address_is_known(url: str, loopback: bool):
    assert endpoints.is_loopback(url) is loopback


LOCAL = [provider.name for provider in catalogue.usable() if provider.address and endpoints.is_loopback(provider.address)]


def test_the_catalogue_has_servers_on_this_machine():
    assert {"ollama", "ollama_chat", "llamafile"} <= set(LOCAL)


@pytest.mark.parametrize("provider", LOCAL)
def test_a_server_on_this_machine_is_refused_in_a_pod(provider: str):
    """Elsewhere it is reported."""
    spec = a_spec(provider=provider, endpoint=None)
    assert codes(refusal(spec, IN_POD)) == ["LM136"]
    assert "LM137" in codes(render(spec).findings)


def test_an_endpoint_on_this_machine_is_reported_in_a_pod_only():
    spec = a_spec(endpoint="http://localhost:8000/v1")
    assert codes(render(spec, IN_POD).findings) == ["LM138"]
    assert codes(render(spec).findings) == []
    assert codes(render(balanced(EAST, {"url": "http://127.0.0.1:1/v1"}), IN_POD).findings) == ["LM138"]
