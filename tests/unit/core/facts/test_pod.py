"""A pod shows its steps and its end in the form of Tekton 1.15 and Kubernetes 1.36."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import RUN_NAMESPACE, make_run, make_task_run, raw_task_run, step
from workflowexecution.client.cluster import Families
from workflowexecution.core.facts.leftovers import seen_again, with_pods
from workflowexecution.core.facts.pod import (
    DEADLINE,
    Pod,
    PodEnd,
    parse_pod,
    pod_end_in,
    pod_end_of,
)
from workflowexecution.core.facts.taskrun import ChildKind

STARTED_AT = datetime(2026, 11, 29, 0, 1, 40, tzinfo=UTC)
ENDED_AT = STARTED_AT + timedelta(seconds=8)
GATE = ["-wait_file", "/tekton/downward/ready", "-wait_file_content", "-post_file"]
RUNNING: dict[str, Any] = {"running": {"startedAt": "2026-11-29T00:01:44Z"}}
UNREADY = {"name": "sidecar-proxy", "ready": False, "state": RUNNING}
STARTS = {"name": "step-work", "ready": True, "state": RUNNING}
NOT_STARTED = {"name": "step-work", "state": {"terminated": {"reason": "StartError"}}}
TAINTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "DeletionByTaintManager",
    "message": "Taint manager: deleting due to NoExecute taint",
    "lastTransitionTime": "2026-11-29T00:01:48Z",
}
EVICTED = PodEnd("DeletionByTaintManager", TAINTED["message"], ENDED_AT)
OVER_ITS_DEADLINE = "Pod was active on the node longer than the specified deadline"


def raw_pod(
    *statuses: dict[str, Any], ready: str = "", args: Any = GATE, **status: Any
) -> dict[str, Any]:
    """A pod with steps ``work`` and ``then`` and a sidecar; its first step waits for the gate."""
    names = ("step-work", "step-then", "sidecar-proxy")
    containers = [{"name": name, "args": args} for name in names]
    meta = {"name": "run-work-pod", "annotations": {"tekton.dev/ready": ready}}
    told = {"containerStatuses": list(statuses), "startTime": "2026-11-29T00:01:40Z", **status}
    return {"metadata": meta, "spec": {"containers": containers}, "status": told}


def read(*statuses: dict[str, Any], **given: Any) -> Pod:
    return parse_pod(raw_pod(*statuses, **{"phase": "Running", **given}))


def test_a_step_whose_container_waits_for_tekton_has_not_begun() -> None:
    held, let_go = read(STARTS, UNREADY), read(STARTS, UNREADY, ready="READY")
    assert (held.is_held, held.has_started, held.awaits) == (True, False, ("proxy",))
    assert (let_go.is_held, let_go.has_started, let_go.awaits) == (False, True, ())


def test_where_tekton_does_not_wait_for_sidecars_the_step_has_begun() -> None:
    pods = [read(STARTS, UNREADY, args=args) for args in (["-post_file"], None)]
    assert [(pod.is_held, pod.has_started) for pod in pods] == [(False, True)] * 2


def test_sidecars_that_are_ready_or_have_ended_are_not_waited_for() -> None:
    ended = {"name": "sidecar-done", "state": {"terminated": {"exitCode": 3}}}
    injected = {"name": "mesh", "ready": False, "state": {"waiting": {}}}
    assert read(STARTS, {**UNREADY, "ready": True}, ended, injected).awaits == ("mesh",)


def test_no_step_begins_after_the_first_could_not_be_started() -> None:
    later = {"name": "step-then", "state": RUNNING}
    assert read(later, NOT_STARTED, ready="READY").has_started is False
    assert read(later, STARTS, ready="READY").has_started is True
    assert read(later, ready="READY").has_started is False


def test_the_node_names_a_sidecar_that_it_cannot_start() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "nowhere" not found'}
    pod = read(STARTS, {"name": "sidecar-proxy", "state": {"waiting": waiting}})
    assert pod.complaint == "sidecar 'proxy': secret \"nowhere\" not found"


@pytest.mark.parametrize(
    ("status", "limit", "expected"),
    [
        pytest.param({"phase": "Running"}, None, None, id="not-ended"),
        pytest.param({"phase": "Running", "conditions": [TAINTED]}, 5400, EVICTED, id="taint"),
        pytest.param(
            {"phase": "Running", "conditions": [{**TAINTED, "status": "False"}]},
            None,
            None,
            id="not-disrupted",
        ),
        pytest.param(
            {"phase": "Failed", "reason": DEADLINE, "message": OVER_ITS_DEADLINE},
            8,
            PodEnd(DEADLINE, OVER_ITS_DEADLINE, ENDED_AT),
            id="deadline",
        ),
        pytest.param(
            {"phase": "Running"},
            8,
            PodEnd(DEADLINE, "it was active longer than its activeDeadlineSeconds of 8", ENDED_AT),
            id="deadline-not-told-yet",
        ),
        pytest.param({"phase": "Running", "startTime": None}, 8, None, id="not-begun"),
        pytest.param(
            {"phase": "Failed", "reason": "OutOfcpu", "message": "Pod was rejected"},
            None,
            PodEnd("OutOfcpu", "Pod was rejected", None),
            id="rejected",
        ),
        pytest.param(
            {"phase": "Failed", "reason": "Terminated", "message": "m", "conditions": [TAINTED]},
            5400,
            PodEnd("Terminated", "m", ENDED_AT),
            id="node-shutdown",
        ),
    ],
)
def test_why_kubernetes_ended_a_pod(
    status: dict[str, Any], limit: int | None, expected: PodEnd | None
) -> None:
    raw = raw_pod(**status)
    raw["spec"]["activeDeadlineSeconds"] = limit
    assert pod_end_of(raw) == expected


WORKED = make_task_run("work", "False", "TaskRunTimeout", steps=[step("work", 1)])
HELD = read(STARTS, UNREADY)


def test_a_task_is_read_together_with_the_pod_of_its_last_attempt() -> None:
    other = make_task_run("other")
    found, same = with_pods([WORKED, other], [HELD])
    assert (found.has_started, found.awaits, found.pod_end) == (False, ("proxy",), None)
    assert found.wait == "its steps wait until sidecar 'proxy' is ready"
    assert same is other


def test_what_the_pod_told_stays_known_when_it_is_gone() -> None:
    (held,) = with_pods([WORKED], [HELD])
    (evicted,) = with_pods([WORKED], [read(ready="READY", conditions=[TAINTED])])
    assert seen_again(held, WORKED) == held
    assert seen_again(evicted, WORKED).pod_end == EVICTED
    assert seen_again(None, WORKED) is WORKED


def test_what_the_pod_told_while_it_worked_is_no_proof_of_how_it_stood_at_the_end() -> None:
    (active,) = with_pods([make_task_run("work", "Unknown", "Running")], [HELD])
    assert active.is_held
    assert seen_again(active, WORKED) == replace(WORKED, let_begin=False)
    (going,) = with_pods([active], [replace(HELD, deadline=ENDED_AT)])
    assert seen_again(going, WORKED).is_held


def test_a_run_of_which_a_sidecar_was_never_ready_has_not_begun() -> None:
    run = make_run("mine")
    labels = {"tekton.dev/pipelineRun": run.name, "tekton.dev/pipelineRunUID": run.uid}
    task = raw_task_run("work", "False", "TaskRunTimeout", steps=[step("work", 1)])
    task["metadata"] |= {"labels": labels, "namespace": RUN_NAMESPACE}
    pod = raw_pod(STARTS, UNREADY, phase="Running")
    pod["metadata"]["labels"] = labels
    families = Families([run])
    families.add(ChildKind.TASK_RUN, [task])
    assert families.leftovers()[run.name].has_started is True

    families.add_pods([pod])

    assert families.leftovers()[run.name].has_started is False


def event(reason: str, message: str, at: str = "2026-11-29T00:01:48Z", **given: Any) -> Any:
    return {"reason": reason, "message": message, "lastTimestamp": at, **given}


STOPPED = event("Killing", "Stopping container step-work")
MARKED = event("TaintManagerEviction", "Marking for deletion Pod wf/run-work-pod")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([STOPPED, MARKED], MARKED, id="the-most-exact-first"),
        pytest.param([STOPPED], STOPPED, id="only-the-node-reports-it"),
        pytest.param(
            [event("Preempted", "Preempted by pod a on node b")],
            event("Preempted", "Preempted by pod a on node b"),
            id="preempted",
        ),
        pytest.param([event("Pulled", "Container image is there")], None, id="other-events"),
        pytest.param(
            [event("Killing", "Stopping container sidecar-proxy")], None, id="a-sidecar-after-it"
        ),
        pytest.param(
            [event("TaintManagerEviction", "Cancelling deletion of Pod wf/run-work-pod")],
            None,
            id="kept-after-all",
        ),
        pytest.param(
            [event("Evicted", "no room", "2026-11-29T00:01:39Z")], None, id="an-earlier-pod"
        ),
    ],
)
def test_events_tell_why_a_pod_that_is_gone_was_ended(events: list[Any], expected: Any) -> None:
    told = expected and PodEnd(expected["reason"], expected["message"], ENDED_AT)
    assert pod_end_in(events, STARTED_AT) == told


def test_the_time_of_a_new_kind_of_event_is_read() -> None:
    of_now = {**MARKED, "lastTimestamp": None, "eventTime": "2026-11-29T00:01:48.000001Z"}
    found = pod_end_in([of_now], STARTED_AT)
    assert found is not None
    assert found.at == ENDED_AT + timedelta(microseconds=1)
