"""A run under an account without rights ends as what it is, and has changed nothing."""

from __future__ import annotations

import re

from bundles.remedy import POWERLESS, TEKTON, Remedy
from harness.executions import unique
from localcluster import node

ACCEPTED = {"REPLICAS": {"scale-workload": "2"}, "SIZE": {"expand-pvc": "2Gi"}}
KINDS = {
    "delete-stuck-pod": "Pod",
    "evict-pod": "Pod",
    "expand-pvc": "PersistentVolumeClaim",
    "rerun-job": "Job",
    "suspend-cronjob": "CronJob",
}
NEEDS_NOTHING = {"always-fails", "wait"}


def test_every_bundle_says_which_right_is_missing(remedy: Remedy, shop: str) -> None:
    names = [path.parent.name for path in sorted(TEKTON.glob("*/workflow.yaml"))]
    items = {}
    for name in [name for name in names if name not in NEEDS_NOTHING]:
        target = f"{shop}/{KINDS.get(name, 'Deployment')}/{unique('app')}"
        if name.endswith("-node"):
            target = f"Node/{node.NAME}"
        given = {key: by[name] for key, by in ACCEPTED.items() if name in by}
        if name.endswith("-node"):
            # One target at a time: they would skip each other.
            _assert_told(name, remedy.failure(remedy.launch(name, target, POWERLESS, **given)))
        else:
            items[name] = remedy.launch(name, target, POWERLESS, **given)
    for name, item in items.items():
        _assert_told(name, remedy.failure(item))


def _assert_told(name: str, failure: dict[str, object]) -> None:
    assert (failure["reason"], failure["exitCode"]) == ("Forbidden", 13), (name, failure)
    said = str(failure["message"])
    assert "ServiceAccount lacks a right" in said, name
    assert re.search(':powerless" cannot (get|list) resource', said), name
