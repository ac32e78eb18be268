"""The manifests satisfy kube-score, except for the checks that are listed."""

from __future__ import annotations

import json

import pytest
import yaml

import monitoring
from localcluster import checkers
from localcluster.overlays import MANIFESTS, overlay
from localcluster.programs import KUBE_SCORE

NOT_ASKED = {
    # The image is named by version or digest, neither of which changes.
    "container-image-pull-policy",
    # The image brings its number; OpenShift gives another.
    "container-security-context-user-group-id",
    # A node that does not count local storage would take no pod that asks for some.
    "container-ephemeral-storage-request-and-limit",
    # Spread over nodes and zones says the same, and still lets a single node run both.
    "deployment-has-host-podantiaffinity",
}
# Which ports an API server has depends on the cluster, so egress is bounded by choice.
UNBOUND_EGRESS = "pod-networkpolicy"
MORE = {
    "": {UNBOUND_EGRESS},
    "overlays/high-availability": {UNBOUND_EGRESS},
    "overlays/minimal": {UNBOUND_EGRESS, "deployment-replicas"},
    "overlays/openshift": {UNBOUND_EGRESS},
    "overlays/single-namespace": {UNBOUND_EGRESS},
    "overlays/restricted": set(),
    "overlays/status-page": {UNBOUND_EGRESS},
}


def test_every_overlay_is_looked_at() -> None:
    there = {f"overlays/{path.parent.name}" for path in MANIFESTS.glob("overlays/*/*.yaml")}

    assert there == set(MORE) - {""}


@pytest.mark.parametrize("folder", MORE)
def test_nothing_is_found_wrong(folder: str) -> None:
    rendered = yaml.safe_dump_all(checkers.kustomized(MANIFESTS / folder))
    ignored = [f"--ignore-test={name}" for name in sorted(NOT_ASKED | MORE[folder])]
    how = ("--exit-one-on-warning", "--ignore-container-cpu-limit", "--output-format=ci")

    done = checkers.run(KUBE_SCORE, "score", *how, *ignored, "-", feed=rendered)

    wrong = [line for line in done.stdout.splitlines() if not line.startswith(("[OK", "[SKIP"))]
    assert (done.returncode, wrong) == (0, []), done.stderr
    assert "workflowexecution-controller" in done.stdout


def test_what_is_monitored_is_there() -> None:
    with overlay(resources=["."], components=["monitoring"]) as folder:
        rendered = checkers.kustomized(folder)

    (monitor,) = [item for item in rendered if item["kind"] == "ServiceMonitor"]
    (service,) = [item for item in rendered if item["kind"] == "Service"]
    assert monitor["metadata"]["namespace"] == service["metadata"]["namespace"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= (
        service["metadata"]["labels"].items()
    )
    ports = {port["name"] for port in service["spec"]["ports"]}
    assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports
    (rules,) = [item for item in rendered if item["kind"] == "PrometheusRule"]
    assert rules["spec"] == monitoring.groups()
    (dashboard,) = [item for item in rendered if item["kind"] == "ConfigMap"]
    assert dashboard["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert json.loads(dashboard["data"]["dashboard.json"]) == monitoring.dashboard()


def test_the_page_shows_how_kube_prometheus_stack_selects_what_is_monitored() -> None:
    page = (MANIFESTS.parent / "docs/how-to/observe.md").read_text()
    (shown,) = [part for part in page.split("```yaml\n")[1:] if "ServiceMonitor|" in part]
    patches = yaml.safe_load(shown.partition("```")[0])["patches"]
    with overlay(resources=["."], components=["monitoring"], patches=patches) as folder:
        rendered = checkers.kustomized(folder)

    labels = {item["kind"]: item["metadata"].get("labels", {}).get("release") for item in rendered}
    chosen = {kind for kind, release in labels.items() if release == "kube-prometheus-stack"}
    assert chosen == {"ServiceMonitor", "PrometheusRule"}
