"""The Helm chart and the kustomizations are the same installation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from harness.rights import MANIFESTS
from localcluster import checkers
from localcluster.programs import HELM

CHART = MANIFESTS / "chart"
KUBERNETES = ("--kube-version=1.36.0",)
NAMESPACE, KEPT = "kubernaut-system", "helm.sh/resource-policy"
PROFILES = sorted(path.stem for path in (CHART / "profiles").glob("*.yaml"))
Key = tuple[str, str, str]


def test_as_it_is_it_equals_the_manifests() -> None:
    assert _rendered() == _kustomized(".")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_equals_the_overlay_of_its_name(profile: str) -> None:
    values = ("--values", str(CHART / f"profiles/{profile}.yaml"))

    assert _rendered(*values) == _kustomized(f"overlays/{profile}")


def test_namespaces_are_named_in_one_place_each() -> None:
    values = ("--namespace=here", "--set=executionNamespace.name=there")
    done = checkers.run(HELM, "template", "x", str(CHART), *KUBERNETES, *values)

    assert done.returncode == 0, done.stderr
    assert "kubernaut-system" not in done.stdout
    # The definition's descriptions and the runner's name are all that is left of it.
    assert "kubernaut-workflows" not in done.stdout
    assert "namespace: there" in done.stdout


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("replicas=0", "/replicas"),
        ("image.digest=latest", "/image/digest"),
        ("settings.COOLDOWN=5m", "COOLDOWN"),
        ("spread=Always", "/spread"),
        ("replica=3", "replica"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(value: str, said: str) -> None:
    done = checkers.run(HELM, "template", "x", str(CHART), *KUBERNETES, "--set", value)

    assert done.returncode != 0
    assert said in done.stderr


def test_helm_finds_nothing_wrong_with_it() -> None:
    done = checkers.run(HELM, "lint", "--strict", str(CHART), *KUBERNETES)

    assert done.returncode == 0, done.stdout + done.stderr


def _rendered(*values: str) -> dict[Key, Any]:
    flags = ("--include-crds", f"--namespace={NAMESPACE}", *KUBERNETES)
    done = checkers.run(HELM, "template", "x", str(CHART), *flags, *values)
    assert done.returncode == 0, done.stderr
    return _by_name(list(yaml.safe_load_all(done.stdout)))


def _kustomized(overlay: str) -> dict[Key, Any]:
    """What kustomize makes, and of the namespaces the one that the chart creates."""
    spaces = [
        item
        for item in checkers.kustomized(MANIFESTS / "namespaces")
        if item["metadata"]["name"] != NAMESPACE
    ]
    return _by_name([*spaces, *checkers.kustomized(MANIFESTS / overlay)])


def _by_name(items: Sequence[Any]) -> dict[Key, Any]:
    return {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): _plain(
            item
        )
        for item in items
    }


def _plain(item: Any) -> Any:
    """An object without what makes no difference: the order of variables, and Helm's own."""
    meta = item["metadata"]
    meta.get("annotations", {}).pop(KEPT, None)
    if not meta.get("annotations"):
        meta.pop("annotations", None)
    if item["kind"] == "CustomResourceDefinition":
        meta.pop("labels", None)
    for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
        container["env"] = sorted(container["env"], key=lambda one: str(one["name"]))
    return item
