"""A configuration of agentgateway: its llm.models say what LiteLLM's model_list says, and are read as that.

schema/import.json says which name is which. Everything else of the file is named in a finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.importing import table
from langop_model.renderer.findings import Finding, Findings, Path, dotted
from langop_model.renderer.source import Document

MODELS: Path = ("llm", "models")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(slots=True)
class Origin:
    """A document whose entries were read as those of model_list: knows where each of them is, by LiteLLM's names.

    `name` is the file. `names` are the parameters by entry: LiteLLM's name to the one that is written.
    """

    name: str
    document: Document
    names: list[dict[str, str]] = field(default_factory=list)

    def locate(self, path: Path) -> tuple[int, int]:
        """Return line and column of what `path` means."""
        return self.document.locate(self.path(path))

    def path(self, path: Path) -> Path:
        """Return the path in the file of a path in model_list."""
        if path[:1] != ("model_list",):
            return path
        index, *rest = path[1:]
        match rest:
            case ["model_name", *_]:
                return (*MODELS, index, "name")
            case ["litellm_params", name, *inner]:
                written = self.names[int(index)].get(str(name), "params")
                return (*MODELS, index, *written.split("."), *inner)
        return (*MODELS, index)

    def renamed(self, finding: Finding) -> Finding:
        """Return a finding that speaks of the file's own keys."""
        path = self.path(finding.path)
        return finding.replace(path=path, message=finding.message.replace(dotted(finding.path), dotted(path)))


def is_one(value: Any) -> bool:
    """Whether a document is a configuration of agentgateway with models."""
    llm = value.get("llm") if isinstance(value, dict) else None
    return isinstance(llm, dict) and isinstance(llm.get("models"), list)


def as_model_list(value: dict[str, Any], origin: Origin, found: Findings) -> dict[str, Any]:
    """Return the configuration of LiteLLM that says the same; what no entry can say is found."""
    because = table.data()["agentgateway"]["unsupported"]
    others: list[Path] = [(key,) for key in value if key != "llm"] + [("llm", key) for key in value["llm"] if key != "models"]
    for path in others:
        found.add("LM804", *path, because=because, instead="write the fields of the LanguageModels")
    entries = value["llm"]["models"]
    return {"model_list": [_entry(index, entry, origin, found) for index, entry in enumerate(entries)]}


def _entry(index: int, entry: Any, origin: Origin, found: Findings) -> Any:
    names: dict[str, str] = {"model": "params.model"}
    origin.names.append(names)
    if not isinstance(entry, dict):
        return entry
    data = table.data()["agentgateway"]
    written = entry.get("params")
    params: dict[str, Any] = written if isinstance(written, dict) else {}
    provider = entry.get("provider") if isinstance(entry.get("provider"), str) else "custom"
    name = entry.get("name", "")
    own = params.get("model", name)
    given = {"model": f"{data['providers'].get(provider, provider)}/{own}"}
    if provider in data["addresses"]:
        given["api_base"] = data["addresses"][provider]
        names["api_base"] = "provider"
    for key, each in params.items():
        target = data["params"].get(key)
        if target is not None:
            given[target] = data["forms"].get(key, "{value}").replace("{value}", _value(each))
            names[target] = f"params.{key}"
        elif key != "model":
            path = (*MODELS, index, "params", key)
            found.add("LM804", *path, because="no LanguageModel has a field for it", instead="remove it")
    for key in entry.keys() - {"name", "provider", "params"}:
        found.add("LM804", *MODELS, index, key, because=data["unsupported"], instead="write the fields of the LanguageModels")
    found.add("LM801", *MODELS, index, "provider", target="spec.provider")
    if name == "*" and own != "*":
        difference = f"there every name means {own}, and here only its own"
        found.add("LM802", *MODELS, index, "name", target=f"modelName {own}", difference=difference)
        name = own
    return {"model_name": name, "litellm_params": given}


def _value(value: Any) -> str:
    """Return a value as LiteLLM writes it: $NAME is a variable of the process."""
    variable = _VARIABLE.fullmatch(str(value))
    return f"{REFERENCE}{variable[1] or variable[2]}" if variable else str(value)
