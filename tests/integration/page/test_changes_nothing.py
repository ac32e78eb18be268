"""To look at the page changes nothing: what visits cost the API server are reads and reviews."""

from __future__ import annotations

from harness import audit
from harness.page_scene import Scene

OPERATOR = "system:serviceaccount:kubernaut-system:workflowexecution-controller"
REVIEWS = {"tokenreviews", "subjectaccessreviews"}
READS = {"get", "list", "watch"}
# What is asked for, besides who the visitor is: one that runs, its run, its tasks, and Events of
# its pods; and one that was skipped at once.
OF_BOTH_HISTORIES = 4 + 1


def _asked(scene: Scene, since: int) -> list[tuple[str, str]]:
    """Verb and resource of each request of the operator; one for one request."""
    events = audit.events_of(scene.world.cluster, OPERATOR, since)
    found = {event["auditID"]: event for event in events}.values()
    return [(event["verb"], event["objectRef"]["resource"]) for event in found]


def test_whatever_is_looked_at_the_operator_reads_alone(scene: Scene) -> None:
    guest = scene.guest(scene.world.source, reads_runs=True)
    began_at = audit.mark(scene.world.cluster)
    for path in ("/", f"/?namespace={scene.world.source}", "/sign-in"):
        assert guest.get(path).status in (200, 303), path
    before = audit.mark(scene.world.cluster)
    for name in (scene.running, scene.skipped):
        assert guest.get(f"/executions/{scene.world.source}/{name}").status == 200
    history = [one for one in _asked(scene, before) if one[1] not in REVIEWS]
    assert 0 < len(history) <= OF_BOTH_HISTORIES, history

    asked = _asked(scene, began_at)
    assert {resource for _, resource in asked} >= REVIEWS
    assert [one for one in asked if one[0] not in READS and one[1] not in REVIEWS] == []
    assert "secrets" not in {resource for _, resource in asked}
    assert "pods/log" not in {resource for _, resource in asked}
