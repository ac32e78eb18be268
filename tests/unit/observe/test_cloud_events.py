"""CloudEvents as a consumer reads them by the SDK: the same ones each time they are built."""

import hashlib
from typing import Any

import pytest
from cloudevents.core.bindings.http import from_binary_event
from cloudevents.core.v1.event import CloudEvent

from builders import (
    NAMESPACE,
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    finished_run,
    make_execution,
    make_run,
    make_task_run,
)
from told_phases import BEFORE, ended, running, skipped, with_status
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.pipelinerun import trace_of
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.outcome import outcome_of_run
from workflowexecution.observe.cloud_events import Notice, last_change_of, notices_of

TYPE = "ai.kubernaut.workflowexecution"


def read(notice: Notice) -> CloudEvent:
    """An event as a consumer reads it by the SDK, which refuses what is no CloudEvent."""
    event = from_binary_event(notice.message)
    assert isinstance(event, CloudEvent)
    return event


def data_of(execution: Execution) -> dict[str, Any]:
    """The data of its last event."""
    data = read(notices_of(execution)[-1]).get_data()
    assert isinstance(data, dict)
    return data


def test_each_phase_is_an_event_in_order() -> None:
    execution = with_status(make_execution("mine"), ended())

    first, last = (read(item) for item in notices_of(execution, with_trace=True))

    source = "/apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces"
    assert first.get_type() == f"{TYPE}.running.v1"
    shared = {
        "specversion": "1.0",
        "source": f"{source}/{NAMESPACE}/workflowexecutions/mine",
        "subject": f"{NAMESPACE}/mine",
        "datacontenttype": "application/json",
        "traceparent": trace_of(execution).traceparent,
    }
    assert dict(last.get_attributes()).items() >= shared.items()
    assert last.get_type() == f"{TYPE}.completed.v1"
    assert last.get_id() == "uid-of-mine-completed"
    assert last.get_time() == NOW
    assert read(notices_of(execution)[0]).get_extension("traceparent") is None


@pytest.mark.parametrize(
    ("before", "after", "phases"),
    [
        (BEFORE, running(), ["running"]),
        (running(), ended(), ["completed"]),
        (BEFORE, ended(), ["running", "completed"]),
        (BEFORE, skipped(), ["skipped"]),
        (ended(), ended(), []),
        (None, BEFORE, []),
    ],
)
def test_what_is_new_since_a_status_is_an_event(
    before: WorkflowExecutionStatus | None, after: WorkflowExecutionStatus, phases: list[str]
) -> None:
    found = notices_of(with_status(make_execution(), after), before)
    assert [read(item).get_type() for item in found] == [f"{TYPE}.{phase}.v1" for phase in phases]


def test_an_event_that_is_built_again_later_is_the_same_one() -> None:
    """Else a receiver that drops doubles by their id would keep one of two truths."""
    (at_once,) = notices_of(with_status(make_execution(), running()), BEFORE)
    later, _ = notices_of(with_status(make_execution(), ended()))
    assert later == at_once


def test_the_data_says_what_became_of_it() -> None:
    data = data_of(with_status(make_execution("mine"), ended()))
    assert data["workflowExecution"] == {
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
        "kind": "WorkflowExecution",
        "namespace": NAMESPACE,
        "name": "mine",
        "uid": "uid-of-mine",
    }
    assert (data["phase"], data["previousPhase"]) == ("Completed", "Running")
    assert (data["reason"], data["duration"]) == ("Completed", "1m0s")
    assert (data["workflowId"], data["targetResource"]) == ("restart", TARGET)
    assert data["pipelineRun"]["namespace"] == RUN_NAMESPACE
    assert data["serviceAccount"] == "kubernaut-workflow-runner"
    assert set(data) >= {"startTime", "completionTime", "message", "remediationRequest"}
    assert set(data) >= {"workflowVersion", "containerImage"}


def test_parameters_are_named_by_their_hash_alone() -> None:
    execution = with_status(
        make_execution(), ended(), parameters={"B": "ä\ud800", "A_LONG_NAME": "hunter2"}
    )
    text = '{"A_LONG_NAME":"hunter2","B":"ä\ud800"}'.encode(errors="surrogatepass")
    (_, last) = notices_of(execution)
    assert data_of(execution)["parametersHash"] == f"sha256:{hashlib.sha256(text).hexdigest()}"
    assert b"hunter2" not in last.message.body
    assert b"A_LONG_NAME" not in last.message.body


def test_a_skip_comes_with_its_evidence() -> None:
    data = data_of(with_status(make_execution(), skipped()))
    assert data["reason"] == "ResourceBusy"
    assert data["skipDetails"]["conflictingWorkflow"]["targetResource"] == TARGET
    assert "previousPhase" not in data


def test_what_is_told_of_a_failure_quotes_no_parameter() -> None:
    execution = make_execution("mine")
    run = make_run("mine", succeeded="False", reason="Failed", completed_at=NOW)
    said = diagnose(run, [make_task_run(message="it said hunter2")])
    failure = details_of(said, execution, started_at=ago(minutes=5), failed_at=NOW)
    after = status_for(running(), outcome_of_run(run, failure), generation=1, now=NOW)
    assert "hunter2" in failure.message

    data = data_of(with_status(execution, after))

    assert data["reason"] == data["failureDetails"]["reason"] == failure.reason
    assert data["failureDetails"]["wasExecutionFailure"] is failure.was_execution_failure
    assert "hunter2" not in str(data)


def test_what_has_no_conditions_is_told_by_its_times() -> None:
    """Statuses of earlier controllers have none."""
    run = finished_run("mine", created_at=ago(minutes=1), completed_at=NOW)
    status = status_for(BEFORE, outcome_of_run(run, None), generation=1, now=NOW)
    old = with_status(make_execution(), status.model_copy(update={"conditions": []}))
    assert [item.at for item in notices_of(old)] == [ago(minutes=1), NOW]
    assert last_change_of(old.raw) == ""
    assert notices_of(with_status(make_execution(), BEFORE)) == []
    assert last_change_of({"status": {"phase": "Failed"}}) == ""
