"""Groups of hand-written entries that the gateway asks without LiteLLM, as it does a LanguageModel's (renderer/upstream.py)."""

from __future__ import annotations

from typing import Any

from langop_model.renderer import catalogue, upstream
from langop_model.renderer.credentials import Credential, Credentials
from langop_model.renderer.findings import Findings
from langop_model.renderer.plan import Deployment, Model

OWN = frozenset({"model", "api_base", "timeout", "cache"})  # of litellm_params: not the provider's

Entry = dict[str, Any]


def sections(name: str, entries: list[Entry]) -> dict[str, Any]:
    """Return members of a group's section that say how its provider is asked, and of its rendered `entries` by id the `urls`.

    Empty where LiteLLM translates all its requests: the provider speaks another protocol, or the entries differ in more than
    their addresses and keys.
    """
    first = entries[0]["litellm_params"]
    provider = catalogue.of_litellm(first["model"].partition("/")[0])
    own = {*OWN, *provider.credentials}
    models = [each["litellm_params"]["model"] for each in entries]
    parameters = [{key: value for key, value in each["litellm_params"].items() if key not in own} for each in entries]
    if any(model != models[0] for model in models) or any(each != parameters[0] for each in parameters):
        return {}
    deployments = [Deployment(each["model_info"]["id"], (), each["litellm_params"].get("api_base")) for each in entries]
    given = {key for each in entries for key in each["litellm_params"] if key in provider.credentials}
    model = Model(
        name=name,
        group=name,
        provider=provider,
        spec={"modelName": first["model"].partition("/")[2]},
        user_spec={},
        deployments=deployments,
        findings=Findings(),
        credentials=Credentials(tuple(Credential(key, "", ()) for key in sorted(given))),
        parameters=parameters[0],
    )
    section = upstream.of_model(model)
    if not section:
        return {}
    members = {"defaults": upstream.stated_defaults(model), "unsupported_defaults": upstream.unsupported_defaults(model)}
    urls = {deployment.id: upstream.address(model, deployment) for deployment in deployments}
    return {"upstream": section, "urls": urls, **{name: value for name, value in members.items() if value}}
