"""`make new-provider NAME=…`: a row of the catalogue, an example, and their tests.

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

import click

from langop_model.renderer import catalogue
from tools import provider_catalogue

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = "schema/providers.json"
BEARER = "Authorization: Bearer KEY"
PROVIDERS = "https://docs.litellm.ai/docs/providers"
TAKEN = ("gateway", "wrong")  # such a name in examples/ and tests/golden/ is something else

TEMPLATE = """\
{{# {title}, which speaks the protocol of OpenAI.
   Needs: apiKeySecretRef.
   Special: the key is sent in a header of its own, {header}; LiteLLM's own header holds a placeholder.
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
# {title}: the Secret holds the key that {header} carries.
apiVersion: langop.io/v1alpha1
kind: LanguageModel
metadata:
  name: {name}
spec:
  provider: {provider}
  modelName: some-model
  apiKeySecretRef:
    name: {name}-credentials
"""


def create(name: str, title: str, link: str, address: str, key: str, root: Path = ROOT) -> list[str]:
    """Write the files of a new provider into the checkout `root`, and return their names.

    Raises ValueError, before anything is written, for what can't be a provider.
    """
    _check(name, title, link, address, key, root)
    row = _row(name, title, link, address, key)
    header = key.partition(": ")[0]
    texts = {
        CATALOGUE: _with_row(name, row, (root / CATALOGUE).read_text(encoding="utf-8")),
        f"examples/{name}.yaml": EXAMPLE.format(title=title, name=name.replace("_", "-"), provider=name, header=header),
    }
    if row.get("template") == name:
        texts[f"templates/providers/{name}.yaml.j2"] = TEMPLATE.format(title=title, link=link, header=header)
    for file, text in texts.items():
        (root / file).write_text(text, encoding="utf-8")
    return list(texts)


def _check(name: str, title: str, link: str, address: str, key: str, root: Path) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(f"{name}: a provider's name is lower-case letters, digits, - and _")
    if name in {provider.name for provider in catalogue.providers()}:
        raise ValueError(f"{name} is in the catalogue already: {CATALOGUE}")
    if name in TAKEN or (root / f"examples/{name}.yaml").exists():
        raise ValueError(f"examples/{name}.yaml is something else: choose another name")
    if not re.fullmatch(r"[^|#{}\n\r]+", title):
        raise ValueError(f"{title!r}: a title is a line without | # {{ and }}")
    if not re.fullmatch(r"https://\S+", link):
        raise ValueError(f"{link}: a link starts with https://")
    if not re.fullmatch(r"https://[^/\s?#]+(/[^\s?#]*[^/\s?#])?", address) or address.endswith("/chat/completions"):
        raise ValueError(f"{address}: an address starts with https:// and ends before /chat/completions, without a slash")
    if key != BEARER and not re.fullmatch(r"[A-Za-z0-9-]+: KEY", key):
        raise ValueError(f"{key}: write {BEARER!r}, or a header that holds the key alone, such as 'X-Api-Key: KEY'")


def _row(name: str, title: str, link: str, address: str, key: str) -> dict[str, Any]:
    known = name in provider_catalogue.installed()
    variable = f"{name.upper().replace('-', '_')}_API_KEY"
    row: dict[str, Any] = {"title": title, "link": link}
    credentials = {"api_key": [variable]}
    if not known:
        row["litellm"] = "openai"
    if not known and key != BEARER:
        row["template"] = name
        credentials = {f"extra_headers.{key.partition(': ')[0]}": ["api_key", variable]}
    row |= {"routes": ["chat"], "address": address}
    if not known:
        row["always_set_api_base"] = True
    return row | {"appends": "/chat/completions", "key": key, "credentials": credentials}


def _with_row(name: str, row: dict[str, Any], text: str) -> str:
    """Return the catalogue's text with a row where its name belongs. The other lines stay as they are."""
    members = ",\n".join(f"      {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in row.items())
    written = f'    "{name}": {{\n{members}\n    }}'
    later = next((each.name for each in catalogue.providers()[provider_catalogue.OWN :] if each.name > name), None)
    if later is None:
        return text.replace("\n    }\n  }\n}\n", f"\n    }},\n{written}\n  }}\n}}\n")
    return text.replace(f'    "{later}": {{\n', f'{written},\n    "{later}": {{\n')


def prove(name: str) -> int:
    """Write what is made of the catalogue, then run the golden and the wire test of a provider; return pytest's exit code."""
    run = [sys.executable, "-m"]
    subprocess.run([*run, "tools.provider_catalogue", "--write"], check=True, cwd=ROOT)
    tests = ["tests/test_goldens.py", "tests/wire/test_chat.py", "tests/unit/renderer/test_catalogue.py", "--update-golden"]
    return subprocess.run([*run, "pytest", "-q", *tests, "-k", f"[{name}] or {name}.yaml"], check=False, cwd=ROOT).returncode


@click.command()
@click.argument("name")
@click.option("--title", default="", help="What people call it; the name if not given.")
@click.option("--link", default="", help="Its documentation; LiteLLM's list of providers if not given.")
@click.option("--address", required=True, help="Where its API is, up to and including /v1.")
@click.option("--key", default="", help=f"The header with its key; {BEARER} if not given.")
def main(name: str, title: str, link: str, address: str, key: str) -> None:
    """Add a provider to this checkout: a row of the catalogue, an example, and their tests, which are run.

    An option that is empty counts as one that is not given.
    """
    try:
        files = create(name, title or name, link or PROVIDERS, address, key or BEARER)
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None
    made = ["docs/providers.md", "schema/languagemodel.schema.json", f"tests/golden/{name}.config.yaml"]
    click.echo(f"written: {', '.join(files)}; from these: {', '.join(made)}")
    code = prove(name)
    if not code:
        click.echo(f"{name} answers on the wire. Read tests/golden/{name}.config.yaml: it is what an operator gets.")
        click.echo("Does it serve more than chat? Say so in its row (routes). Then: make test")
    sys.exit(code)


if __name__ == "__main__":
    main()
