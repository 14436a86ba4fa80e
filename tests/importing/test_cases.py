"""Configurations as people write them, and what `import` makes of each: manifests and findings are golden files.

The shapes are those of public configurations; names, addresses and keys are invented. `case.yaml` becomes `case.expected.yaml`
and `case.findings.txt`, and for one of them also `case.report.md`.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from langop_model.cli import main
from langop_model.importing import result, table
from langop_model.renderer import catalogue
from langop_model.renderer.extra import table as extra_table
from tests.conftest import ROOT, Golden

CASES = ROOT / "tests" / "importing" / "cases"
NAMES = sorted(path.stem for path in CASES.glob("*.yaml") if not path.stem.endswith(".expected"))
LITELLM = [name for name in NAMES if not name.startswith("agentgateway")]
REPORTED = "secrets-in-clear"
WRONG = {"entries-that-cannot", "wildcards", "wildcard-for-everything"}  # an entry can't become a LanguageModel


def run(name: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["import", f"tests/importing/cases/{name}.yaml", *arguments])


def test_there_are_at_least_25():
    assert len(LITELLM) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_becomes_its_golden_manifests_and_findings(name: str, golden: Golden, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    done = run(name)
    assert done.exit_code == (1 if name in WRONG else 0), done.stderr
    golden(CASES / f"{name}.expected.yaml", done.stdout)
    golden(CASES / f"{name}.findings.txt", done.stderr)


def test_the_report_says_what_differs_and_what_to_do(tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    report = tmp_path / "report.md"
    run(REPORTED, "--report", str(report))
    golden(CASES / f"{REPORTED}.report.md", report.read_text(encoding="utf-8"))


# Every key has a finding.


def keys(node: Any) -> list[tuple[Any, ...]]:
    """Return the paths that must be named: keys of sections, of cache_params, and of entries and their parameters."""
    found: list[tuple[Any, ...]] = []
    for section, members in node.items():
        if section == "model_list":
            for index, entry in enumerate(members):
                parts = [("litellm_params", name) for name in entry.get("litellm_params", {})]
                parts += [("model_info", name) for name in entry.get("model_info", {})]
                found += [(section, index, *part) for part in [("model_name",), *parts]]
        elif section in ("router_settings", "litellm_settings", "general_settings", "environment_variables"):
            inner = [(section, name) for name in members if name != "cache_params"]
            found += [*inner, *((section, "cache_params", name) for name in members.get("cache_params", {}))]
        else:
            found.append((section,))
    return found


@pytest.mark.parametrize("name", LITELLM)
def test_every_key_has_a_finding(name: str):
    imported = result.read(str(CASES / f"{name}.yaml"))
    said = {finding.path for finding in imported.findings}
    refused = {path[:2] for path in said if any(f.code == "LM808" and f.path[:2] == path[:2] for f in imported.findings)}
    written = yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    silent = [path for path in keys(written) if path not in said and path[:2] not in said | refused]
    assert silent == []


# The deployments are the same.

OF_THE_GATEWAY = {
    "rpm", "tpm", "max_parallel_requests", "num_retries", "max_retries", "weight", "order",  # callback_settings.langop
    "timeout", "request_timeout",  # compared as seconds, below
    "api_base", "base_url",  # read as a base address
}  # fmt: skip
# What the provider's template adds, and what a spec says for all endpoints of a model.
RENDERED_TOO = {
    "allowed_openai_params",
    "cache",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "timeout",
    "api_base",
    "api_key",
}


@pytest.mark.parametrize("name", LITELLM)
def test_rendering_the_manifests_gives_the_deployments_of_the_original(name: str):
    imported = result.read(str(CASES / f"{name}.yaml"))
    original = deployments(yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8")))
    unsupported = {finding.path for finding in imported.findings if finding.code in ("LM803", "LM804")}
    rendered = result.render(list(imported.models), imported.remaining).config["model_list"]
    for made in imported.models:
        ours = [entry for entry in rendered if entry["model_info"]["id"].startswith(f"{made.name}/")]
        places = made.entries if len(ours) == len(made.entries) else made.entries[:1]
        assert len(ours) == len(places)
        for index, entry in zip(places, ours, strict=True):
            same(
                original[index]["litellm_params"], entry["litellm_params"], ("model_list", index, "litellm_params"), unsupported
            )


def deployments(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return model_list with the values of credential_list in its entries, as LiteLLM puts them there: own ones first."""
    values = {each["credential_name"]: each["credential_values"] for each in config.get("credential_list", [])}
    for entry in config["model_list"]:
        named = values.get(entry.get("litellm_params", {}).get("litellm_credential_name"))
        if named is not None:
            del entry["litellm_params"]["litellm_credential_name"]
            entry["litellm_params"] = named | entry["litellm_params"]
    found: list[dict[str, Any]] = config["model_list"]
    return found


def same(original: dict[str, Any], rendered: dict[str, Any], path: tuple[Any, ...], unsupported: set[tuple[Any, ...]]) -> None:
    """Compare the parameters of two deployments: everything but the listed exceptions."""
    slug, model = table.provider_of(original["model"])
    provider = catalogue.of_litellm(slug)
    assert rendered["model"] == f"{provider.litellm}/{model}"
    credentials = {key for key in original if key in provider.credentials}
    for key, value in original.items():
        if key in OF_THE_GATEWAY | credentials | {"model"} or (*path, key) in unsupported:
            continue
        expected = [value] if key == "stop" and isinstance(value, str) else value
        assert rendered[key] == expected, key
    for key in credentials:
        if not table.is_no_key(original[key]):
            assert rendered[key].startswith(("os.environ/LANGOP_", "/etc/secrets/")), key
    address = original.get("api_base") or original.get("base_url")
    if address and not address.startswith("os.environ/"):
        assert rendered["api_base"] == address.rstrip("/")
    timeout = original.get("timeout", original.get("request_timeout"))
    assert not isinstance(timeout, int | float) or rendered["timeout"] == timeout
    extra = rendered.keys() - original.keys() - RENDERED_TOO - set(provider.credentials)
    assert extra <= {"base_model", "stream_timeout"}, extra


# Secrets.


@pytest.mark.parametrize("style", ["text", "json", "github"])
def test_a_secret_in_clear_is_never_copied(tmp_path: Path, style: str):
    report = tmp_path / "report.md"
    done = run(REPORTED, "--report", str(report), "--format", style)
    everything = done.stdout + done.stderr + report.read_text(encoding="utf-8")
    assert "LM805" in everything
    assert [word for word in ("invented-", "AKIAINVENTED", "inventedinvented", "sk-1234") if word in everything] == []


def test_the_golden_files_hold_no_secret_either():
    texts = [path.read_text(encoding="utf-8") for path in CASES.glob(f"{REPORTED}.*") if path.name != f"{REPORTED}.yaml"]
    assert len(texts) == 3
    assert [text for text in texts if "invented-0" in text or "invented-password" in text] == []


def test_the_same_key_is_the_same_secret():
    imported = result.read(str(CASES / f"{REPORTED}.yaml"))
    first, second = imported.models[:2]
    assert first.spec["apiKeySecretRef"] == second.spec["apiKeySecretRef"]


# Variables.


def test_a_variable_that_is_given_is_written():
    imported = result.read(str(CASES / "azure-and-openai.yaml"), {"AZURE_API_BASE": "https://company.openai.azure.com"})
    assert imported.models[0].spec["endpoint"] == "https://company.openai.azure.com"


def test_an_address_in_a_variable_gets_a_placeholder_and_a_finding():
    imported = result.read(str(CASES / "azure-and-openai.yaml"))
    assert imported.models[0].spec["endpoint"] == "https://azure-api-base.invalid"
    assert any(each.code == "LM803" and each.path[-1] == "api_base" for each in imported.findings)


# What it is not.


@pytest.mark.parametrize("text", ["[]", "a: 1", "model_list: {}", "kind: LanguageModel"])
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str):
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["import", str(file)])
    assert done.exit_code == 1
    assert "LM809" in done.stderr
    assert done.stdout == ""


def test_a_folder_gets_a_file_for_each_manifest(tmp_path: Path):
    run("several-providers", "-o", f"{tmp_path}/models/")
    names = sorted(path.name for path in (tmp_path / "models").iterdir())
    assert names == ["claude-sonnet.yaml", "deepseek.yaml", "gateway-extra-configuration.yaml", "gemini-flash.yaml",
                     "llama-70b.yaml", "mistral-large.yaml"]  # fmt: skip


def test_what_it_writes_renders(tmp_path: Path):
    run("several-providers", "-o", f"{tmp_path}/models/")
    done = CliRunner().invoke(main, ["render", "--gateway", f"{tmp_path}/models"])
    assert done.exit_code == 0, done.stderr


def test_every_key_of_the_table_is_one_of_litellm():
    known = extra_table.names("model_list[].litellm_params")
    from langop_model.renderer import parameters

    own = {name for provider in catalogue.usable() for name in provider.parameters}
    assert [key for key in table.targets() if key not in {*known, *parameters.known(), *own}] == []


# Whatever someone wrote.

JUNK: list[Any] = [None, 0, -1, 1.5, True, "x", "", [], {}, ["a"], {"a": 1}, [None], "os.environ/X"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, each in inner for found in places(each, (*path, name)))]


@pytest.mark.parametrize("name", NAMES)
def test_a_value_of_another_kind_is_a_finding_and_no_traceback(tmp_path: Path, name: str):
    file, chance = tmp_path / "config.yaml", random.Random(name)
    for _ in range(3):
        wanted = yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
        *outer, last = chance.choice(places(wanted)[1:])
        holder = wanted
        for segment in outer:
            holder = holder[segment]
        holder[last] = chance.choice(JUNK)
        file.write_text(yaml.safe_dump(wanted), encoding="utf-8")
        done = CliRunner().invoke(main, ["import", str(file)])
        assert done.exception is None or isinstance(done.exception, SystemExit), (outer, last, holder[last])


def test_what_is_merged_into_an_entry_counts(tmp_path: Path):
    file = tmp_path / "config.yaml"
    text = "base: &base {timeout: 30}\nmodel_list: [{model_name: a, litellm_params: {<<: *base, model: openai/gpt-4o}}]\n"
    file.write_text(text, encoding="utf-8")
    assert result.read(str(file)).models[0].spec["timeout"] == "30s"


ONE = "model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/gpt-4o\n      rpm: 5\n"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"kind": "ConfigMap", "metadata": {"name": "litellm"}, "data": {"config.yaml": ONE}}, 5),
        ({"replicaCount": 1, "proxy_config": yaml.safe_load(ONE)}, 7),
    ],
    ids=["ConfigMap", "Helm"],
)
def test_a_configuration_inside_what_deploys_it_is_read(tmp_path: Path, value: Any, line: int):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(value, sort_keys=False, width=1000), encoding="utf-8")
    imported = result.read(str(file))
    assert [made.spec["rateLimits"] for made in imported.models] == [{"requestsPerMinute": 5}]
    assert next(each.line for each in imported.findings if each.path[-1:] == ("rpm",)) == line


def test_a_config_map_of_two_configurations_is_refused(tmp_path: Path):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"kind": "ConfigMap", "data": {"a.yaml": ONE, "b.yaml": ONE}}), encoding="utf-8")
    assert "LM021" in CliRunner().invoke(main, ["import", str(file)]).stderr


def test_the_name_of_a_credential_is_no_secret(tmp_path: Path):
    file = tmp_path / "config.yaml"
    file.write_text(ONE + "      litellm_credential_name: azure-eu\n", encoding="utf-8")
    said = next(each for each in result.read(str(file)).findings if each.path[-1:] == ("litellm_credential_name",))
    assert (said.code, "in clear" in said.message) == ("LM804", False)


def test_two_configurations_in_one_file_are_refused(tmp_path: Path):
    file = tmp_path / "config.yaml"
    file.write_text("model_list: []\n---\nmodel_list: []\n", encoding="utf-8")
    assert "LM021" in CliRunner().invoke(main, ["import", str(file)]).stderr


# agentgateway, whose llm.models say the same.


def test_models_of_agentgateway_become_the_deployments_that_they_are():
    imported = result.read(str(CASES / "agentgateway.yaml"))
    rendered = result.render(list(imported.models)).config["model_list"]
    models = [entry["litellm_params"]["model"] for entry in rendered]
    assert models == ["openai/gpt-4o", "anthropic/claude-sonnet-4-0", "azure/gpt-4o-mini", "bedrock/amazon.nova-pro-v1:0",
                      "openai/llama3.2", "groq/llama-3.3-70b-versatile"]  # fmt: skip
    azure = rendered[2]["litellm_params"]
    assert (azure["api_base"], azure["api_version"]) == ("https://company.openai.azure.com", "2024-10-21")


def test_every_key_of_agentgateway_has_a_finding_by_its_own_name():
    imported = result.read(str(CASES / "agentgateway.yaml"))
    written = yaml.safe_load((CASES / "agentgateway.yaml").read_text(encoding="utf-8"))
    wanted: list[tuple[Any, ...]] = [(key,) for key in written if key != "llm"]
    wanted += [("llm", key) for key in written["llm"] if key != "models"]
    for index, entry in enumerate(written["llm"]["models"]):
        wanted += [("llm", "models", index, key) for key in entry if key != "params"]
        wanted += [("llm", "models", index, "params", key) for key in entry["params"]]
    said = {finding.path for finding in imported.findings}
    assert [path for path in wanted if path not in said] == []
    assert [each for each in imported.findings if "litellm_params" in each.message] == []


def test_a_key_of_agentgateway_in_clear_is_never_copied():
    done = run("agentgateway")
    assert "LM805" in done.stderr
    assert "gsk_not0a0real0key0000" not in done.stdout + done.stderr
