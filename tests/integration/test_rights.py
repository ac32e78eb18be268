"""The operator is given the rights that it uses: none is missing, none is unused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pytest

from harness import audit, rights, story
from harness.overlays import apply, render
from harness.waiting import eventually
from harness.world import open_world
from localcluster import Cluster
from localcluster.cluster import Object
from localcluster.overlays import overlay

OPERATOR = "system:serviceaccount:kubernaut-system:workflowexecution-controller"
TEKTON_INFO = "pipelines-info"
# The API server asks for it where the operator applies an object that is missing, and records the
# request as a patch; tests/integration/test_published.py takes it away.
BY_APPLYING = audit.Right("Role workflowexecution-controller", "", "configmaps", "create")
REMOVES_EXECUTIONS = ("--execution-retention=4s",)


def of_the_operator(manifests: Sequence[Object]) -> list[Object]:
    """The roles that are bound to the operator."""
    bound = {
        (item["roleRef"]["kind"], item["roleRef"]["name"])
        for item in manifests
        for subject in item.get("subjects", ())
        if subject["name"] == "workflowexecution-controller"
    }
    return [item for item in manifests if (item["kind"], item["metadata"]["name"]) in bound]


@pytest.mark.parametrize(
    ("components", "flags"),
    [
        pytest.param([], (), id="as-shipped"),
        pytest.param(["execution-retention"], REMOVES_EXECUTIONS, id="with-execution-retention"),
    ],
)
def test_no_right_is_missing_and_none_unused(
    bare_cluster: Cluster, target: str, components: list[str], flags: tuple[str, ...]
) -> None:
    began_at = audit.mark(bare_cluster)
    with overlay(resources=["rbac"], components=components) as folder:
        granted = audit.granted(of_the_operator(render(bare_cluster, folder)))
        assert BY_APPLYING in granted
        shipped = granted - {BY_APPLYING}
        apply(bare_cluster, folder)
        try:
            with open_world(bare_cluster, *story.FLAGS, *flags, "--leader-election") as world:
                story.play(world, target)

                def every_right_was_used() -> None:
                    unused = shipped - audit.used(events())
                    assert not unused, f"granted, and never used: {sorted(unused)}"

                def events() -> list[Object]:
                    asked = audit.events_of(bare_cluster, OPERATOR, began_at)
                    # Tekton itself lets everybody read its version; there is no Tekton here.
                    return [one for one in asked if one["objectRef"].get("name") != TEKTON_INFO]

                eventually(every_right_was_used, dump=world.dump)
        finally:
            rights.install(bare_cluster)
    assert audit.used(events()) == shipped
    assert len(shipped) >= 15
    assert {one["responseStatus"]["code"] for one in events()}.isdisjoint({401, 403})


def test_of_a_right_that_is_missing_is_told(bare_cluster: Cluster, target: str) -> None:
    """The log that is read has refusals in it, and names what was asked for."""
    began_at = audit.mark(bare_cluster)
    flags = (*story.FLAGS, *REMOVES_EXECUTIONS)
    with open_world(bare_cluster, *flags) as world:
        world.completed(target)

        def is_told() -> None:
            found = audit.used(audit.events_of(bare_cluster, OPERATOR, began_at))
            group = "workflowexecution.kubernaut.ai"
            assert audit.Right("", group, "workflowexecutions", "delete") in found

        eventually(is_told, dump=world.dump)


def test_every_binding_binds_the_operator_alone(bare_cluster: Cluster) -> None:
    with overlay(resources=["rbac"]) as folder:
        shipped = render(bare_cluster, folder)
    names = {item["metadata"]["name"] for item in of_the_operator(shipped)}
    subjects = chain.from_iterable(
        item["subjects"] for item in shipped if item.get("roleRef", {}).get("name") in names
    )
    assert {(one["kind"], one["name"], one["namespace"]) for one in subjects} == {
        ("ServiceAccount", "workflowexecution-controller", "kubernaut-system")
    }
