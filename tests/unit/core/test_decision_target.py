"""A decision knows the holder of a target, its recent runs, and the number of the next run."""

import dataclasses
import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from builders import (
    NAMESPACE,
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    finished_run,
    make_execution,
    make_run,
    make_snapshot,
)
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.core import names
from workflowexecution.core.decision import decide
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution, Request
from workflowexecution.core.facts.run import Run
from workflowexecution.core.verdict import Launch, Skip

FIVE_MINUTES = timedelta(minutes=5)
MICROSECOND = timedelta(microseconds=1)
HOLDER = Evidence(
    name="other",
    namespace=NAMESPACE,
    workflow_id="restart",
    target=TARGET,
    run_name=names.run_name(TARGET, 1),
    run_namespace=RUN_NAMESPACE,
    started_at=ago(minutes=10),
)
PAST = dataclasses.replace(
    HOLDER,
    started_at=None,
    completed_at=ago(minutes=2),
    outcome=Phase.COMPLETED,
)
LATELY: dict[str, Any] = {"created_at": ago(minutes=20), "completed_at": ago(minutes=2)}


def launch(number: int, target: str = TARGET) -> Launch:
    return Launch(names.run_name(target, number))


def skip_recent(evidence: Evidence) -> Skip:
    assert evidence.completed_at is not None
    until = evidence.completed_at + FIVE_MINUTES
    return Skip(SkipReason.RECENTLY_REMEDIATED, evidence, until)


REQUEST = Request(NAMESPACE, "request-1")


def for_request(run: Run) -> Run:
    """The run of an execution for the request."""
    assert run.owner is not None
    return dataclasses.replace(run, owner=dataclasses.replace(run.owner, request=REQUEST))


@pytest.mark.parametrize(
    ("runs", "others", "holder"),
    [
        pytest.param([make_run()], [], HOLDER, id="unfinished-run"),
        pytest.param(
            [make_run(started_at=ago(minutes=4))],
            [],
            dataclasses.replace(HOLDER, started_at=ago(minutes=4)),
            id="since-it-started-where-that-is-known",
        ),
        pytest.param(
            [make_run(workflow_id="scale-up")],
            [],
            dataclasses.replace(HOLDER, workflow_id="scale-up"),
            id="any-workflow",
        ),
        pytest.param(
            [make_run(succeeded="False", reason="Cancelled", completed_at=ago(minutes=1))],
            [],
            HOLDER,
            id="cancelled-run-whose-tasks-have-not-stopped",
        ),
        pytest.param(
            [make_run(None, target=None, workflow_id=None)],
            [],
            dataclasses.replace(
                HOLDER,
                name=names.run_name(TARGET, 1),
                namespace=RUN_NAMESPACE,
                workflow_id="unknown",
            ),
            id="run-that-does-not-tell-its-target-or-owner",
        ),
        pytest.param(
            [],
            [make_execution("other", phase=Phase.RUNNING, number=1, started_at=ago(minutes=10))],
            dataclasses.replace(HOLDER, request=REQUEST),
            id="running-execution-whose-run-nobody-sees",
        ),
        pytest.param(
            [make_run(None, name=f"{names.run_name(TARGET, 1)}-r-abc12")],
            [],
            dataclasses.replace(
                HOLDER,
                name=f"{names.run_name(TARGET, 1)}-r-abc12",
                namespace=RUN_NAMESPACE,
                run_name=f"{names.run_name(TARGET, 1)}-r-abc12",
            ),
            id="rerun-that-somebody-made",
        ),
        pytest.param(
            [for_request(make_run())],
            [],
            dataclasses.replace(HOLDER, request=REQUEST),
            id="run-that-names-its-request",
        ),
        pytest.param(
            [make_run(is_gone=True)], [], HOLDER, id="deleted-run-of-which-something-is-left"
        ),
        pytest.param(
            [make_run("late", number=2, created_at=ago(minutes=1)), make_run()],
            [],
            HOLDER,
            id="the-first-to-start-of-several",
        ),
        pytest.param(
            [finished_run("late", number=2, workflow_id="restart"), make_run()],
            [],
            HOLDER,
            id="busy-wins-over-cooldown",
        ),
    ],
)
def test_skips_while_target_is_held(
    runs: list[Run], others: list[Execution], holder: Evidence
) -> None:
    verdict = decide(make_snapshot(runs=runs, others=others))
    assert verdict == Skip(SkipReason.RESOURCE_BUSY, holder)


@pytest.mark.parametrize(
    ("runs", "others", "number"),
    [
        pytest.param([], [], 1, id="nothing-known"),
        pytest.param([finished_run()], [], 2, id="finished-run-past-its-cooldown"),
        pytest.param([finished_run(number=7), finished_run(number=2)], [], 8, id="after-the-top"),
        pytest.param(
            [make_run(target="collides/With/it", number=4)], [], 5, id="run-of-a-colliding-target"
        ),
        pytest.param(
            [finished_run(target="collides/With/it", **LATELY)],
            [],
            2,
            id="cooldown-of-a-colliding-target",
        ),
        pytest.param(
            [finished_run(workflow_id="scale-up", **LATELY)], [], 2, id="different-workflow-at-once"
        ),
        pytest.param(
            [],
            [make_execution("other", phase=Phase.COMPLETED, number=6, completed_at=ago(minutes=9))],
            7,
            id="number-remembered-by-an-execution-only",
        ),
        pytest.param(
            [], [make_execution("other"), make_execution("third")], 1, id="others-are-still-waiting"
        ),
        pytest.param(
            [],
            [make_execution("other", phase=Phase.PENDING)],
            1,
            id="pending-execution-holds-nothing",
        ),
        pytest.param(
            [],
            [make_execution("other", phase=Phase.RUNNING)],
            1,
            id="execution-running-without-any-run-holds-nothing",
        ),
        pytest.param(
            [finished_run()],
            [make_execution("other", phase=Phase.RUNNING, number=1)],
            2,
            id="running-execution-whose-run-is-seen-finished",
        ),
        pytest.param(
            [],
            [make_execution("other", phase=Phase.FAILED, completed_at=ago(minutes=1))],
            1,
            id="refused-execution-does-not-count",
        ),
        pytest.param(
            [],
            [make_execution("other", phase=Phase.SKIPPED, completed_at=ago(minutes=1))],
            1,
            id="skipped-execution-does-not-count",
        ),
    ],
)
def test_launches_on_a_free_target(runs: list[Run], others: list[Execution], number: int) -> None:
    assert decide(make_snapshot(runs=runs, others=others)) == launch(number)


@pytest.mark.parametrize(
    ("runs", "others", "expected"),
    [
        pytest.param([finished_run(**LATELY)], [], PAST, id="completed-run"),
        pytest.param(
            [finished_run(succeeded="False", has_stopped=True, **LATELY)],
            [],
            dataclasses.replace(PAST, outcome=Phase.FAILED),
            id="failed-run",
        ),
        pytest.param(
            [finished_run(completed_at=None)],
            [],
            dataclasses.replace(PAST, completed_at=NOW),
            id="run-without-completion-time-counts-from-when-it-is-seen",
        ),
        pytest.param(
            [finished_run(completed_at=NOW + FIVE_MINUTES)],
            [],
            dataclasses.replace(PAST, completed_at=NOW),
            id="an-end-in-the-future-counts-from-when-it-is-seen",
        ),
        pytest.param(
            [],
            [
                make_execution(
                    "other",
                    phase=Phase.COMPLETED,
                    number=1,
                    started_at=ago(minutes=20),
                    completed_at=ago(minutes=2),
                )
            ],
            dataclasses.replace(PAST, request=REQUEST),
            id="deleted-run-by-the-record-of-its-execution",
        ),
        pytest.param(
            [finished_run(**LATELY), finished_run("older", number=2, completed_at=ago(minutes=3))],
            [],
            PAST,
            id="the-last-to-end-of-several",
        ),
    ],
)
def test_skips_after_a_recent_run_of_the_same_workflow(
    runs: list[Run], others: list[Execution], expected: Evidence
) -> None:
    assert decide(make_snapshot(runs=runs, others=others)) == skip_recent(expected)


@pytest.mark.parametrize(
    ("now", "cooldown", "is_skipped"),
    [
        pytest.param(ago(minutes=2), FIVE_MINUTES, True, id="at-the-very-end-of-the-run"),
        pytest.param(
            NOW + timedelta(minutes=3) - MICROSECOND, FIVE_MINUTES, True, id="just-before"
        ),
        pytest.param(NOW + timedelta(minutes=3), FIVE_MINUTES, False, id="exactly-at-until"),
        pytest.param(ago(minutes=2), timedelta(0), False, id="cooldown-off"),
        pytest.param(ago(minutes=2), MICROSECOND, True, id="least-cooldown"),
    ],
)
def test_cooldown_is_half_open(now: datetime, cooldown: timedelta, is_skipped: bool) -> None:
    snapshot = make_snapshot(runs=[finished_run(**LATELY)], cooldown=cooldown, now=now)
    expected = Skip(SkipReason.RECENTLY_REMEDIATED, PAST, ago(minutes=2) + cooldown)
    assert decide(snapshot) == (expected if is_skipped else launch(2))


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        pytest.param("payment/Deployment/api", "payment/Deployment/API", id="casing-of-a-name"),
        pytest.param("payment/Deployment/api", "payment/Deployments/api", id="plural"),
        pytest.param("a/b/c", "b/c", id="cluster-scoped-and-namespaced"),
        pytest.param("Node/worker-1", "Node/worker-2", id="name"),
    ],
)
def test_targets_are_compared_exactly(mine: str, theirs: str) -> None:
    """Even under one target key, which only a collision of hashes could bring about."""
    snapshot = make_snapshot(
        make_execution(target=mine), runs=[make_run(target=theirs, name_target=mine)]
    )
    assert decide(snapshot) == launch(2, mine)
    assert names.target_key(mine) != names.target_key(theirs)


@pytest.mark.parametrize("target", ["payment/Deployment/payment-api", "Node/worker-node-1"])
def test_both_forms_of_target_are_held(target: str) -> None:
    snapshot = make_snapshot(
        make_execution(target=target), runs=[make_run(target=target, name_target=target)]
    )
    expected = dataclasses.replace(HOLDER, target=target, run_name=names.run_name(target, 1))
    assert decide(snapshot) == Skip(SkipReason.RESOURCE_BUSY, expected)


def test_ties_do_not_depend_on_order() -> None:
    same: dict[str, Any] = {"created_at": ago(minutes=20), "completed_at": ago(minutes=2)}
    cooling = [finished_run(f"e{number}", number=number, **same) for number in (1, 2, 3)]
    held = [make_run(f"e{number}", number=number) for number in (1, 2, 3)]
    waiting = [make_execution(f"w{number}", phase=Phase.RUNNING, number=9) for number in (1, 2, 3)]
    for runs, others in ((cooling, []), (held, []), ([], waiting), ([], [])):
        verdicts = {
            decide(make_snapshot(runs=some, others=more))
            for some in itertools.permutations(runs)
            for more in itertools.permutations(others)
        }
        assert len(verdicts) == 1


def test_the_same_facts_give_the_same_verdict() -> None:
    runs = [finished_run(f"e{number}", number=number) for number in range(1, 9)]
    shuffled = random.Random(1).sample(runs, len(runs))
    assert decide(make_snapshot(runs=runs)) == decide(make_snapshot(runs=shuffled)) == launch(9)
