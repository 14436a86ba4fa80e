"""`python render.py new-provider NAME`: a row of the catalogue, an example, and their tests, in a checkout.

A provider that LiteLLM knows gets LiteLLM's name of it. Any other one is asked as OpenAI is, at its own address; where it wants
its key in a header of its own, it gets a template that says so.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from langop_model.renderer import catalogue
from tools import provider_catalogue

CATALOGUE = Path("schema/providers.json")
BEARER = "Authorization: Bearer KEY"

TEMPLATE = """\
{{# {title}, which speaks the protocol of OpenAI.
   Needs: apiKeySecretRef.
   Special: the key is sent in a header of its own; LiteLLM's Authorization holds a placeholder.
   {link} #}}
{{% extends "deployment.yaml.j2" %}}
{{% set taken = ["extra_headers"] %}}
{{% block key %}}
      api_key: not-needed  # LiteLLM raises without one
{{% for credential in references %}}
      extra_headers: {{{{ model.parameters.extra_headers | default({{}}) | and_also("{header}", credential.reference) }}}}
{{% endfor %}}
{{% endblock %}}
"""

EXAMPLE = """\
# yaml-language-server: $schema=../schema/languagemodel.schema.json
# {title}.
apiVersion: langop.io/v1alpha1
kind: LanguageModel
metadata:
  name: {name}
spec:
  provider: {provider}
  modelName: some-model
"""


def create(name: str, title: str, link: str, address: str, key: str) -> list[str]:
    """Write the files of a new provider, and return their names. Raises ValueError for what can't be one."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(f"{name}: a provider's name is lower-case letters, digits, - and _")
    if name in {provider.name for provider in catalogue.providers()}:
        raise ValueError(f"{name} is in the catalogue already: schema/providers.json")
    if not re.fullmatch(r"https?://[^/\s]+(/\S*[^/\s])?", address):
        raise ValueError(f"{address}: an address is a URL without a slash at its end, up to and including /v1")
    if not re.fullmatch(r"[A-Za-z-]+: ([A-Za-z]+ )?KEY", key):
        raise ValueError(f"{key}: write the header with KEY where the key is, such as {BEARER!r}")
    row = _row(name, title, link, address, key)
    _insert(name, row)
    files = [str(CATALOGUE), _write(f"examples/{name}.yaml", _example(name, title))]
    if row.get("template") == name:
        text = TEMPLATE.format(title=title, link=link, header=key.partition(": ")[0])
        files.append(_write(f"templates/providers/{name}.yaml.j2", text))
    return files


def _row(name: str, title: str, link: str, address: str, key: str) -> dict[str, Any]:
    known = name in provider_catalogue.installed()
    variable = f"{name.upper().replace('-', '_')}_API_KEY"
    header, _, value = key.partition(": ")
    row: dict[str, Any] = {"title": title, "link": link}
    credentials = {"api_key": [variable]}
    if not known:
        row["litellm"] = "openai"
    if not known and key != BEARER:
        row["template"] = name
        credentials = {f"extra_headers.{header}": ["api_key", variable]}
        if value != "KEY":
            raise ValueError(f"{key}: the header of its own must hold the key alone")
    row |= {"routes": ["chat"], "address": address}
    if not known:
        row["written"] = True
    return row | {"appends": "/chat/completions", "key": key, "credentials": credentials}


def _insert(name: str, row: dict[str, Any]) -> None:
    """Put a row where its name belongs. The file's other lines stay as they are."""
    members = ",\n".join(f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in row.items())
    text = CATALOGUE.read_text(encoding="utf-8")
    later = next((each.name for each in catalogue.providers()[8:] if each.name > name), None)
    if later is None:
        raise ValueError(f"{name} would be the last row: write it by hand")
    place = text.index(f'    "{later}": {{\n')
    CATALOGUE.write_text(f'{text[:place]}    "{name}": {{\n{members}\n    }},\n{text[place:]}', encoding="utf-8")


def _example(name: str, title: str) -> str:
    text = EXAMPLE.format(title=title, name=name.replace("_", "-"), provider=name)
    return f"{text}  apiKeySecretRef:\n    name: {name.replace('_', '-')}-credentials\n"


def _write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def prove(name: str) -> int:
    """Write what is made of the catalogue, then run the golden and the wire test of a provider; return pytest's exit code."""
    run = [sys.executable, "-m"]
    subprocess.run([*run, "tools.provider_catalogue", "--write"], check=True)
    tests = ["tests/test_goldens.py", "tests/wire/test_chat.py", "tests/unit/test_catalogue.py", "--update-golden"]
    return subprocess.run([*run, "pytest", "-q", *tests, "-k", f"[{name}] or {name}.yaml"], check=False).returncode
