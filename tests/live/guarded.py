"""A gateway that needs keys and logs everything: the one that is attacked.

tests/live/conftest.py gives it to the test modules, and ends it with the last of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from stand_in import StandIn
from tests.live.observed import KEY, ObservedGateway, model, mount
from tools.processes import Gateway

MASTER_KEY = "sk-not-a-real-master-key-2718"
HMAC_SECRET = "not-a-real-hmac-secret-3141"
AGENT = "9f8221e3-a8ce-47c0-9e31-4afeb62657df"
AGENTS_KEY = f"sk-langop-{AGENT}.{hmac.new(HMAC_SECRET.encode(), AGENT.encode(), hashlib.sha256).hexdigest()[:32]}"
AWS_SECRET = "not-a-real-aws-secret-1618"
SECRETS = (KEY, MASTER_KEY, HMAC_SECRET, AGENTS_KEY, AWS_SECRET)
BEDROCK = "anthropic.claude-3-haiku-20240307-v1:0"


@dataclass
class Guarded(ObservedGateway):
    """The gateway as a client with the master key sees it."""

    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def ask(self, method: str, path: str, key: str | None = MASTER_KEY, **request: Any) -> httpx.Response:
        """Send a request, with a key unless that is None."""
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **request.pop("headers", {})}
        return self.client.request(method, f"{self.gateway.url}{path}", headers=headers, **request)

    def chat(self, key: str | None = MASTER_KEY, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """Ask the model `guarded`."""
        whole = {"model": "guarded", "messages": [{"role": "user", "content": "Hello"}], **body}
        return self.ask("POST", "/v1/chat/completions", key, headers=headers or {}, json=whole)


@pytest.fixture(scope="package")
def guarded_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    environment = {
        "LITELLM_MASTER_KEY": f"{MASTER_KEY}\n",  # as a Secret made with echo has it
        "LANGOP_GATEWAY_HMAC_SECRET": HMAC_SECRET,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
    }
    logging = {"metrics": True, "logging": {"level": "debug", "logRequests": False, "logResponses": False}}
    with StandIn() as provider:
        models = [
            model("guarded", f"{provider.base('guarded')}/v1", observability=logging),
            model("guarded-claude", provider.base("guarded-claude"), provider="anthropic", observability=logging),
            model(
                "guarded-bedrock",
                provider.base("guarded-bedrock"),
                provider="bedrock",
                modelName=BEDROCK,
                observability=logging,
                regions=[{"name": "us-east-1", "enabled": True}],
                apiKeySecretRef=None,
            ),
        ]
        models[-1]["spec"].pop("apiKeySecretRef")
        whole_secrets = {
            "aws": {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": AWS_SECRET},
            "google": {"service-account.json": provider.service_account("some-project")},
        }
        aws = {"provider": "bedrock", "modelName": BEDROCK, "region": "us-east-1", "endpoint": provider.base("guarded-aws")}
        google = {
            "provider": "vertex",
            "modelName": "gemini-2.5-flash",
            "project": "p",
            "location": "l",
            "endpoint": provider.url,
        }
        for name, fields in (("aws", aws), ("google", google)):
            spec = {**fields, "credentialsSecretRef": {"name": name}, "observability": logging}
            models.append({"metadata": {"name": f"guarded-{name}"}, "spec": spec})
        mounted, secrets = mount(folder, models)
        for name, keys in whole_secrets.items():
            (secrets / name).mkdir()
            for key, text in keys.items():
                (secrets / name / key).write_text(text, encoding="utf-8")
        with Gateway(mounted, secrets, folder, environment=environment) as gateway:
            yield Guarded(gateway, provider)


@pytest.fixture
def guarded(guarded_gateway: Guarded) -> Guarded:
    """The guarded gateway, in front of a provider that behaves normally."""
    guarded_gateway.provider.reset()
    return guarded_gateway
