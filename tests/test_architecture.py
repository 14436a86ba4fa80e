"""The shape of the house: what may know what, and that code, templates, schemas and texts fit together."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from langop_model.renderer import catalogue
from langop_model.resources import load_json
from tests.conftest import ROOT
from tests.support.import_graph import MODULES, circle, graph, imports, tree
from tools import architecture

PACKAGE = ROOT / "langop_model"
RENDERER = sorted((PACKAGE / "renderer").rglob("*.py"))
GATEWAY = sorted((PACKAGE / "gateway").rglob("*.py"))
TEMPLATES = ROOT / "templates"


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def forbidden(path: Path, names: tuple[str, ...]) -> list[str]:
    return [found for found in imports(path) if any(found == name or found.startswith(f"{name}.") for name in names)]


def dotted_names(path: Path) -> Iterator[str]:
    """Yield every attribute access as it is written: os.environ, datetime.now."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


# Who knows whom.

NETWORK = (
    "litellm",
    "socket",
    "ssl",
    "http",
    "urllib.request",
    "urllib3",
    "requests",
    "httpx",
    "aiohttp",
    "asyncio",
    "ftplib",
    "smtplib",
)
HALL = ("langop_model.launch", "langop_model.cli", "langop_model.commands")
CHANCE = ("time", "datetime", "random", "secrets", "uuid", "getpass", "platform", "locale")


@pytest.mark.parametrize("path", RENDERER, ids=name_of)
def test_the_renderer_knows_no_network_no_litellm_and_no_gateway(path: Path):
    assert forbidden(path, (*NETWORK, "langop_model.gateway", *HALL)) == []


@pytest.mark.parametrize("path", RENDERER, ids=name_of)
def test_the_renderer_reads_no_clock_no_chance_and_no_environment(path: Path):
    assert forbidden(path, CHANCE) == []
    assert forbidden(path, ("os.environ", "os.getenv")) == []
    assert not {"os.environ", "os.getenv", "os.uname"} & set(dotted_names(path))


@pytest.mark.parametrize("path", GATEWAY, ids=name_of)
def test_the_gateway_knows_no_templates_and_no_renderer(path: Path):
    assert forbidden(path, ("jinja2", "jsonschema", "langop_model.renderer", *HALL)) == []


SERVING_REQUESTS = [path for path in GATEWAY if "accounting" not in path.parts]
NO_PROVIDER = {"meta"}  # a member of Cohere's answers, too


@pytest.mark.parametrize("path", SERVING_REQUESTS, ids=name_of)
def test_no_code_that_serves_a_request_knows_a_provider_by_name(path: Path):
    """Prices and traces do: LiteLLM's price list and OpenTelemetry's conventions have names for them."""
    texts = {node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert texts & ({*load_json("providers.json")["providers"], *catalogue.litellm_names()} - NO_PROVIDER) == set()


TRANSLATOR = sorted((PACKAGE / "translator").rglob("*.py"))


@pytest.mark.parametrize("path", [path for path in MODULES if path not in TRANSLATOR], ids=name_of)
def test_only_the_translator_imports_litellm(path: Path):
    assert forbidden(path, ("litellm",)) == []


@pytest.mark.parametrize("path", [path for path in MODULES if path not in TRANSLATOR], ids=name_of)
def test_the_translator_is_started_and_never_imported(path: Path):
    assert forbidden(path, ("langop_model.translator",)) == []


@pytest.mark.parametrize("path", TRANSLATOR, ids=name_of)
def test_the_translator_uses_no_private_name_of_litellm(path: Path):
    private = [name for name in imports(path) if name.startswith("litellm.") and "._" in name]
    assert private == []


@pytest.mark.parametrize("package", ["langop_model", "stand_in", "tests", "tools"])
def test_no_modules_import_each_other_in_a_circle(package: str):
    """Not inside functions and not for type checkers either."""
    assert circle(graph(package)) == []


def test_no_module_imports_a_test():
    """What several tests need is in modules beside them that are no tests, or in tests/support."""
    paths = [path for package in ("stand_in", "tests", "tools") for path in sorted((ROOT / package).rglob("*.py"))]
    assert [
        f"{name_of(path)}: {name}" for path in paths for name in imports(path) if re.match(r"tests\.(\w+\.)*test_", name)
    ] == []


def test_the_search_for_circles_finds_one():
    assert circle({"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"b"})}) == ["b", "c", "b"]


def test_the_graph_has_imports_inside_functions_and_for_type_checkers():
    """Else it would see little here: many imports are inside functions."""
    assert "durationpy" in imports(PACKAGE / "renderer" / "durations.py")
    assert "langop_model.gateway.serving.front" in graph()["langop_model.launch.command"]
    assert "langop_model.gateway.limits.redis_connection" in graph()["langop_model.gateway.shared_state"]


def test_every_module_is_used():
    """Commands are found by their names, and `__main__` is what Python runs."""
    used = frozenset().union(*graph().values())
    packages = {name for name in graph() if any(other.startswith(f"{name}.") for other in graph())}
    unused = [name for name in graph().keys() - used - packages if not re.search(r"\.commands\.\w+$|\.__main__$", name)]
    assert unused == []


# The parts of tools/architecture.yaml, which the picture in docs/architecture.md shows.


def test_every_module_belongs_to_one_part():
    belongs = {
        name: [part.name for part in architecture.parts() if part.holds(name[len("langop_model.") :])] for name in graph()
    }
    assert [name for name, parts in belongs.items() if len(parts) != 1] == ["langop_model", "langop_model.gateway"]


@pytest.mark.parametrize("part", architecture.parts(), ids=lambda part: part.name)
def test_a_part_imports_what_it_declares(part: architecture.Part):
    imported = {
        architecture.part_of(other)
        for name, others in graph().items()
        if architecture.part_of(name) == part.name
        for other in others
    }
    assert imported - {part.name, ""} == part.imports


def test_no_parts_import_each_other_in_a_circle():
    assert circle({part.name: part.imports for part in architecture.parts()}) == []


def test_the_halves_meet_in_the_contract_alone():
    by_half = {part.name: part.half for part in architecture.parts()}
    halves = {
        half: {by_half[each] for part in architecture.parts() if part.half == half for each in part.imports}
        for half in by_half.values()
    }
    assert halves["renderer"] <= {"contract", "shared"}
    assert halves["gateway"] <= {"gateway", "contract", "shared"}


def test_the_launcher_itself_does_not_wait_for_the_renderer():
    """It renders in another process, and imports what it needs meanwhile."""
    imported = "langop_model.commands.launch, langop_model.launch.command, langop_model.gateway.serving.front"
    program = f"import sys, {imported}; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"jinja2", "jsonschema", "yaml", "langop_model.renderer.rendering"} & set(process.stdout.split())


LAUNCHED = """
import os, sys
from langop_model.launch.command import _Start
from langop_model.launch.config_watcher import ConfigReloader

reloader = ConfigReloader(dict(os.environ), lambda found: None)
_Start(reloader, workers=2).variables()
assert reloader.path.exists()
print(*sys.modules)
"""


def test_the_supervisor_stays_without_the_renderer(tmp_path: Path):
    """Also where an extra configuration has to be read: a process that has loaded it ends."""
    environment = {
        "LANGOP_MODEL_PATH": "examples/ollama-local.yaml",
        "LANGOP_CONFIG_PATH": str(tmp_path / "config.yaml"),
        "LANGOP_GATEWAY_EXTRA_CONFIG": "router_settings: {num_retries: 3}",
    }
    process = subprocess.run(
        [sys.executable, "-c", LAUNCHED], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(process.stdout.split())
    assert not {"jinja2", "jsonschema", "yaml", "langop_model.renderer.extra", "langop_model.renderer.rendering"} & loaded


def test_the_front_never_imports_litellm():
    """It decides and relays; LiteLLM translates in a process of its own."""
    program = "import sys, langop_model.gateway.serving.application; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(process.stdout.split())
    assert "langop_model.gateway.app" in loaded
    assert not {"litellm", "fastapi", "openai", "httpx", "pydantic", "jinja2", "jsonschema"} & loaded


RENDER_UNDER_WATCH = """
import sys

def watch(event, _):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.fork", "urllib.")):
        raise RuntimeError(event)

sys.addaudithook(watch)
from langop_model.cli import main
try:
    main(["render", "examples/every-field.yaml"])
except SystemExit as ended:
    assert not ended.code, ended.code
assert "litellm" not in sys.modules
assert not any(name.startswith("langop_model.gateway") for name in sys.modules)
assert "rfc3987_syntax" not in sys.modules
"""


def test_rendering_is_pure():
    """It opens no socket, starts no process, and imports neither LiteLLM nor a parser of URIs."""
    ended = subprocess.run(
        [sys.executable, "-c", RENDER_UNDER_WATCH], check=False, capture_output=True, text=True, cwd=ROOT, timeout=30
    )
    assert ended.returncode == 0, ended.stderr
    assert "model_list:" in ended.stdout


# A validated value names a file.


@pytest.mark.parametrize(
    ("path", "folder"),
    [(("loadBalancing", "strategy"), "load-balancing"), (("caching", "backend"), "caching")],
)
def test_the_values_of_a_field_are_the_templates_of_its_folder(path: tuple[str, ...], folder: str):
    node = load_json("languagemodel.schema.json")["properties"]["spec"]
    for name in path:
        node = node["properties"][name]
    assert sorted(node["enum"]) == sorted(file.name.removesuffix(".yaml.j2") for file in (TEMPLATES / folder).iterdir())


FIELDS = (
    "aliases", "caching", "configuration", "costTracking", "endpoint", "fallbacks", "healthCheck", "loadBalancing",
    "rateLimits", "retryPolicy", "timeout",
)  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_what_a_field_becomes_is_in_the_template_of_its_name(field: str):
    name = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", field)
    assert field in (TEMPLATES / f"{name}.yaml.j2").read_text(encoding="utf-8")


def test_the_catalogue_names_each_providers_template():
    named = {row["template"] for row in load_json("providers.json")["providers"].values() if "template" in row}
    assert named == {file.name.removesuffix(".yaml.j2") for file in (TEMPLATES / "providers").glob("*.j2")}


@pytest.mark.parametrize("path", sorted((TEMPLATES / "providers").glob("*.j2")), ids=lambda path: path.name)
def test_a_providers_template_has_a_header(path: Path):
    """It says what the provider needs, what is special, and where to read on."""
    header = path.read_text(encoding="utf-8").split("#}")[0]
    assert re.search(r"^ {3}Needs: \S", header, re.M)
    assert re.search(r"^ {3}Special: \S", header, re.M)
    assert re.search(r"^ {3}https://\S+ $", header, re.M)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_starts_with_a_comment_that_says_what_it_is_for(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("{# ")
    assert len(text[3 : text.index("#}")].split()) >= 4


def test_every_template_is_used():
    """Those of providers/, routing/ and caching/ are chosen by a value: the test above is about them."""
    by_value = ("providers/", "load-balancing/", "caching/")
    named = {
        name
        for path in TEMPLATES.rglob("*.j2")
        for name in re.findall(r'"([a-z/-]+(?:\.yaml)?\.j2)"', path.read_text(encoding="utf-8"))
    }
    files = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.j2")}
    assert {name for name in files if not name.startswith(by_value)} == {
        name for name in named if not name.startswith(by_value)
    } | {"config.yaml.j2"}


# Every finding is said somewhere.

CODE = re.compile(r"\bLM\d{3}\b")


@cache
def codes_in_use() -> frozenset[str]:
    files = [
        *TEMPLATES.rglob("*.j2"),
        *MODULES,
        *(path for path in (ROOT / "schema").glob("*.json") if path.name != "findings.json"),
    ]
    return frozenset(code for path in files for code in CODE.findall(path.read_text(encoding="utf-8")))


CATALOGUE: dict[str, dict[str, str]] = load_json("findings.json")["codes"]


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_finding_of_the_catalogue_is_said_somewhere(code: str):
    assert code in codes_in_use()


def test_every_finding_that_is_said_stands_in_the_catalogue():
    assert codes_in_use() - CATALOGUE.keys() == set()


def test_the_catalogue_holds_each_code_once():
    text = (ROOT / "schema" / "findings.json").read_text(encoding="utf-8")
    codes = re.findall(r'^\s*"(LM\d{3})": \{', text, re.M)
    assert len(codes) == len(set(codes)) == len(CATALOGUE)


# Schemas.


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def test_every_field_of_the_input_schema_is_described():
    schema = load_json("languagemodel.schema.json")
    fields = [
        field
        for node in nodes({"spec": schema["properties"], "defs": schema["$defs"]})
        for field in node.get("properties", {}).items()
    ]
    undescribed = [
        name for name, field in fields if isinstance(field, dict) and "type" in field and not field.get("description")
    ]
    assert undescribed == []


def test_every_finding_that_the_input_schema_names_can_be_made_of_it():
    names = {
        node[key] for node in nodes(load_json("languagemodel.schema.json")) for key in ("x-finding", "x-message") if key in node
    }
    assert names <= CATALOGUE.keys()
    assert names


# Sizes.


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_at_most_300_lines(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_function_has_at_most_60_lines(path: Path):
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in functions
        if node.end_lineno and node.end_lineno - node.lineno >= 60
    }
    assert too_long == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for(path: Path):
    assert ast.get_docstring(tree(path))


def test_a_tests_name_has_at_most_70_characters():
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    names = [name for path in files for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))]
    assert len(names) > 1000
    assert [name for name in names if len(name) > 70] == []


# What a stranger may see.

# A folder of somebody's machine. The container's own paths (/app, /etc, /tmp) are no secret.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|Users|work|tmp/lab)/")


def project_files() -> list[Path]:
    """Return the files that git knows or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=30)
    if listed.returncode:
        pytest.skip("not a checkout: git knows no files here")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_folder_of_somebodys_machine():
    found = []
    for path in project_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        if MACHINE_PATH.search(text) or f"{ROOT}/" in text:
            found.append(name_of(path))
    assert found == []


def test_the_search_for_folders_of_a_machine_finds_one():
    assert MACHINE_PATH.search("see /" + "home/somebody/project")
    assert not MACHINE_PATH.search("https://example.com/home/page")
