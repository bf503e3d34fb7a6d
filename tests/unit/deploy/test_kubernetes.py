"""The manifests for Kubernetes: without a cluster, they are checked against its schemas and against the settings."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.infrastructure.settings.settings import Settings

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"
NEWEST, OLDEST = "1.37", "1.29"
OBJECTS: list[dict[str, Any]] = [
    document for path in sorted(FOLDER.glob("*.yaml")) for document in yaml.safe_load_all(path.read_text("utf-8"))
]
MANIFESTS = [document for document in OBJECTS if document["kind"] != "Kustomization"]
RUNNING = {
    document["metadata"]["name"]: document["spec"]["template"]["spec"]
    for document in MANIFESTS
    if document["kind"] in ("Deployment", "Job")
}
ROLES = [name.removeprefix("marquee-") for name in RUNNING]


def container(role: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = RUNNING[f"marquee-{role}"]["containers"]
    return found


def own_settings() -> Settings:
    [configuration] = [document for document in MANIFESTS if document["kind"] == "ConfigMap"]
    return Settings.model_validate(yaml.safe_load(configuration["data"]["config.yaml"]))


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda document: f"{document['kind']}-{document['metadata']['name']}"
)
def test_manifests_keep_to_the_schemas(manifest: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(manifest, version, strict=True)


def test_a_manifest_with_a_word_that_is_no_key_does_not_keep_to_them() -> None:
    wrong = {**MANIFESTS[0], "unheard": "of"}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_every_role_runs_and_kustomize_names_every_file() -> None:
    [kustomization] = [document for document in OBJECTS if document["kind"] == "Kustomization"]

    assert sorted(ROLES) == ["api", "migrate", "scheduler", "worker"]
    assert sorted(kustomization["resources"]) == sorted(
        path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml"
    )
    assert all(container(role)["args"] == [role] for role in ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_secrets_come_by_reference(role: str) -> None:
    secret = {"MARQUEE__REDIS__URL": "redis-url", "MARQUEE__DATABASE__URL": "database-url"}

    for variable in container(role)["env"]:
        _, *path = variable["name"].lower().split("__")
        fields: Any = Settings
        for part in path:
            assert part in fields.model_fields, variable["name"]
            fields = fields.model_fields[part].annotation
        if variable["name"] in secret:
            assert variable["valueFrom"]["secretKeyRef"] == {
                "name": "marquee-stores",
                "key": secret.pop(variable["name"]),
            }
    assert not secret
    assert not [document for document in OBJECTS if document["kind"] == "Secret"]


@pytest.mark.parametrize("role", [role for role in ROLES if role != "migrate"])
def test_a_pod_has_the_time_to_drain(role: str) -> None:
    sleep = container(role).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])

    assert (
        RUNNING[f"marquee-{role}"]["terminationGracePeriodSeconds"] > own_settings().service.drain + int(sleep[1]) + 5
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_pod_is_bounded_and_may_do_nothing_more_than_it_needs(role: str) -> None:
    pod, one = RUNNING[f"marquee-{role}"], container(role)

    assert set(one["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in one["resources"]["limits"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {volume["name"] for volume in pod["volumes"]} == {mount["name"] for mount in one["volumeMounts"]}


def test_the_api_is_probed_where_it_answers_and_ends_after_its_endpoints() -> None:
    api = container("api")
    paths = {name: api[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}

    assert paths == {
        "startupProbe": "/health/ready",
        "readinessProbe": "/health/ready",
        "livenessProbe": "/health/live",
    }
    assert api["ports"] == [{"name": "http", "containerPort": own_settings().service.port}]
    assert own_settings().service.host == "0.0.0.0"
    assert "lifecycle" in api
