"""Releases of the chart in a real API server: installed, upgraded and uninstalled as documented."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docgen.blocks import ROOT, shell_blocks
from harness.chart import CHART, NAMESPACE, Done, container_of, helm, packed
from harness.executions import execution, unique_target
from harness.kubectl import kubectl
from harness.objects import Objects
from localcluster import Tier, lifecycle
from localcluster.build import Builder
from localcluster.cluster import Cluster, Object
from localcluster.programs import HELM

# The chart of the release before this one; CONTRIBUTING.md says when it is renewed.
PREVIOUS = ROOT / "tests/recorded/chart-of-the-previous-release.tgz"
RELEASE, RUNS_IN = "workflowexecution", "kubernaut-workflows"
REPOSITORY = "registry.example.com/kubernaut/workflowexecution-operator"
DIGESTS = [f"sha256:{digit * 64}" for digit in "ab"]
# Of install.md's commands with Helm, those that name the image by its digest.
BY_DIGEST = "image.digest="
INSTALL = ROOT / "docs/how-to/install.md"
UPGRADE = ROOT / "docs/how-to/upgrade.md"
README = ROOT / "manifests/chart/README.md"
DEFINITIONS = tuple(
    f"{plural}.workflowexecution.kubernaut.ai"
    for plural in ("workflowexecutions", "workflowholds", "workflowclaims")
)


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """A cluster that releases are installed into."""
    with lifecycle.running(Tier.API) as cluster:
        yield cluster


@pytest.fixture
def cluster_of_ours(own: Cluster) -> Cluster:
    """A cluster with nothing of the operator."""
    helm(own, "uninstall", RELEASE, f"--namespace={NAMESPACE}", "--ignore-not-found")
    for kind, names in (("crd", DEFINITIONS), ("namespace", (NAMESPACE, RUNS_IN))):
        done = kubectl(own, "delete", kind, *names, "--ignore-not-found", "--timeout=50s")
        assert done.returncode == 0, done.stderr
    return own


def test_it_is_installed_as_the_page_says_from_the_top(cluster_of_ours: Cluster) -> None:
    image = f"{REPOSITORY}@{DIGESTS[0]}"
    _paste(cluster_of_ours, INSTALL, "kubectl apply -k manifests/namespaces")
    said = _paste(cluster_of_ours, INSTALL, BY_DIGEST, IMAGE=image)

    assert f"It runs {image}" in said
    assert _image(cluster_of_ours) == image
    # What uninstalling keeps is no obstacle to the next installation.
    uninstalled = helm(cluster_of_ours, "uninstall", RELEASE, f"--namespace={NAMESPACE}")
    assert uninstalled.returncode == 0, uninstalled.stderr
    assert all(_definition(cluster_of_ours, name) for name in DEFINITIONS)
    assert cluster_of_ours.exists(f"/api/v1/namespaces/{RUNS_IN}")
    assert "STATUS: deployed" in _paste(cluster_of_ours, INSTALL, BY_DIGEST, IMAGE=image)


def test_the_namespace_of_the_runs_stays_the_releases_own(cluster_of_ours: Cluster) -> None:
    for verb in ("install", "upgrade"):
        done = _helm(cluster_of_ours, verb, str(ROOT / "manifests/chart"))
        assert done.returncode == 0, done.stderr
        place = cluster_of_ours.request("GET", f"/api/v1/namespaces/{RUNS_IN}")
        assert place["metadata"]["annotations"]["meta.helm.sh/release-name"] == RELEASE

    shown = helm(cluster_of_ours, "get", "manifest", RELEASE, f"--namespace={NAMESPACE}")
    assert f"kind: Namespace\nmetadata:\n  name: {RUNS_IN}" in shown.stdout


def test_the_previous_release_is_upgraded_as_documented(cluster_of_ours: Cluster) -> None:
    before = ("--set=replicas=3", f"--set=image.repository={REPOSITORY}", "--set=image.tag=old")
    done = _helm(cluster_of_ours, "install", str(PREVIOUS), *before)
    assert done.returncode == 0, done.stderr
    item = _create(cluster_of_ours)

    image = f"{REPOSITORY}@{DIGESTS[1]}"
    _paste(cluster_of_ours, UPGRADE, "--take-ownership", IMAGE=image)

    assert _image(cluster_of_ours) == image
    assert _deployment(cluster_of_ours)["spec"]["replicas"] == 3
    for name in DEFINITIONS:
        notes = _definition(cluster_of_ours, name)["metadata"]["annotations"]
        assert notes["helm.sh/resource-policy"] == "keep"
        assert notes["meta.helm.sh/release-name"] == RELEASE
    there = Objects(cluster_of_ours, "workflowexecutions").get("default", item["metadata"]["name"])
    assert there is not None
    assert there["metadata"]["uid"] == item["metadata"]["uid"]
    # From then on without it.
    image = f"{REPOSITORY}@{DIGESTS[0]}"
    _paste(cluster_of_ours, UPGRADE, "helm upgrade", IMAGE=image)
    assert _image(cluster_of_ours) == image


def test_a_release_brings_its_image_and_its_definitions(
    cluster_of_ours: Cluster, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    shutil.copytree(CHART, older)
    definition = older / "definitions/workflowholds.yaml"
    definition.write_text(definition.read_text().replace("    - wfh\n", "    - older\n"))
    release = packed(tmp_path, "1.0.0", chart=older)
    done = _helm(cluster_of_ours, "install", str(release), "--set=commonLabels.team=sre")
    assert done.returncode == 0, done.stderr
    assert _definition(cluster_of_ours, DEFINITIONS[1])["spec"]["names"]["shortNames"] == ["older"]

    _newer(tmp_path)
    _paste(cluster_of_ours, README, "helm upgrade", at=tmp_path)

    assert _image(cluster_of_ours) == "workflowexecution-operator:1.1.0"
    assert _deployment(cluster_of_ours)["metadata"]["labels"]["team"] == "sre"
    assert _definition(cluster_of_ours, DEFINITIONS[1])["spec"]["names"]["shortNames"] == ["wfh"]


def test_a_tag_that_was_set_once_is_told_of(cluster_of_ours: Cluster, tmp_path: Path) -> None:
    done = _helm(
        cluster_of_ours, "install", str(packed(tmp_path, "1.0.0")), "--set=image.tag=1.0.0"
    )
    assert (done.returncode, "WARNING" in done.stdout) == (0, False), done.stderr
    newer = _newer(tmp_path)

    said = _paste(cluster_of_ours, README, "helm upgrade", at=tmp_path)
    assert "this chart is of version 1.1.0, and image.tag is 1.0.0" in said
    assert _image(cluster_of_ours).endswith(":1.0.0")

    follow = ("--reset-then-reuse-values", "--set=image.tag=")
    done = _helm(cluster_of_ours, "upgrade", str(newer), *follow)
    assert (done.returncode, "WARNING" in done.stdout) == (0, False), done.stderr
    assert _image(cluster_of_ours).endswith(":1.1.0")


def _newer(folder: Path) -> Path:
    """A release of version 1.1.0, under the name that the page has."""
    named = folder / "workflowexecution-operator-VERSION.tgz"
    packed(folder, "1.1.0").rename(named)
    return named


def _helm(cluster: Cluster, verb: str, chart: str, *flags: str) -> Done:
    create = ("--create-namespace",) if verb == "install" else ()
    return helm(cluster, verb, RELEASE, chart, f"--namespace={NAMESPACE}", *create, *flags)


def _paste(cluster: Cluster, page: Path, part: str, *, at: Path = ROOT, **more: str) -> str:
    """Run the first block of a page that has this part in it; returns what is printed."""
    block = next(block for block in shell_blocks(page) if part in block.text)
    found = [cluster.kubectl.parent, Builder().path_of(HELM).parent]
    path = os.pathsep.join([*map(str, found), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euc", block.text],
        cwd=at,
        env={**os.environ, "PATH": path, "KUBECONFIG": str(cluster.kubeconfig), **more},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{block}: {done.stderr}"
    return " ".join(done.stdout.split())


def _deployment(cluster: Cluster) -> Any:
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/workflowexecution-controller"
    return cluster.request("GET", path)


def _image(cluster: Cluster) -> str:
    return str(container_of(_deployment(cluster))["image"])


def _definition(cluster: Cluster, name: str) -> Any:
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    return cluster.request("GET", path)


def _create(cluster: Cluster) -> Object:
    item = execution(unique_target(), namespace="default")
    return Objects(cluster, "workflowexecutions").create(item)
