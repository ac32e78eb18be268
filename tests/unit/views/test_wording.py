"""Refusals of the API server in words that say what to do; lengths of time, for people."""

from datetime import timedelta

import pytest

from workflowexecution.views.wording import missing_right, short

REFUSED = 'x is forbidden: User "anna" cannot {} resource "{}" in API group "{}" {}'


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (
            REFUSED.format("list", "pipelineruns", "tekton.dev", 'in the namespace "runs"'),
            "the right to list pipelineruns.tekton.dev in namespace runs is missing; "
            "the ClusterRole workflowexecution-run-reader gives it",
        ),
        (
            REFUSED.format("get", "pods/log", "", 'in the namespace "runs"'),
            "the right to get pods/log in namespace runs is missing; "
            "the ClusterRole workflowexecution-run-reader gives it",
        ),
        (
            REFUSED.format("get", "configmaps", "", 'in the namespace "runs"'),
            "the right to get configmaps in namespace runs is missing; "
            "the ClusterRole workflowexecution-run-reader gives it",
        ),
        (
            REFUSED.format("get", "configmaps", "", 'in the namespace "tekton-pipelines"'),
            "the right to get configmaps in namespace tekton-pipelines is missing; "
            "Tekton's Role tekton-pipelines-info gives it",
        ),
        (
            'configmaps "feature-flags" is forbidden: '
            + REFUSED.format("get", "configmaps", "", 'in the namespace "tekton-pipelines"'),
            "the right to get configmaps in namespace tekton-pipelines is missing; "
            "the ClusterRole workflowexecution-doctor gives it",
        ),
        (
            REFUSED.format("list", "workflowexecutions", "g", "at the cluster scope"),
            "the right to list workflowexecutions.g in all namespaces is missing; "
            "the ClusterRole workflowexecution-viewer gives it",
        ),
        (
            REFUSED.format("delete", "workflowexecutions", "g", 'in the namespace "a"'),
            "the right to delete workflowexecutions.g in namespace a is missing; "
            "the ClusterRole workflowexecution-orchestrator gives it",
        ),
        (
            REFUSED.format("patch", "pipelineruns", "tekton.dev", 'in the namespace "runs"'),
            "the right to patch pipelineruns.tekton.dev in namespace runs is missing; "
            "the ClusterRole workflowexecution-canceller gives it",
        ),
        (
            REFUSED.format("create", "workflowholds", "g", 'in the namespace "runs"'),
            "the right to create workflowholds.g in namespace runs is missing; "
            "the ClusterRole workflowexecution-holder gives it",
        ),
        (
            REFUSED.format("list", "workflowholds", "g", 'in the namespace "runs"'),
            "the right to list workflowholds.g in namespace runs is missing; "
            "the ClusterRole workflowexecution-viewer gives it",
        ),
        (
            REFUSED.format("patch", "workflowexecutions", "g", 'in the namespace "a"'),
            "the right to patch workflowexecutions.g in namespace a is missing; "
            "the ClusterRole workflowexecution-clearer gives it",
        ),
        ("something else", "something else"),
    ],
)
def test_the_right_is_named_and_the_role_that_gives_it(refusal: str, told: str) -> None:
    assert missing_right(refusal) == told


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, ""),
        (-5, "0s"),
        (45, "45s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (1259, "20m"),
        (3 * 3600 + 300, "3h5m"),
        (8 * 86400, "8d"),
    ],
)
def test_lengths_are_short(seconds: float | None, expected: str) -> None:
    assert short(None if seconds is None else timedelta(seconds=seconds)) == expected
