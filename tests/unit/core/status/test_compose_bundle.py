"""Whether what ran is what was asked for by digest: claimed only where it is known."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from builders import NOW, ago, make_execution, make_run, raw_execution, raw_run, run_status
from workflowexecution.api.status_model import Condition, WorkflowExecutionStatus
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.outcome import outcome_of_progress, outcome_of_run
from workflowexecution.observe.events import events_for

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
EMPTY = WorkflowExecutionStatus()


def bundle_run(pinned: str, fetched: str) -> Run:
    """A run that asks Tekton for one digest, and of which Tekton reports another."""
    image = f"registry.example/w:v1@{pinned}" if pinned else "registry.example/w:v1"
    params = [{"name": "bundle", "value": image}, {"name": "kind", "value": "pipeline"}]
    source = {"digest": {"sha256": fetched.removeprefix("sha256:")}} if fetched else {}
    status = {**run_status(), "provenance": {"refSource": source}}
    run = parse_run(raw_run(spec={"pipelineRef": {"params": params}}, status=status))
    assert run is not None
    return run


def told(asked: str, run: Run, before: WorkflowExecutionStatus = EMPTY) -> WorkflowExecutionStatus:
    return status_for(before, outcome_of_progress(run), generation=1, now=NOW, asked=asked)


def verified(status: WorkflowExecutionStatus) -> Condition | None:
    return next((item for item in status.conditions if item.type == "BundleVerified"), None)


@pytest.mark.parametrize(
    ("asked", "pinned", "fetched", "expected"),
    [
        pytest.param(A, A, A, ("True", "DigestMatches"), id="the-image-that-was-asked-for"),
        pytest.param(A, A, B, ("Unknown", "DigestOfIndex"), id="the-image-of-an-index"),
        pytest.param(A, C, C, ("False", "DigestMismatch"), id="a-webhook-changed-the-digest"),
        pytest.param(A, C, B, ("False", "DigestMismatch"), id="changed-to-that-of-an-index"),
        pytest.param(A, "", B, ("False", "DigestMismatch"), id="a-webhook-took-the-digest-off"),
        pytest.param(A, "", A, ("True", "DigestMatches"), id="taken-off-and-still-the-same"),
        pytest.param("", A, A, ("True", "DigestMatches"), id="execution-unknown"),
        pytest.param("", A, B, ("Unknown", "DigestOfIndex"), id="execution-unknown-and-an-index"),
        pytest.param(A, A, "", None, id="not-fetched-yet"),
        pytest.param("", "", B, None, id="no-digest-was-asked-for"),
    ],
)
def test_a_mismatch_is_claimed_only_where_it_is_proven(
    asked: str, pinned: str, fetched: str, expected: tuple[str, str] | None
) -> None:
    status = told(asked, bundle_run(pinned, fetched))
    found = verified(status)
    assert (found and (found.status, found.reason)) == expected
    kinds = [item["type"] for item in events_for(make_execution(), EMPTY, status, now=NOW)]
    assert ("Warning" in kinds) == (expected == ("False", "DigestMismatch"))


def test_a_mismatch_names_all_three_digests_and_is_told_once() -> None:
    status = told(A, bundle_run(C, B))
    found = verified(status)
    assert found is not None
    assert all(digest in found.message for digest in (A, B, C))
    assert events_for(make_execution(), status, status, now=NOW) == []


def test_what_is_known_of_the_bundle_is_kept() -> None:
    run = dataclasses.replace(make_run("mine"), pinned_digest=A, fetched_digest=A)
    before = status_for(EMPTY, outcome_of_run(run, None), generation=1, now=ago(minutes=1))
    later = dataclasses.replace(run, fetched_digest="")
    kept = status_for(before, outcome_of_run(later, None), generation=1, now=NOW)
    assert verified(kept) == verified(before)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({"containerImage": f"r/w:v1@{A}"}, A),
        ({"containerImage": "r/w:v1", "containerDigest": B}, B),
        ({"containerImage": f"r/w@{A}", "containerDigest": A}, A),
        ({"containerImage": "r/w:v1"}, ""),
        ({}, ""),
    ],
)
def test_the_digest_asked_for_is_that_of_the_execution(ref: dict[str, Any], expected: str) -> None:
    raw = raw_execution("mine", spec={"workflowRef": ref})
    assert parse_execution(raw).pinned_digest == expected
