"""The story is played in a cluster that is made for it, or in the user's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import localcluster
from live_demo.ownregistry import serve_registry
from live_demo.tools import REPOSITORY, DemoError, kubectl
from localcluster import Cluster, Tier
from localcluster.bundles import load_bundle, push_bundle
from localcluster.overlays import MANIFESTS
from operator_image.assemble import push
from operator_image.origin import working_tree
from workflowexecution.bundles.folder import DEFAULT_IMAGES

INSTALLED = tuple(
    str(MANIFESTS / part)
    for part in (
        "crd/workflowexecutions.yaml",
        "crd/workflowholds.yaml",
        "crd/workflowclaims.yaml",
        "namespaces/namespaces.yaml",
        "rbac/controller.yaml",
        "rbac/runner.yaml",
    )
)
BUNDLES = ("restart-workload", "inspect-workload", "always-fails", "wait")


@dataclass(frozen=True)
class Ground:
    """A cluster that is ready for the story.

    `bundles` maps a workflow to the reference of its bundle, `shell` is an image with /bin/sh.
    `operator` is the operator's image; empty where it has to run on this machine.
    """

    name: str
    kubeconfig: Path
    kubectl: Path
    bundles: Mapping[str, str]
    shell: str
    operator: str = ""


@contextmanager
def local_ground() -> Iterator[Ground]:
    """A cluster of the best tier that this machine allows; it ends with the block."""
    with localcluster.running(Tier.NODE) as cluster:
        yield ground_of(cluster, _operator_image(cluster))


@contextmanager
def kept_ground() -> Iterator[Ground]:
    """The same, and it stays, as that of `make cluster-up` does.

    Raises DemoError where one is there already: the story needs targets that are free.
    """
    state = localcluster.default_state()
    if localcluster.find(state):
        raise DemoError("a local cluster is there already; end it first: make cluster-down")
    cluster = localcluster.start(Tier.NODE, state)
    yield ground_of(cluster, _operator_image(cluster))


def ground_of(cluster: Cluster, operator: str = "") -> Ground:
    """A local cluster as the ground of the story, with the operator's image if it has one."""
    assert cluster.registry
    images = {
        "busybox": f"{cluster.registry}/shell:latest",
        "toolbox": f"{cluster.registry}/toolbox:latest",
    }
    return Ground(
        name=f"local cluster, tier {cluster.tier}",
        kubeconfig=cluster.kubeconfig,
        kubectl=cluster.kubectl,
        bundles=_push(cluster.registry, cluster.registry, images),
        shell=images["busybox"],
        operator=operator,
    )


@contextmanager
def own_ground(kubeconfig: Path) -> Iterator[Ground]:
    """The user's cluster with Tekton; a registry for the bundles is run in it for the story."""
    program = Path(os.environ.get("KUBECTL") or shutil.which("kubectl") or "")
    if not program.is_file():
        raise DemoError("kubectl is not on the PATH; install it, or set KUBECTL to it")
    if not kubeconfig.is_file():
        raise DemoError(f"{kubeconfig} is no file; set KUBECONFIG to the cluster's kubeconfig")
    images = {
        "busybox": os.environ.get("BUSYBOX_IMAGE", "busybox:1.37"),
        "toolbox": os.environ.get("TOOLBOX_IMAGE", DEFAULT_IMAGES["toolbox"]),
    }
    with ExitStack() as stack:
        here, there = stack.enter_context(serve_registry(program, kubeconfig))
        yield Ground(
            name=f"cluster of {kubeconfig}",
            kubeconfig=kubeconfig,
            kubectl=program,
            bundles=_push(here, there, images),
            shell=images["busybox"],
        )


@contextmanager
def installed(ground: Ground) -> Iterator[None]:
    """The definition, the namespaces and the rights, as the manifests hold them.

    They are removed after the block, unless the cluster had executions defined before.
    """
    had_them = "workflowexecution" in run_kubectl(ground, "get", "crd", "--output=name")
    try:
        for path in INSTALLED:
            run_kubectl(ground, "apply", "--server-side", "--force-conflicts", "-f", path)
        yield
    finally:
        if not had_them:
            for path in reversed(INSTALLED):
                run_kubectl(ground, "delete", "--wait=false", "--ignore-not-found", "-f", path)


def let_runs_remediate(ground: Ground, namespace: str) -> None:
    """Give runs their rights in one namespace; they go with it."""
    run_kubectl(ground, "apply", "-n", namespace, "-k", str(MANIFESTS / "runner-in-namespace"))


def run_kubectl(ground: Ground, *arguments: str) -> str:
    """Run kubectl on this ground and return what it printed. Raises DemoError."""
    return kubectl(ground.kubectl, ground.kubeconfig, *arguments)


def _operator_image(cluster: Cluster) -> str:
    """The operator's image of this checkout, where the cluster can run it."""
    if cluster.tier is not Tier.NODE:
        return ""
    assert cluster.registry
    return push(working_tree(), cluster.registry)


def _push(here: str, there: str, images: Mapping[str, str]) -> dict[str, str]:
    """Push all bundles to a registry; `there` is what the cluster calls it."""
    references = {}
    for name in BUNDLES:
        objects = load_bundle(REPOSITORY / "tekton" / name, images)
        pushed = push_bundle(here, f"workflows/{name}", tag="demo", objects=objects)
        references[name] = pushed.replace(here, there, 1)
    return references
