"""What becomes of a launch, by the answer to the creation of the run."""

from typing import Any, cast

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    make_execution,
    make_run,
    raw_execution,
    raw_run,
    run_status,
)
from workflowexecution.api.status import FailureReason
from workflowexecution.control.cluster import Cluster
from workflowexecution.control.ledger import Ledger
from workflowexecution.control.live_reads import LiveReader
from workflowexecution.control.policy import Policy
from workflowexecution.control.settle import Settler
from workflowexecution.core import names
from workflowexecution.core.verdict import Mirror, Nothing, Refuse
from workflowexecution.kube import errors
from workflowexecution.observe.metrics import Metrics

RAW_RUN = raw_run("mine", status=run_status())
RUN = make_run("mine")


class Answers:
    """A cluster that answers a creation as it is told, and has what it is given."""

    def __init__(self, answer: Exception | None = None, run: dict[str, Any] | None = None) -> None:
        self.answer = answer
        self.run = run
        self.created: list[str] = []
        self.finalizers: list[str] = []

    async def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self.created.append(manifest["metadata"]["name"])
        if self.answer is not None:
            raise self.answer
        return RAW_RUN

    async def get_run(self, name: str) -> dict[str, Any]:
        if self.run is None:
            raise errors.NotFoundError(f"{name} not found", status=404)
        return self.run

    async def patch_finalizers(self, _: object, finalizers: list[str]) -> dict[str, Any]:
        self.finalizers = finalizers
        return raw_execution("mine", version=2, finalizers=finalizers)


def settler_of(answers: Answers, ledger: Ledger) -> Settler:
    cluster, policy = cast(Cluster, answers), Policy(clock=lambda: NOW)
    witness = LiveReader(cluster, ledger, namespace=RUN_NAMESPACE)
    return Settler(cluster, ledger, witness, policy, Metrics())


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(Answers(), Mirror(RUN), id="created"),
        pytest.param(
            Answers(errors.AlreadyExistsError("exists"), RAW_RUN),
            Mirror(RUN),
            id="exists-and-is-ours",
        ),
        pytest.param(
            Answers(errors.UnavailableError("no answer"), RAW_RUN),
            Mirror(RUN),
            id="no-answer-but-created",
        ),
        pytest.param(
            Answers(errors.RejectedError("no such field")),
            Refuse("the PipelineRun was refused: no such field"),
            id="rejected",
        ),
        pytest.param(
            Answers(errors.ForbiddenError("no right")),
            Refuse("the PipelineRun may not be created: no right", FailureReason.FORBIDDEN),
            id="forbidden",
        ),
    ],
)
async def test_a_launch_comes_to_a_verdict(answers: Answers, expected: object) -> None:
    ledger = Ledger()
    ledger.observe_execution(make_execution("mine"))
    assert await settler_of(answers, ledger).settle("uid-of-mine") == expected
    assert answers.created == [names.slot_name(TARGET, 1)]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(errors.UnavailableError("no answer"), id="not-created"),
        pytest.param(errors.NotFoundError("no such namespace"), id="namespace-missing"),
        pytest.param(errors.ConflictError("quota changed"), id="conflict"),
    ],
)
async def test_a_launch_without_a_clear_answer_is_tried_again(answer: errors.ApiError) -> None:
    ledger = Ledger()
    ledger.observe_execution(make_execution("mine"))
    with pytest.raises(type(answer), match=str(answer)):
        await settler_of(Answers(answer), ledger).settle("uid-of-mine")
    assert ledger.runs() == []


async def test_the_finalizer_comes_before_the_run() -> None:
    ledger, answers = Ledger(), Answers(errors.UnavailableError("no answer"))
    ledger.observe_execution(make_execution("mine", finalizers=("a/b",)))
    with pytest.raises(errors.UnavailableError):
        await settler_of(answers, ledger).settle("uid-of-mine")
    assert answers.finalizers == [
        "a/b",
        "workflowexecution.kubernaut.ai/workflowexecution-cleanup",
    ]
    known = ledger.execution("uid-of-mine")
    assert known is not None
    assert known.has_finalizer


async def test_of_an_execution_nobody_knows_nothing_is_done() -> None:
    assert await settler_of(Answers(), Ledger()).settle("uid-of-nobody") == Nothing()


async def test_facts_that_never_agree_are_given_up_for_now() -> None:
    """The name is taken, and whoever looks finds nothing there."""
    ledger, answers = Ledger(), Answers(errors.AlreadyExistsError("exists"))
    ledger.observe_execution(make_execution("mine"))
    with pytest.raises(errors.UnavailableError, match="changed faster"):
        await settler_of(answers, ledger).settle("uid-of-mine")
    assert len(answers.created) == 8
