"""The operator inside the cluster, from its image and the manifests, as users install it."""

from __future__ import annotations

import time
from pathlib import Path

from live_demo.ground import Ground, run_kubectl
from live_demo.tools import DemoError
from localcluster.overlays import MANIFESTS, overlay

NAMESPACE, DEPLOYMENT = "kubernaut-system", "deployment/workflowexecution-controller"
ROLLOUT = "300s"


def deploy(ground: Ground, overlay_name: str = ".") -> float:
    """Install the operator of `ground.operator` and wait until all of it is ready.

    Returns the seconds from `kubectl apply` until then.
    Raises DemoError with what the pods say where it does not become ready.
    """
    apply(ground, MANIFESTS / "namespaces")
    with overlay(resources=[overlay_name], image=ground.operator) as folder:
        started = time.monotonic()
        apply(ground, folder)
    until_rolled_out(ground)
    return time.monotonic() - started


def remove(ground: Ground, overlay_name: str = ".") -> None:
    """Uninstall it, and then its namespaces, as the documentation says."""
    run_kubectl(ground, "delete", "-k", str(MANIFESTS / overlay_name))
    run_kubectl(ground, "delete", "-k", str(MANIFESTS / "namespaces"))


def apply(ground: Ground, folder: Path) -> None:
    """Apply a kustomization."""
    run_kubectl(ground, "apply", "--server-side", "--force-conflicts", "-k", str(folder))


def until_rolled_out(ground: Ground) -> None:
    """Wait for the Deployment's newest pods. Raises DemoError with what they say."""
    own = (ground, "-n", NAMESPACE)
    try:
        run_kubectl(*own, "rollout", "status", DEPLOYMENT, f"--timeout={ROLLOUT}")
    except DemoError as error:
        seen = run_kubectl(*own, "describe", "pods")
        raise DemoError(f"{error}\n{seen[-4000:]}") from error
