"""What a test must know about a provider beside its row of the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from langop_model.renderer import catalogue
from langop_model.renderer.catalogue import Provider
from stand_in import google
from stand_in.tokens import TOKEN
from tests.wire.wire import KEY, Wire

PLACES = {"LOCATION": "europe-west4", "/PROVIDER": "/together"}
# The credentials of one say the address, and huggingface.co that of the other.
ELSEWHERE = ("sap", "huggingface")


@dataclass(frozen=True)
class Case:
    """How a provider is asked, and what must arrive there.

    `base` is the endpoint's path, `path` the path of the request, and `streamed_path` that of a streamed one. `secret` and
    `environment` are made for a wire. `key` is the header with the credential, and a pattern of its value. `model_in` says
    where the model stands: the body, the path, or nowhere. `redirected`: without an endpoint, what is meant for the
    provider's own address is sent to the stand-in. Nobody answers for the other hosts that the provider `asks`.
    """

    provider: Provider
    model: str
    base: str
    path: str
    spec: Callable[[str], Mapping[str, Any]] = lambda _: {}
    secret: Callable[[Wire, str], Mapping[str, str]] = lambda _, __: {}
    environment: Callable[[str], Mapping[str, str]] = lambda _: {}
    streamed_path: str = ""
    key: tuple[str, str] | None = None
    model_in: str = "body"
    question: Any = None
    redirected: bool = False

    @property
    def address(self) -> str:
        """The provider's own address, with what the spec of this case puts into it; empty where others say it."""
        if self.name in ELSEWHERE:
            return ""
        text = self.provider.address.replace("REGION", self.spec("").get("region", ""))
        for name, value in PLACES.items():
            text = text.replace(name, value)
        return text

    @property
    def name(self) -> str:
        """The name of the provider."""
        return self.provider.name


def case_of(provider: Provider) -> Case:
    """Return how a provider is tested: as its row says, unless OWN says otherwise."""
    own = OWN.get(provider.name, {})
    model = own.get("model", f"model-of-{provider.name}")
    base = urlsplit(provider.address or provider.endpoint_format).path.rstrip("/")
    header, _, value = provider.key.partition(": ")
    by_row: dict[str, Any] = {
        "model": model,
        "base": base,
        "path": own.get("base", base) + provider.appends.replace("MODEL", model),
        "key": (header.lower(), re.escape(value.replace("KEY", KEY).replace("TOKEN", TOKEN))) if header else None,
        "model_in": "path" if "MODEL" in provider.appends else "body",
        "redirected": provider.endpoint_locked,
    }
    spec = own.get("spec", {})
    return Case(provider, **{**by_row, **own, "spec": spec if callable(spec) else lambda _: spec})


def _aws(_: Wire, __: str) -> Mapping[str, str]:
    return {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "aws-secret-access-key": KEY}


def _signed(service: str) -> tuple[str, str]:
    return ("authorization", rf"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{{8}}/eu-west-1/{service}/aws4_request, .*")


def _google(wire: Wire, _: str) -> Mapping[str, str]:
    return {"service-account.json": wire.provider.service_account("some-project")}


def _oracle(_: Wire, __: str) -> Mapping[str, str]:
    return {"oci_user": "ocid1.user", "oci_fingerprint": "aa:bb", "oci_tenancy": "ocid1.tenancy", "oci_key": _pem()}


@cache
def _pem() -> str:
    return str(json.loads(google.service_account("", ""))["private_key"])


def _sap(_: Wire, base: str) -> Mapping[str, str]:
    key = {"clientid": "id", "clientsecret": KEY, "url": base, "serviceurls": {"AI_API_URL": base}}
    return {"service-key.json": json.dumps(key)}


def _copilot(_: Wire, __: str) -> Mapping[str, str]:
    return {"access-token": KEY}


def _chatgpt(_: Wire, __: str) -> Mapping[str, str]:
    return {"auth.json": json.dumps({"access_token": TOKEN, "account_id": "account", "expires_at": 4102444800})}


GOOGLE_PATH = "/v1/projects/some-project/locations/europe-west4/publishers/google/models/"
VERTEX: dict[str, Any] = {
    "model": "gemini-2.5-flash",
    "spec": {"project": "some-project", "location": "europe-west4"},
    "secret": _google,
    "redirected": True,
    "path": f"{GOOGLE_PATH}gemini-2.5-flash:generateContent",
    "streamed_path": f"{GOOGLE_PATH}gemini-2.5-flash:streamGenerateContent",
}
WATSONX: dict[str, Any] = {
    "spec": {"project": "some-project"},
    "environment": lambda base: {"WATSONX_IAM_URL": f"{base}/identity/token"},
}
SAGEMAKER: dict[str, Any] = {
    "model": "some-model",
    "spec": {"region": "eu-west-1"},
    "secret": _aws,
    "path": "/endpoints/some-model/invocations",
    "streamed_path": "/endpoints/some-model/invocations-response-stream",
    "key": _signed("sagemaker"),
    "model_in": "path",
    "redirected": True,
}
IMAGE = [
    {"type": "text", "text": "What is the capital of France?"},
    {"type": "image_url", "image_url": {"url": "https://example.com/map.png"}},
]

OWN: dict[str, dict[str, Any]] = {
    "a2a": {"base": "/agent", "path": "/agent", "model_in": "nowhere"},
    "bedrock": {
        "model": "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "spec": {"region": "eu-west-1"},
        "secret": _aws,
        "key": _signed("bedrock"),
        "streamed_path": "/model/anthropic.claude-3-5-sonnet-20240620-v1:0/converse-stream",
    },
    "bedrock_mantle": {"spec": {"region": "eu-west-1"}},
    "chatgpt": {
        "model": "gpt-5.1-codex-mini", "secret": _chatgpt, "path": "/backend-api/codex/responses",
    },
    "clarifai": {"model": "openai.chat-completion.gpt-4o", "model_in": "nowhere"},
    "cohere": {"path": "/v2/chat"},
    "datarobot": {"redirected": True, "path": "/api/v2/genai/llmgw/chat/completions/"},
    "fal_ai": {
        "model": "fal-ai/moondream3-preview/query", "path": "/fal-ai/moondream3-preview/query", "question": IMAGE,
        "redirected": True,
    },
    "fireworks_ai": {"model": "accounts/fireworks/models/some-model"},
    "gdc": {
        "spec": {"project": "some-project", "location": "some-place"},
        "path": "/v1/projects/some-project/locations/some-place/chat/completions",
        "model_in": "body",
    },
    "gemini": {
        "model": "gemini-2.5-flash",
        "path": "/v1beta/models/gemini-2.5-flash:generateContent",
        "streamed_path": "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
    },
    "gigachat": {"spec": lambda base: {"params": {"gigachat_auth_url": f"{base}/api/v2/oauth"}}},
    "github_copilot": {"secret": _copilot},
    "huggingface": {
        "model": "together/some-organisation/some-model", "base": "", "path": "/v1/chat/completions",
    },
    "langgraph": {"path": "/runs/wait", "model_in": "nowhere"},
    "litellm_custom": {"base": "/custom", "path": "/custom"},
    "nlp_cloud": {"path": "/v1/gpu/model-of-nlp_cloud/generation"},
    "oci": {
        "model": "meta.llama-3.1-70b-instruct",
        "spec": {"region": "us-chicago-1", "params": {"oci_compartment_id": "ocid1.compartment"}},
        "secret": _oracle,
        "key": ("authorization", r'Signature version="1",.*'),
        "model_in": "nowhere",
    },
    "petals": {"base": "/petals", "path": "/petals"},
    "predibase": {
        "spec": {"params": {"predibase_tenant_id": "some-tenant"}},
        "path": "/some-tenant/deployments/v2/llms/model-of-predibase/generate",
        "streamed_path": "/some-tenant/deployments/v2/llms/model-of-predibase/generate_stream",
    },
    "ragflow": {
        "model": "chat/some-chat/some-model", "path": "/api/v1/chats_openai/some-chat/chat/completions", "model_in": "nowhere",
    },
    "replicate": {"path": "/v1/models/some/model/predictions", "model": "some/model"},
    "sagemaker": {
        **SAGEMAKER, "model": "huggingface-model", "path": "/endpoints/huggingface-model/invocations",
        "streamed_path": "/endpoints/huggingface-model/invocations-response-stream",
    },
    "sagemaker_chat": SAGEMAKER,
    "sagemaker_nova": SAGEMAKER,
    "sap": {
        "model": "gpt-4o", "secret": _sap, "redirected": False, "path": "/v2/inference/deployments/1/v2/completion",
        "model_in": "nowhere",
    },
    "triton": {
        "base": "/v2/models/model-of-triton/generate",
        "path": "/v2/models/model-of-triton/generate",
        "streamed_path": "/v2/models/model-of-triton/generate_stream",
        "model_in": "path",
    },
    "vertex": VERTEX,
    "vertex_ai_beta": VERTEX,
    "watsonx": {**WATSONX, "streamed_path": "/ml/v1/text/chat_stream", "model_in": "nowhere"},
}  # fmt: skip

CASES = [case_of(provider) for provider in catalogue.usable() if provider.serves("chat")]
