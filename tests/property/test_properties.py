"""Properties of the pure core, for any facts there can be."""

import dataclasses
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, TARGET, make_execution, raw_task_run, step
from model_server import merge
from property import strategies
from workflowexecution.api.reading import format_duration, parse_duration
from workflowexecution.api.spec import parse_spec
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core import names
from workflowexecution.core.decision import Snapshot, decide
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.run import RunState
from workflowexecution.core.facts.taskrun import parse_task_run
from workflowexecution.core.status.compose import (
    parse_status,
    status_for,
    status_patch,
    status_to_json,
)
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import (
    outcome_of_failure,
    outcome_of_run,
    outcome_of_wait,
)
from workflowexecution.core.verdict import Launch, ReportRun, Skip

MICROSECOND = timedelta(microseconds=1)
FAILED_TASK = raw_task_run("change", steps=[step("read", 0), step("change", 7)])
MUTATED_TASKS = st.lists(strategies.mutations(FAILED_TASK), max_size=3)


@given(strategies.snapshots(), st.randoms())
def test_a_decision_does_not_depend_on_the_order_of_facts(
    snapshot: Snapshot, chance: random.Random
) -> None:
    shuffled = dataclasses.replace(
        snapshot,
        runs=chance.sample(snapshot.runs, len(snapshot.runs)),
        unseen=chance.sample(snapshot.unseen, len(snapshot.unseen)),
        ends=chance.sample(snapshot.ends, len(snapshot.ends)),
    )
    assert decide(shuffled) == decide(snapshot)


@given(strategies.snapshots())
def test_a_launch_takes_a_name_nobody_has(snapshot: Snapshot) -> None:
    verdict = decide(snapshot)
    if isinstance(verdict, Launch):
        known = {run.name for run in snapshot.runs}
        remembered = {other.run_name for other in snapshot.unseen}
        ended = {end.run_name for end in snapshot.ends}
        assert verdict.run_name not in known | remembered | ended
        assert all(
            run.state is RunState.FINISHED for run in snapshot.runs if run.target in (None, TARGET)
        )


@given(strategies.snapshots(), st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_a_cooldown_ends_once_and_exactly_at_its_end(snapshot: Snapshot, later: timedelta) -> None:
    verdict = decide(snapshot)
    if isinstance(verdict, Launch):
        assert decide(dataclasses.replace(snapshot, now=snapshot.now + later)) == verdict
    if isinstance(verdict, Skip) and verdict.until is not None:
        assert verdict.reason is SkipReason.RECENTLY_REMEDIATED
        just_before = dataclasses.replace(snapshot, now=verdict.until - MICROSECOND)
        assert decide(just_before) == verdict
        assert isinstance(decide(dataclasses.replace(snapshot, now=verdict.until)), Launch)


@given(strategies.snapshots(), st.booleans(), st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_telling_an_outcome_twice_needs_no_second_write(
    snapshot: Snapshot, was_waiting: bool, later: timedelta
) -> None:
    verdict, now = decide(snapshot), snapshot.now
    match verdict:
        case Skip():
            outcome = outcome_of_skip(verdict, now)
        case ReportRun(run) if run.succeeded == "False":
            failure = details_of(
                diagnose(run, []), snapshot.execution, started_at=run.created_at, failed_at=now
            )
            outcome = outcome_of_run(run, failure)
        case ReportRun(run):
            outcome = outcome_of_run(run, None)
        case _:
            outcome = outcome_of_wait(Phase.PENDING, "no answer")
    current = WorkflowExecutionStatus()
    if was_waiting:
        waiting = outcome_of_wait(Phase.PENDING, "no answer")
        current = status_for(current, waiting, generation=1, now=NOW)
    first = status_to_json(status_for(current, outcome, generation=1, now=now))
    read = parse_status(first)
    second = status_for(read, outcome, generation=1, now=now + later)
    assert status_patch(first, status_to_json(second)) == {}
    if read.phase is not None and read.phase.is_terminal:
        other = outcome_of_wait(Phase.PENDING, "again")
        assert status_for(read, other, generation=2, now=now + later) == read
    if second.completion_time and second.start_time:
        assert second.duration == second.completion_time - second.start_time
        assert second.duration >= timedelta(0)


@given(strategies.mutations(strategies.failed_run()), MUTATED_TASKS)
def test_diagnosis_understands_whatever_a_run_may_look_like(
    raw: dict[str, Any], raw_tasks: list[dict[str, Any]]
) -> None:
    run = strategies.reparsed(raw)
    tasks = [parse_task_run(item) for item in raw_tasks]
    found = diagnose(run, tasks)
    details = details_of(
        found, make_execution(), task_names=run.task_names, started_at=NOW, failed_at=NOW
    )
    status = status_for(
        WorkflowExecutionStatus(), outcome_of_failure(details), generation=1, now=NOW
    )
    assert status.failure_reason == found.reason
    assert details.natural_language_summary


@given(st.dictionaries(st.text(max_size=20), strategies.json_values, max_size=4))
def test_a_spec_is_read_or_what_is_wrong_is_said(spec: dict[str, Any]) -> None:
    parsed, problem = parse_spec({"spec": spec})
    assert (parsed is None) == bool(problem)


@given(strategies.durations)
def test_durations_are_read_as_they_were_written(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


@given(st.lists(strategies.texts, unique=True, max_size=20))
def test_label_values_are_valid_and_differ(texts: list[str]) -> None:
    values = [names.label_value(text) for text in texts]
    assert len(set(values)) == len(texts)
    for value in values:
        assert 1 <= len(value) <= 63
        assert value[0].isalnum()
        assert value[-1].isalnum()
        assert set(value) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
        )


@given(strategies.texts, st.integers(0, 10**9 - 1))
def test_run_numbers_are_read_as_they_were_named(target: str, number: int) -> None:
    name = names.run_name(target, number)
    assert names.parse_run_name(name) == (names.target_key(target), number)
    assert len(name) <= 30


objects = st.recursive(
    st.one_of(st.integers(0, 3), st.text(max_size=2), st.lists(st.integers(0, 3), max_size=2)),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
statuses = st.dictionaries(st.sampled_from("abc"), objects, max_size=3)


@given(statuses, statuses)
def test_a_patch_makes_one_status_the_other(
    current: dict[str, Any], wanted: dict[str, Any]
) -> None:
    patch = status_patch(current, wanted)
    assert merge(patch, current) == wanted
    assert (patch == {}) is (current == wanted)


@pytest.mark.parametrize("target", ["payment/Deployment/api", "Node/worker-1"])
def test_names_of_both_forms_of_target_are_of_one_length(target: str) -> None:
    assert len(names.target_key(target)) == 20
