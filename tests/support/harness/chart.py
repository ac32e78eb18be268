"""The Helm chart as the real helm renders, installs and upgrades it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from localcluster import checkers
from localcluster.cluster import Cluster, Object
from localcluster.overlays import MANIFESTS
from localcluster.programs import HELM

CHART = MANIFESTS / "chart"
# Without a cluster, helm thinks of one that is too old.
KUBERNETES = ("--kube-version=1.36.0",)
NAMESPACE = "kubernaut-system"
# Kind, namespace and name of an object.
Key = tuple[str, str, str]
Done = subprocess.CompletedProcess[str]


def template(*flags: str, chart: Path = CHART) -> Done:
    """The result of `helm template`; the caller looks at its exit status."""
    return checkers.run(HELM, "template", "x", str(chart), *KUBERNETES, *flags)


def rendered(*flags: str, chart: Path = CHART) -> dict[Key, Any]:
    """All objects of the chart."""
    done = template(f"--namespace={NAMESPACE}", *flags, chart=chart)
    assert done.returncode == 0, done.stderr
    return by_name([item for item in yaml.safe_load_all(done.stdout) if item])


def rendered_with(folder: Path, values: Object) -> dict[Key, Any]:
    """All objects of the chart with values, which are written into a folder."""
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    return rendered(f"--values={path}")


def by_name(items: Sequence[Any]) -> dict[Key, Any]:
    """Objects by their kind, namespace and name."""
    return {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item
        for item in items
    }


def only(made: dict[Key, Any], kind: str) -> Any:
    """The one object of a kind."""
    (found,) = [item for (of, _, _), item in made.items() if of == kind]
    return found


def container_of(deployment: Any) -> Any:
    """The one container of a Deployment."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def helm(cluster: Cluster, *arguments: str) -> Done:
    """Run helm against a cluster; the caller looks at its exit status."""
    return checkers.run(HELM, *arguments, f"--kubeconfig={cluster.kubeconfig}")


def packed(folder: Path, version: str, chart: Path = CHART) -> Path:
    """The chart as a package of a version, which is its image's tag, too."""
    versions = (f"--version={version}", f"--app-version={version}")
    done = checkers.run(HELM, "package", str(chart), f"--destination={folder}", *versions)
    assert done.returncode == 0, done.stderr
    return folder / f"workflowexecution-operator-{version}.tgz"
