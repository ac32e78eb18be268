"""Every reason that Tekton declares has its row; a newer Tekton turns this red."""

import pytest

import tekton_reasons
from builders import ago, make_run, make_task_run
from localcluster.programs import MODULES
from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis import tables
from workflowexecution.core.diagnosis.diagnose import diagnose

DECLARED = tekton_reasons.known()
TABLE_OF = {
    "PipelineRun": tables.RUN_REASONS,
    "TaskRun": tables.TASK_REASONS,
    "CustomRun": tables.TASK_REASONS,
}
BY_KIND = {
    (kind, reason)
    for kinds in DECLARED.values()
    for kind, reasons in kinds.items()
    for reason in reasons
}


@pytest.mark.parametrize(("kind", "reason"), sorted(BY_KIND))
def test_each_reason_has_a_class_or_a_sentence_why_it_has_none(kind: str, reason: str) -> None:
    assert (reason in TABLE_OF[kind]) != (reason in tables.WITHOUT_CLASS)


def test_no_reason_stands_in_a_table_that_no_version_of_tekton_declares() -> None:
    declared = {reason for _, reason in BY_KIND}
    rows = {*tables.RUN_REASONS, *tables.TASK_REASONS, *tables.WITHOUT_CLASS}
    assert rows == declared


@pytest.mark.parametrize("reason", sorted(tables.WITHOUT_CLASS))
def test_a_reason_that_tells_nothing_is_unknown_and_quoted(reason: str) -> None:
    run = make_run("mine", succeeded="False", reason=reason, completed_at=ago(minutes=1))
    for found in (diagnose(run, []), diagnose(run, [make_task_run("t", reason=reason)])):
        assert found.reason is FailureReason.UNKNOWN
        assert reason in found.message
    assert not tables.WITHOUT_CLASS[reason].endswith(".")


def test_the_table_is_of_the_tekton_that_the_local_cluster_runs() -> None:
    pinned = (MODULES / "tekton" / "go.mod").read_text()
    newest = list(DECLARED)[-1]
    assert f"{tekton_reasons.MODULE} {newest} " in pinned, (
        f"the table ends with {newest}: run python -m tekton_reasons and give what is new a row"
    )
