"""deploy/: what a cluster would get, and that it fits the image, the gateway and itself."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import redis
import yaml
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from langop_model.gateway.accounting.request_definitions import IN_FLIGHT
from langop_model.gateway.accounting.state_definitions import QUEUE_LENGTH
from langop_model.launch import load_config
from langop_model.launch.config_watcher import CONFIGURATION
from langop_model.renderer.settings import SECRETS_FOLDER
from tests.conftest import ROOT
from tests.live import redis_server
from tests.support.manifests import (
    BUILDS,
    CUSTOM,
    KUBERNETES,
    built,
    container,
    gateway,
    matches,
    nodes,
    of_kind,
    pod,
    pod_labels,
    seconds,
)
from tools.processes import free_port

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTANCE_METADATA = "169.254.0.0/16"  # where clouds hand out credentials to any caller

every_build = pytest.mark.parametrize("build", BUILDS)


def models(build: str) -> dict[str, Any]:
    """Return the specifications that a build mounts, by the name of their file."""
    (mounted,) = [volume for volume in pod(gateway(build))["volumes"] if "configMap" in volume]
    (found,) = [each for each in of_kind(build, "ConfigMap") if each["metadata"]["name"] == mounted["configMap"]["name"]]
    return {name: json.loads(text) for name, text in found["data"].items()}


def mounts(build: str) -> dict[str, str]:
    """Return where the gateway's volumes are mounted, by their name."""
    return {mount["name"]: mount["mountPath"] for mount in container(gateway(build))["volumeMounts"]}


def dockerfile(instruction: str) -> str:
    """Return what the Dockerfile's last instruction of this name says."""
    return str(re.findall(rf"^{instruction}\s+(.+)$", DOCKERFILE, re.MULTILINE)[-1])


# The Kubernetes API takes it.


@every_build
@pytest.mark.parametrize("version", [KUBERNETES, kubernetes_validate.latest_version()])
def test_every_object_satisfies_the_schema_of_its_kind(build: str, version: str):
    checked = [manifest for manifest in built(build) if manifest["kind"] not in CUSTOM]
    for manifest in checked:
        kubernetes_validate.validate(manifest, version, strict=True)
    assert len(checked) >= 7


def test_the_schemas_refuse_a_field_that_is_not_there():
    """Else the test above would show nothing."""
    wrong = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "automount": False}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


@every_build
def test_no_object_names_a_namespace_or_holds_a_secret(build: str):
    assert not [each for each in built(build) if "namespace" in each["metadata"]]
    assert not of_kind(build, "Secret")


# A pod that can do little.


@every_build
def test_every_container_runs_without_rights_and_cannot_change_its_root(build: str):
    for deployment in of_kind(build, "Deployment"):
        security = pod(deployment)["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] >= 100
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container(deployment)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@every_build
def test_no_pod_gets_a_token_of_the_kubernetes_api(build: str):
    for deployment in of_kind(build, "Deployment"):
        assert pod(deployment)["automountServiceAccountToken"] is False


@every_build
def test_every_container_has_a_limit_of_memory_and_the_gateway_none_of_cpu(build: str):
    for deployment in of_kind(build, "Deployment"):
        assert {"cpu", "memory"} <= container(deployment)["resources"]["requests"].keys()
        assert "memory" in container(deployment)["resources"]["limits"]
    assert "cpu" not in container(gateway(build))["resources"]["limits"]


# It fits the image.


@every_build
def test_user_and_port_are_the_images(build: str):
    security = pod(gateway(build))["securityContext"]
    assert f"{security['runAsUser']}:{security['runAsGroup']}" == dockerfile("USER")
    assert [port["containerPort"] for port in container(gateway(build))["ports"]] == [int(dockerfile("EXPOSE"))]


@every_build
def test_the_probes_ask_for_liveness_and_readiness(build: str):
    """Never for the state of the providers."""
    probed = {name: container(gateway(build))[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert probed == {
        "startup": {"path": "/health/liveliness", "port": "http"},
        "liveness": {"path": "/health/liveliness", "port": "http"},
        "readiness": {"path": "/health/readiness", "port": "http"},
    }
    assert "/health/liveliness" in DOCKERFILE  # the HEALTHCHECK


@every_build
def test_the_configuration_has_a_place_that_can_be_written(build: str):
    places = mounts(build)
    assert places["config"] == str(Path(CONFIGURATION).parent)
    (volume,) = [volume for volume in pod(gateway(build))["volumes"] if volume["name"] == "config"]
    assert volume["emptyDir"]["sizeLimit"]
    copied = re.findall(r"^COPY\s.*\s(\S+)$", DOCKERFILE, re.MULTILINE)
    assert not [place for place in copied if place.startswith(f"{places['config']}/")]  # the mount would hide it


# It fits the specification.


@every_build
def test_what_the_image_would_render_has_no_finding(build: str, tmp_path: Path):
    mounted = models(build)
    for name, spec in mounted.items():
        (tmp_path / name).write_text(json.dumps(spec), encoding="utf-8")
    stated = {entry["name"]: entry.get("value", "set-by-the-cluster") for entry in container(gateway(build))["env"]}
    place = tmp_path if mounts(build)["model"] == load_config.SPECIFICATIONS else tmp_path / "model.json"
    result = load_config.render_mounted({**stated, "LANGOP_MODEL_PATH": str(place)})
    assert len(result.config["model_list"]) == len(mounted)
    assert result.findings == ()


@every_build
def test_specifications_are_mounted_as_a_folder(build: str):
    """A folder can change; launch looks there."""
    place = mounts(build)["model"]
    assert place in (load_config.SPECIFICATIONS, str(Path(load_config.SPECIFICATION).parent))
    assert "model.json" in models(build) or place == load_config.SPECIFICATIONS
    assert not [mount for mount in container(gateway(build))["volumeMounts"] if "subPath" in mount]


@every_build
def test_exactly_the_named_secrets_are_mounted(build: str):
    """Those that the specifications name, where launch looks for them."""
    named = {spec["apiKeySecretRef"]["name"] for spec in models(build).values()}
    secrets = {
        volume["secret"]["secretName"]: volume["name"] for volume in pod(gateway(build))["volumes"] if "secret" in volume
    }
    assert secrets.keys() == named
    assert {name: mounts(build)[volume] for name, volume in secrets.items()} == {
        name: f"{SECRETS_FOLDER}/{name}" for name in named
    }
    assert not [mount for mount in container(gateway(build))["volumeMounts"] if "secrets" in mount["mountPath"]
                and not mount["readOnly"]]  # fmt: skip


@every_build
def test_a_pod_that_ends_has_time_for_its_longest_request(build: str):
    """A request may wait `timeout` for room in a limit, and then take `timeout`: none of these models retries."""
    longest = max(2 * seconds(spec["timeout"]) for spec in models(build).values())
    assert not [spec for spec in models(build).values() if "retryPolicy" in spec]
    before = int(container(gateway(build))["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert pod(gateway(build))["terminationGracePeriodSeconds"] >= before + longest


# It fits itself.


@every_build
def test_services_budgets_and_policies_select_the_pods_of_one_deployment(build: str):
    deployments = of_kind(build, "Deployment")
    selectors = [service["spec"]["selector"] for service in of_kind(build, "Service")]
    selectors += [budget["spec"]["selector"]["matchLabels"] for budget in of_kind(build, "PodDisruptionBudget")]
    selectors += [policy["spec"]["podSelector"]["matchLabels"] for policy in of_kind(build, "NetworkPolicy")]
    selectors += [deployment["spec"]["selector"]["matchLabels"] for deployment in deployments]
    for selector in selectors:
        assert len([each for each in deployments if matches(selector, pod_labels(each))]) == 1
    spread = pod(gateway(build))["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    assert matches(spread, pod_labels(gateway(build)))


@every_build
def test_names_that_objects_call_each_other_by_are_there(build: str):
    (scaler,) = of_kind(build, "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == gateway(build)["metadata"]["name"]
    assert scaler["spec"]["minReplicas"] >= 2
    assert "replicas" not in gateway(build)["spec"]  # the autoscaler decides
    accounts = {account["metadata"]["name"] for account in of_kind(build, "ServiceAccount")}
    assert pod(gateway(build))["serviceAccountName"] in accounts


@every_build
def test_a_services_ports_lead_to_ports_of_its_container(build: str):
    for service in of_kind(build, "Service"):
        (deployment,) = [
            each for each in of_kind(build, "Deployment") if matches(service["spec"]["selector"], pod_labels(each))
        ]
        named = {port["name"] for port in container(deployment)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named


def test_the_gateways_service_listens_where_both_operators_look():
    (one,) = of_kind("base", "Service")
    (many,) = of_kind("overlays/gateway", "Service")
    assert [port["port"] for port in one["spec"]["ports"]] == [4000]
    assert [port["port"] for port in many["spec"]["ports"]] == [4000, 8000]
    assert many["metadata"]["name"] == "gateway"
    assert not [node for node in nodes(list(built("overlays/gateway"))) if node.get("name") == "gpt-4"]


def test_the_overlays_redis_asks_for_its_password(tmp_path: Path):
    """It starts, and does not show the password."""
    program = redis_server.find_or_skip("THE OVERLAY'S REDIS IS NOT STARTED")
    (deployment,) = [each for each in of_kind("overlays/redis", "Deployment") if each != gateway("overlays/redis")]
    shell, option, script = container(deployment)["command"]
    port = free_port()
    script = script.replace("redis-server -", f"{program} - --port {port} --bind 127.0.0.1", 1)
    environment = {"REDIS_PASSWORD": "not-a-real-password"}
    with subprocess.Popen([shell, option, script], env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        try:
            client = redis.Redis("127.0.0.1", port, password="not-a-real-password", retry=Retry(ConstantBackoff(0.1), 100))
            assert client.ping()
            assert client.config_get("maxmemory", "save") == {"maxmemory": str(192 * 2**20), "save": ""}
            with pytest.raises(redis.AuthenticationError):
                redis.Redis("127.0.0.1", port).ping()
            assert "not-a-real-password" not in Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8")
        finally:
            process.terminate()


# Who may talk to whom.


@every_build
def test_only_labelled_clients_siblings_and_prometheus_reach_the_gateway(build: str):
    policy = next(
        each
        for each in of_kind(build, "NetworkPolicy")
        if matches(each["spec"]["podSelector"]["matchLabels"], pod_labels(gateway(build)))
    )
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    (rule,) = policy["spec"]["ingress"]
    assert [peer["podSelector"]["matchLabels"] for peer in rule["from"]] == [
        {"langop.io/client": "true"},
        {"app.kubernetes.io/name": "langop-model"},
        {"app.kubernetes.io/name": "prometheus"},
    ]
    assert rule["ports"] == [{"port": "http"}]


@every_build
def test_no_pod_reaches_the_credentials_of_its_node(build: str):
    for policy in of_kind(build, "NetworkPolicy"):
        for rule in policy["spec"]["egress"]:
            for peer in rule["to"]:
                block = peer.get("ipBlock", {"cidr": "none"})
                assert block["cidr"] != "0.0.0.0/0" or INSTANCE_METADATA in block["except"]
                assert peer  # an empty peer would be everything


def test_redis_may_talk_to_the_gateway_alone():
    gateways, shared = "gpt-4", "gpt-4-redis"
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in of_kind("overlays/redis", "NetworkPolicy")}
    asks = [rule for rule in policies[gateways]["egress"] if rule["ports"] == [{"port": 6379}]]
    assert [peer["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] for peer in asks[0]["to"]] == [shared]
    (answers,) = policies[shared]["ingress"]
    assert [peer["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] for peer in answers["from"]] == [gateways]
    assert policies[shared]["egress"] == []


def test_the_gateway_finds_its_redis_by_its_service():
    """Both know the same password."""
    services = {service["metadata"]["name"] for service in of_kind("overlays/redis", "Service")}
    environment = {entry["name"]: entry for entry in container(gateway("overlays/redis"))["env"]}
    assert environment["REDIS_HOST"]["value"] in services
    (redis,) = [each for each in of_kind("overlays/redis", "Deployment") if each != gateway("overlays/redis")]
    assert container(redis)["env"] == [environment["REDIS_PASSWORD"]]


# Scaling by requests in flight.


def test_the_autoscaler_goes_by_cpu_and_by_requests_in_flight():
    (scaler,) = of_kind("overlays/autoscaling", "HorizontalPodAutoscaler")
    cpu, in_flight = scaler["spec"]["metrics"]
    assert cpu["resource"]["name"] == "cpu"
    assert in_flight["pods"]["metric"]["name"] == "langop_requests_in_flight"


def test_the_adapter_uses_gauges_that_the_gateway_has():
    rules = yaml.safe_load((ROOT / "deploy" / "autoscaling" / "prometheus-adapter.yaml").read_text(encoding="utf-8"))["rules"]
    series = [rule["seriesQuery"].partition("{")[0] for rule in rules["custom"]]
    assert series == [definition.name for definition in (IN_FLIGHT, QUEUE_LENGTH)]
    assert all(rule["resources"]["overrides"].keys() == {"namespace", "pod"} for rule in rules["custom"])
