"""Both namespaces can have other names, each of them written down once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from localcluster import checkers
from localcluster.overlays import MANIFESTS, overlay

NAMES = {"kubernaut-system": "remediation", "kubernaut-workflows": "remediation-runs"}
OVERLAYS = sorted(
    str(path.parent.relative_to(MANIFESTS))
    for path in MANIFESTS.glob("overlays/**/kustomization.yaml")
)
ALL = sorted(path.name for path in MANIFESTS.glob("components/*"))


@pytest.mark.parametrize(
    ("part", "components"),
    [
        pytest.param(".", [name for name in ALL if name != "other-namespaces"], id="everything"),
        pytest.param("namespaces", [], id="namespaces"),
        pytest.param("runner-in-namespace", [], id="runner-in-namespace"),
        *(pytest.param(name, [], id=name) for name in OVERLAYS),
    ],
)
def test_no_old_name_is_left_and_nothing_else_differs(
    tmp_path: Path, part: str, components: list[str]
) -> None:
    with overlay(resources=[part], components=components) as folder:
        before = checkers.rendered(folder)
        after = checkers.rendered(_named(tmp_path.resolve(), folder))

    assert any(name in before for name in NAMES)
    for old, new in NAMES.items():
        before = before.replace(old, new)
    assert _sorted(after) == _sorted(before)


def _named(place: Path, folder: Path) -> Path:
    """A kustomization of that folder's objects with the other names, as users write it."""
    meaning = zip(("operator", "runs"), NAMES.values(), strict=True)
    names = {
        "kind": "Component",
        "configMapGenerator": [
            {
                "name": "workflowexecution-namespaces",
                "literals": [f"{key}={name}" for key, name in meaning],
                "options": {
                    "disableNameSuffixHash": True,
                    "annotations": {"config.kubernetes.io/local-config": "true"},
                },
            }
        ],
        "components": [os.path.relpath(MANIFESTS / "components/other-namespaces", place / "names")],
    }
    installed = {"resources": [os.path.relpath(folder, place / "all")], "components": ["../names"]}
    for name, body in (("names", names), ("all", installed)):
        (place / name).mkdir()
        (place / name / "kustomization.yaml").write_text(yaml.safe_dump(body))
    return place / "all"


def _sorted(text: str) -> list[str]:
    """The objects, apart from their order, which goes by their names."""
    return sorted(yaml.safe_dump(item) for item in yaml.safe_load_all(text))
