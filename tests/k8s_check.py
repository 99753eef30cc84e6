"""Do the manifests build, and do the alerts fire? `make k8s-check` runs this, with kubectl, and promtool for the rules.

Not collected by a plain run of the suite, where the tools may be missing: here a missing kubectl is a failure.
"""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
OVERLAYS = sorted(path.name for path in (DEPLOY / "kubernetes" / "overlays").iterdir())


def _run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@cache
def _built(overlay: str) -> tuple[dict[str, Any], ...]:
    if not shutil.which("kubectl"):
        pytest.fail("kubectl is missing: install it, its kustomize builds the overlays.")
    output = _run("kubectl", "kustomize", str(DEPLOY / "kubernetes" / "overlays" / overlay))
    return tuple(document for document in yaml.safe_load_all(output) if document)


def _of_kind(overlay: str, *kinds: str) -> dict[str, dict[str, Any]]:
    found = (document for document in _built(overlay) if document["kind"] in kinds)
    return {document["metadata"]["name"]: document for document in found}


def _template(workload: dict[str, Any]) -> dict[str, Any]:
    template: dict[str, Any] = workload["spec"]["template"]
    return template


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_builds_into_one_namespace_with_every_part(overlay: str) -> None:
    (namespace,) = _of_kind(overlay, "Namespace")
    assert {d["metadata"].get("namespace") for d in _built(overlay) if d["kind"] != "Namespace"} == {
        namespace
    }
    assert set(_of_kind(overlay, "Deployment")) == {
        *("kb-web", "kb-relay", "kb-worker-extract", "kb-worker-embed", "kb-worker-default")
    }
    assert set(_of_kind(overlay, "Job")) == {"kb-migrate", "kb-prepare-models"}
    assert not _of_kind(overlay, "Secret")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_runs_the_site_s_image_with_the_built_map(overlay: str) -> None:
    (config,) = _of_kind(overlay, "ConfigMap")
    for workload in _of_kind(overlay, "Deployment", "Job").values():
        pod = _template(workload)["spec"]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["image"].startswith("registry.example.com/kb:")
            assert {"configMapRef": {"name": config}} in container["envFrom"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_find_the_pods_that_they_are_for(overlay: str) -> None:
    labels = {
        name: _template(workload)["metadata"]["labels"]
        for name, workload in _of_kind(overlay, "Deployment").items()
    }
    for name, budget in _of_kind(overlay, "PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    for name, service in _of_kind(overlay, "Service").items():
        assert service["spec"]["selector"].items() <= labels[name].items()
    for scaler in _of_kind(overlay, "HorizontalPodAutoscaler").values():
        scaled = _of_kind(overlay, "Deployment")[scaler["spec"]["scaleTargetRef"]["name"]]
        # Both would set the number of pods, in turns.
        assert "replicas" not in scaled["spec"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_workers_that_read_files_reach_postgres_objects_broker_and_names_only(overlay: str) -> None:
    labels = _template(_of_kind(overlay, "Deployment")["kb-worker-extract"])["metadata"]["labels"]
    policies = [
        policy["spec"]
        for policy in _of_kind(overlay, "NetworkPolicy").values()
        if policy["spec"]["podSelector"].get("matchLabels", {}).items() <= labels.items()
    ]
    rules = [rule for spec in policies for rule in spec.get("egress", [])]
    assert any("Egress" in spec["policyTypes"] and "egress" not in spec for spec in policies)
    assert {port["port"] for rule in rules for port in rule["ports"]} <= {53, 443, 5432, 6379, 9000}
    peers = [peer for rule in rules for peer in rule["to"]]
    assert len(peers) == 4
    for peer in peers:
        # Some pods of one namespace, or a few addresses that are not the documentation's any more.
        if "ipBlock" in peer:
            address, _, bits = peer["ipBlock"]["cidr"].partition("/")
            assert int(bits) >= 24
            assert not address.startswith("192.0.2.")
        else:
            assert set(peer) == {"namespaceSelector", "podSelector"}
    (names,) = (rule for rule in rules if {port["port"] for port in rule["ports"]} == {53})
    assert names["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is missing: the alerts were not tried")
@pytest.mark.parametrize("command", [("check", "rules", "rules.yaml"), ("test", "rules", "rules.test.yaml")])
def test_the_rules_are_sound_and_each_alert_fires_on_its_fault(command: tuple[str, str, str]) -> None:
    *words, name = command
    _run("promtool", *words, str(DEPLOY / "prometheus" / name))
