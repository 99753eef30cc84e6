"""Do the files in deploy/ speak of this code: its settings, its metrics, its views, its queues?

What needs a tool that a development machine may lack is in tests/k8s_check.py, which `make k8s-check` runs.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prometheus_client.metrics
import pytest
import yaml

import kb.metrics
import retrieval.metrics
import retrieval.spaces
import workers.metrics
from kb.middleware import PROBES
from workers.celery import QUEUES
from workers.extract.limits import DEFAULT

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
OVERLAYS = sorted(path.name for path in (DEPLOY / "kubernetes" / "overlays").iterdir())

# What the operator fills in, in a form that the settings take.
SECRETS = {
    "SECRET_KEY": "x" * 50,
    "KB_DB_PASSWORD": "word",
    "KB_S3_ACCESS_KEY": "access",
    "KB_S3_SECRET_KEY": "secret",
    "KB_BROKER_URL": "rediss://:word@redis.example.com:6379/0",
    "KB_CACHE_URL": "rediss://:word@redis.example.com:6379/1",
    "KB_METRICS_TOKEN": "token",
}
# Names that are no settings, and the file of ours that reads each or, for a library's, sets it elsewhere too.
READ_ELSEWHERE = {
    "DJANGO_SETTINGS_MODULE": "kb/wsgi.py",
    "PROMETHEUS_MULTIPROC_DIR": "kb/metrics.py",
    "OMP_NUM_THREADS": "kb/supervisor.py",
    "OPENBLAS_NUM_THREADS": "kb/supervisor.py",
    "RAYON_NUM_THREADS": "kb/supervisor.py",
}
# Of Python and the system.
NOT_OURS = {"PATH", "HOME", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def _yaml_files() -> list[Path]:
    return sorted(DEPLOY.rglob("*.yaml")) + sorted(DEPLOY.rglob("*.yml"))


def _documents(path: Path) -> list[Any]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def _base() -> Iterator[dict[str, Any]]:
    for path in sorted(BASE.glob("*.yaml")):
        yield from _documents(path)


def _pods() -> dict[str, dict[str, Any]]:
    """The pod of each Deployment and Job of the base, by name."""
    return {
        document["metadata"]["name"]: document["spec"]["template"]["spec"]
        for document in _base()
        if document["kind"] in ("Deployment", "Job")
    }


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def _pairs(lines: list[str]) -> dict[str, str]:
    """NAME=value lines."""
    kept = (line.strip() for line in lines)
    return dict(line.split("=", 1) for line in kept if line and not line.startswith("#"))


def _image_environment() -> dict[str, str]:
    """What ENV of the last stage sets."""
    stage = (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    found = re.search(r"^ENV ((?:.*\\\n)*.*)$", stage, re.MULTILINE)
    assert found
    return _pairs(found[1].replace("\\\n", "\n").split())


def _overlay_environment(overlay: str) -> dict[str, str]:
    """What a pod gets: the image's, then the base's map with the overlay's over it, then the Secret's."""
    kustomization = _documents(DEPLOY / "kubernetes" / "overlays" / overlay / "kustomization.yaml")[0]
    (secret,) = _documents(BASE / "secret.template.yaml")
    return (
        _image_environment()
        | _pairs((BASE / "kb.env").read_text().splitlines())
        | _pairs(kustomization["configMapGenerator"][0]["literals"])
        | {name: SECRETS[name] for name in secret["stringData"]}
    )


def _compose_environment() -> dict[str, str]:
    given = _pairs((DEPLOY / ".env.example").read_text().splitlines())
    return _image_environment() | {name: value or SECRETS[name] for name, value in given.items()}


ENVIRONMENTS = [*OVERLAYS, "compose"]


def _environment(where: str) -> dict[str, str]:
    return _compose_environment() if where == "compose" else _overlay_environment(where)


def _names_read(environment: dict[str, str]) -> set[str]:
    """What the production settings ask the environment for, when they start from this one alone."""
    code = """
import collections, json, os
class Asked(collections.UserDict):
    names = []
    def __getitem__(self, name):
        self.names.append(name)
        return super().__getitem__(name)
os.environ = Asked(os.environ)
import kb.settings.production
print(json.dumps(Asked.names))
"""
    kept = {name: value for name, value in environment.items() if name not in NOT_OURS}
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | {"PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


@pytest.mark.parametrize("path", _yaml_files(), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_yaml_file_parses(path: Path) -> None:
    assert _documents(path)


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_production_starts_from_what_is_set_and_reads_all_of_it(where: str) -> None:
    environment = _environment(where)
    unread = set(environment) - _names_read(environment) - NOT_OURS - set(READ_ELSEWHERE)
    assert not unread


@pytest.mark.parametrize(("name", "path"), READ_ELSEWHERE.items())
def test_a_name_that_is_no_setting_is_known_to_the_file_that_is_said_to_know_it(name: str, path: str) -> None:
    assert name in (ROOT / path).read_text()


def test_the_secret_template_and_the_example_hold_no_secret() -> None:
    (secret,) = _documents(BASE / "secret.template.yaml")
    assert set(secret["stringData"].values()) == {""}
    example = _pairs((DEPLOY / ".env.example").read_text().splitlines())
    assert [example[name] for name in ("SECRET_KEY", "KB_DB_PASSWORD", "KB_S3_SECRET_KEY")] == [""] * 3


def test_kustomizations_name_each_file_that_is_there_and_leave_the_template_out() -> None:
    (kustomization,) = _documents(BASE / "kustomization.yaml")
    there = {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml", "secret.template.yaml"}
    assert set(kustomization["resources"]) == there


@pytest.mark.parametrize("name", _pods())
def test_every_pod_is_confined(name: str) -> None:
    pod = _pods()[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    # A Service named kb-... would set variables that start with KB_.
    assert pod["enableServiceLinks"] is False
    for container in _containers(pod):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])


@pytest.mark.parametrize("name", _pods())
def test_every_mounted_volume_is_there_and_what_is_written_to_is_mounted(name: str) -> None:
    pod = _pods()[name]
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in _containers(pod):
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert set(mounts.values()) <= volumes
        assert {_image_environment()["PROMETHEUS_MULTIPROC_DIR"], "/tmp"} <= set(mounts)


def _queues(words: list[str]) -> list[str]:
    return words[words.index("--queues") + 1].split(",") if "--queues" in words else []


def test_every_queue_has_its_workers() -> None:
    in_cluster = [
        queue for pod in _pods().values() for queue in _queues(pod["containers"][0].get("args", []))
    ]
    assert sorted(in_cluster) == sorted(QUEUES)
    (compose,) = _documents(DEPLOY / "compose.yaml")
    on_host = [queue for part in compose["services"].values() for queue in _queues(part.get("command", []))]
    assert sorted(on_host) == sorted(QUEUES)


def test_a_parser_may_finish_before_its_pod_is_killed() -> None:
    pod = _pods()["kb-worker-extract"]
    assert pod["terminationGracePeriodSeconds"] > DEFAULT.wall_s
    words = pod["containers"][0]["args"]
    parsers = int(words[words.index("--concurrency") + 1])
    assert pod["containers"][0]["resources"]["limits"]["memory"] == "5Gi"
    assert parsers * DEFAULT.memory_bytes < 5 * 1024**3


def test_only_the_pods_that_encode_wait_for_models() -> None:
    with_models = {
        name for name, pod in _pods().items() if any(volume["name"] == "models" for volume in pod["volumes"])
    }
    assert with_models == {"kb-web", "kb-worker-embed", "kb-prepare-models"}


def test_everything_is_denied_and_no_policy_reaches_everywhere() -> None:
    policies = {
        document["metadata"]["name"]: document["spec"]
        for document in _base()
        if document["kind"] == "NetworkPolicy"
    }
    assert policies.pop("kb-deny") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for spec in policies.values():
        for rule in [*spec.get("egress", []), *spec.get("ingress", [])]:
            assert rule["ports"]
            peers = rule.get("to") or rule["from"]
            assert peers
            assert all(peer.get("ipBlock", {"cidr": "/32"})["cidr"].endswith("/32") for peer in peers)


def test_annotations_name_the_port_that_serves_metrics() -> None:
    settings = _pairs((BASE / "kb.env").read_text().splitlines())
    for document in _base():
        if document["kind"] == "Deployment":
            template = document["spec"]["template"]
            port = template["metadata"]["annotations"]["prometheus.io/port"]
            container = template["spec"]["containers"][0]
            assert int(port) in [entry["containerPort"] for entry in container["ports"]]
            if container["name"] == "worker":
                assert port == settings["KB_WORKER_METRICS_PORT"]
            if container["name"] == "relay":
                assert port in container["args"]


# --- Metrics


def _metrics() -> dict[str, set[str]]:
    """The labels of each series that the code exports, by the series' name."""
    modules = (kb.metrics, retrieval.metrics, retrieval.spaces, workers.metrics)
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    found: dict[str, set[str]] = {}
    for module in modules:
        for metric in vars(module).values():
            if isinstance(metric, prometheus_client.metrics.MetricWrapperBase):
                # Private, but the only place for the labels of a metric that has counted nothing yet.
                for suffix in suffixes[metric._type]:
                    found[metric._name + suffix] = set(metric._labelnames)
                    if suffix == "_bucket":
                        found[metric._name + suffix].add("le")
    return found


def _expressions() -> list[tuple[str, str]]:
    (rules,) = _documents(DEPLOY / "prometheus" / "rules.yaml")
    alerts = [(rule["alert"], rule["expr"]) for group in rules["groups"] for rule in group["rules"]]
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    panels = [
        (f"panel {panel['title']}", target["expr"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    return alerts + panels


def _selectors(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each series that an expression names, with its label matchers."""
    for name, inside in re.findall(r"\b(kb_\w+|up\b)(?:\{([^}]*)\})?", expression):
        yield name, dict(re.findall(r'(\w+)\s*[=!]~?\s*"([^"]*)"', inside))


@pytest.mark.parametrize(("where", "expression"), _expressions())
def test_rules_and_dashboard_name_metrics_and_labels_that_the_code_has(where: str, expression: str) -> None:
    known = _metrics() | {"up": {"job"}}  # Prometheus' own.
    selectors = list(_selectors(expression))
    assert selectors
    for name, matchers in selectors:
        assert name in known
        assert set(matchers) <= known[name]
    grouped = {
        label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in labels.split(",")
    }
    assert grouped <= set().union(*(known[name] for name, _ in selectors))


def test_each_alert_is_explained_to_operators() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    (rules,) = _documents(DEPLOY / "prometheus" / "rules.yaml")
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert names == set(re.findall(r"^\| `(Kb\w+)` \|", text, re.MULTILINE))


def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    (rules,) = _documents(DEPLOY / "prometheus" / "rules.yaml")
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    (suite,) = _documents(DEPLOY / "prometheus" / "rules.test.yaml")
    cases = [case for test in suite["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == names


def test_the_job_that_an_alert_asks_for_is_a_part_that_is_scraped() -> None:
    parts = {
        document["metadata"]["name"] for document in _base() if document["kind"] in ("Deployment", "Job")
    }
    jobs = {
        matchers["job"]
        for _, expression in _expressions()
        for name, matchers in _selectors(expression)
        if name == "up"
    }
    assert jobs <= parts


def test_the_image_asks_the_health_of_an_address_that_exists() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    health = dockerfile.partition("HEALTHCHECK")[2]
    assert any(f"127.0.0.1:8000{path}'" in health for path in PROBES)
    probes = {
        probe["httpGet"]["path"]
        for key in ("startupProbe", "readinessProbe", "livenessProbe")
        if (probe := _pods()["kb-web"]["containers"][0].get(key))
    }
    assert probes <= set(PROBES)
