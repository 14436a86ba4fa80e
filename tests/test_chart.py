"""deploy/chart: what Helm renders is what deploy/base is, and what each value is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.support import chart, monitoring
from tests.support.chart import CHART, RECORDED, Manifest, by_name
from tests.support.manifests import CUSTOM, KUBERNETES, built, container, nodes, pod

NAMES = ["default", *sorted(path.name.removesuffix(".values.yaml") for path in RECORDED.glob("*.values.yaml"))]
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def values_of(name: str) -> Path | None:
    return None if name == "default" else RECORDED / f"{name}.values.yaml"


@pytest.fixture(params=NAMES)
def rendered(request: pytest.FixtureRequest) -> list[Manifest]:
    """The objects of a rendering: Helm's where it is here, else the recorded ones."""
    return _rendered(request.param, update=request.config.getoption("--update-golden"))


def _rendered(name: str, *, update: bool = False) -> list[Manifest]:
    if not chart.has_helm():
        return chart.recorded(name)[1]
    objects = chart.render(values_of(name))
    if update:
        chart.record(name, objects)
    return objects


@pytest.mark.parametrize("name", NAMES)
def test_the_recorded_rendering_is_of_this_chart(name: str, request: pytest.FixtureRequest):
    """Where there is no Helm, the digest alone says so: a changed chart must be rendered again where there is one."""
    objects = _rendered(name, update=request.config.getoption("--update-golden"))
    digest, before = chart.recorded(name)
    assert digest == chart.digest(), "render it again where Helm is: pytest tests/test_chart.py --update-golden"
    assert by_name(before) == by_name(objects)


def _parsed(objects: list[Manifest] | tuple[Manifest, ...]) -> dict[str, Manifest]:
    """Return objects by name, with JSON in ConfigMaps as data: its white space differs."""
    found = json.loads(json.dumps(by_name(objects)))
    for each in found.values():
        if each["kind"] == "ConfigMap":
            each["data"] = {name: json.loads(text) for name, text in each["data"].items()}
    parsed: dict[str, Manifest] = found
    return parsed


def test_with_its_defaults_it_is_the_base():
    assert _parsed(_rendered("default")) == _parsed(built("base"))


def test_every_object_satisfies_the_schema_of_its_kind(rendered: list[Manifest]):
    checked = [manifest for manifest in rendered if manifest["kind"] not in CUSTOM]
    for manifest in checked:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    assert len(checked) >= 5


def test_what_is_selected_and_mounted_is_there(rendered: list[Manifest]):
    found = by_name(rendered)
    deployment = found["Deployment gpt-4"]
    volumes = {volume["name"]: volume for volume in pod(deployment)["volumes"]}
    assert {mount["name"] for mount in container(deployment)["volumeMounts"]} == volumes.keys()
    assert f"ConfigMap {volumes['model']['configMap']['name']}" in found
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert found["Service gpt-4"]["spec"]["selector"].items() <= labels.items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()


# Values.


def _variables(objects: list[Manifest]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in container(by_name(objects)["Deployment gpt-4"])["env"]}


def test_several_models_are_files_of_one_gateway():
    found = by_name(_rendered("gateway"))
    files = found["ConfigMap gpt-4-config"]["data"]
    assert {name: json.loads(text)["provider"] for name, text in files.items()} == {
        "model__claude.json": "anthropic",
        "model__gpt-4.json": "openai",
    }
    mounts = {mount["mountPath"] for mount in container(found["Deployment gpt-4"])["volumeMounts"]}
    secrets = {f"/etc/secrets/{name}-credentials" for name in ("anthropic", "openai", "more")}
    assert mounts == {"/etc/langop/models", "/app", "/tmp"} | secrets
    assert "LANGOP_MODEL_NAME" not in _variables(_rendered("gateway"))


def test_the_services_ports_and_the_siblings_address_are_values():
    found = by_name(_rendered("gateway"))
    ports = [(port["name"], port["port"], port["targetPort"]) for port in found["Service gpt-4"]["spec"]["ports"]]
    assert ports == [("http", 4000, "http"), ("http-8000", 8000, "http")]
    address = _variables(_rendered("gateway"))["LANGOP_SIBLING_URL"]["value"]
    assert address == "http://{ref}.{namespace}.svc.cluster.local:8000/v1"


def test_redis_workers_and_keys_are_variables_and_secrets_are_references():
    variables = _variables(_rendered("gateway"))
    assert {name: variables[name]["value"] for name in ("REDIS_HOST", "REDIS_PORT", "LANGOP_WORKERS", "LANGOP_LOG_FORMAT")} == {
        "REDIS_HOST": "shared-redis",
        "REDIS_PORT": "6379",
        "LANGOP_WORKERS": "2",
        "LANGOP_LOG_FORMAT": "json",
    }
    assert yaml.safe_load(variables["LANGOP_GATEWAY_EXTRA_CONFIG"]["value"]) == {"router_settings": {"cooldown_time": 10}}
    secrets = {name: entry["valueFrom"]["secretKeyRef"] for name, entry in variables.items() if "secretKeyRef" in str(entry)}
    assert secrets == {
        "REDIS_PASSWORD": {"name": "redis-credentials", "key": "password"},
        "LITELLM_MASTER_KEY": {"name": "client-keys", "key": "master-key"},
        "LANGOP_GATEWAY_HMAC_SECRET": {"name": "agent-keys", "key": "secret"},
    }


def test_the_network_policy_lets_out_what_values_add():
    policy = by_name(_rendered("gateway"))["NetworkPolicy gpt-4"]["spec"]
    ports = [port["port"] for rule in policy["egress"] for port in rule["ports"]]
    assert ports[-3:] == [4000, 6379, 11434]
    assert {"kubernetes.io/metadata.name": "observability"} in [node for node in nodes(policy) if node]


def test_the_autoscaler_goes_by_requests_in_flight_where_that_is_set():
    metrics = by_name(_rendered("gateway"))["HorizontalPodAutoscaler gpt-4"]["spec"]["metrics"]
    assert metrics[1]["pods"] == {
        "metric": {"name": "langop_requests_in_flight"},
        "target": {"type": "AverageValue", "averageValue": "200"},
    }


def test_alerts_and_dashboard_are_passed_on_with_the_runbooks_address():
    found = by_name(_rendered("gateway"))
    (group,) = found["PrometheusRule gpt-4"]["spec"]["groups"]
    assert group["rules"][0]["annotations"] == {
        "summary": "{{ $labels.service }} is down.",
        "runbook_url": "https://docs.example.org/operations.md#langopmodelsample",
    }
    sample = (RECORDED / "files" / "dashboard.json").read_text(encoding="utf-8")
    assert found["ConfigMap gpt-4-dashboard"]["data"] == {"dashboard.json": sample}


@pytest.mark.parametrize("name", ["alerts.yaml", "dashboard.json"])
def test_those_of_the_chart_are_those_of_the_repository(name: str):
    assert (CHART / "files" / name).resolve() == monitoring.FOLDER / name


def test_without_autoscaling_there_is_a_number_of_replicas():
    """And no user where none is wanted."""
    found = by_name(_rendered("single-replica"))
    assert found["Deployment gpt-4"]["spec"]["replicas"] == 1
    assert not any(name.startswith(("HorizontalPodAutoscaler", "NetworkPolicy")) for name in found)
    assert {"runAsUser", "runAsGroup", "fsGroup"}.isdisjoint(pod(found["Deployment gpt-4"])["securityContext"])


# The schema of the values.


def test_the_defaults_satisfy_the_schema_which_names_each_of_them():
    jsonschema.validate(DEFAULTS, SCHEMA)
    assert DEFAULTS.keys() == SCHEMA["properties"].keys() - {"global"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"servicePort": 8000},
        {"service": {"ports": ["8000"]}},
        {"siblingURL": "http://gateway:8000/v1"},
        {"image": {"repository": "langop/model", "digest": "latest"}},
        {"models": {"GPT_4": {"modelName": "gpt-4"}}},
        {"monitoring": {"runbookURL": "https://docs.example.org/operations.md#x"}},
        {"workers": 0},
    ],
    ids=str,
)
def test_a_wrong_value_is_refused(wrong: dict[str, Any]):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(DEFAULTS | wrong, SCHEMA)


def test_no_template_reads_the_versions_of_the_chart():
    """So a rendering that was recorded stays true when they alone change: support/chart.py."""
    templates = [path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir()]
    assert templates
    assert not [text for text in templates if ".Chart" in text]


def test_the_chart_may_name_a_released_image_by_its_digest():
    """As the release's workflow writes it."""
    image = {"repository": "registry.example/langop/model", "tag": "1.2.3", "digest": f"sha256:{'0' * 64}"}
    assert DEFAULTS["image"].keys() == image.keys()
    jsonschema.validate(DEFAULTS | {"image": image}, SCHEMA)
