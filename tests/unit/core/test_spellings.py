"""One object, its kind written in different cases: one target, in all that is decided about it.

Earlier versions hashed the text as it was written; their runs hold their targets all the same.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    failed_execution,
    finished_run,
    make_execution,
    make_run,
    make_snapshot,
    raw_run,
)
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.cache.history import FailureHistory
from workflowexecution.core import names
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.leftovers import run_of_pod
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN, Run
from workflowexecution.core.names import KIND_FORMS
from workflowexecution.core.verdict import Launch, ReportRun, Skip

POLICY = Path(__file__).parents[3] / "manifests/components/policy-target-kinds/policy.yaml"
USUAL = TARGET
ODD = "payment/deployment/payment-api"
SHOUTED = "payment/DEPLOYMENT/payment-api"


def former_run(target: str, owner: str = "other", number: int = 1, **given: Any) -> Run:
    """A run as an earlier version made it."""
    name = f"{names.former_target_key(target)}-{number}"
    return make_run(owner, target=target, name=name, **given)


def test_the_key_of_what_nearly_everybody_writes_is_the_hash_of_the_text() -> None:
    """So operators of this and of earlier versions ask for the same names."""
    for target in (USUAL, "Node/worker-1", "a/StatefulSet/b", "a/Rollout/b", "a/VirtualService/b"):
        assert names.target_key(target) == names.former_target_key(target)


@pytest.mark.parametrize("mine", [USUAL, ODD, SHOUTED])
@pytest.mark.parametrize("theirs", [USUAL, ODD, SHOUTED])
@pytest.mark.parametrize("is_former", [True, False], ids=["former-version", "this-version"])
def test_an_active_run_holds_every_spelling(mine: str, theirs: str, is_former: bool) -> None:
    run = former_run(theirs) if is_former else make_run(target=theirs)

    verdict = decide(make_snapshot(make_execution(target=mine), runs=[run]))

    assert isinstance(verdict, Skip)
    assert verdict.reason is SkipReason.RESOURCE_BUSY
    assert (verdict.evidence.target, verdict.evidence.name) == (theirs, "other")


def test_a_run_of_a_former_version_is_that_of_its_execution() -> None:
    run = former_run(ODD, "mine", 3)

    assert decide(make_snapshot(make_execution(target=ODD), runs=[run])) == ReportRun(run)


def test_a_run_that_only_a_status_names_holds_every_spelling() -> None:
    other = make_execution("other", phase=Phase.RUNNING, number=1, target=ODD)

    verdict = decide(make_snapshot(make_execution(target=SHOUTED), others=[other]))

    assert isinstance(verdict, Skip)
    assert verdict.evidence.target == ODD


@pytest.mark.parametrize("is_former", [True, False], ids=["former-version", "this-version"])
def test_what_ended_cools_down_for_every_spelling(is_former: bool) -> None:
    ended = finished_run(target=ODD, created_at=ago(minutes=20), completed_at=ago(minutes=2))
    if is_former:
        ended = replace(ended, name=f"{names.former_target_key(ODD)}-1")

    verdict = decide(make_snapshot(runs=[ended]))

    assert isinstance(verdict, Skip)
    assert verdict.reason is SkipReason.RECENTLY_REMEDIATED
    assert verdict.evidence.target == ODD, "the text stays as it was written"


def test_the_next_run_counts_on_whatever_the_spelling() -> None:
    ended = [finished_run("a", number=4, target=ODD), finished_run("b", number=7, target=SHOUTED)]

    verdict = decide(make_snapshot(runs=ended))

    assert verdict == Launch(f"{names.former_target_key(USUAL)}-8")


def test_a_failure_of_one_spelling_guards_every_spelling() -> None:
    history = FailureHistory(are_kept=True)
    history.note_execution(failed_execution(target=ODD), NOW)

    found = history.newest(USUAL, "restart")

    assert found is not None
    assert (found.failed_at_work, found.evidence.target) == (True, ODD)
    later = failed_execution("b", target=USUAL, cleared="seen", completed_at=ago(minutes=1))
    history.note_execution(later, NOW)
    again = history.newest(SHOUTED, "restart")
    assert again is not None
    assert not again.blocks, "a clear of one spelling clears every spelling"


@pytest.mark.parametrize(
    "keeps_its_text", [True, False], ids=["with-annotations", "without-annotations"]
)
def test_pods_that_a_run_of_a_former_version_left_hold_its_target(keeps_its_text: bool) -> None:
    raw = raw_run("other", target=ODD, name=f"{names.former_target_key(ODD)}-2")
    meta = raw["metadata"]
    labels = {
        LABEL_PIPELINE_RUN: meta["name"],
        names.KEY_TARGET_HASH: names.former_target_key(ODD).removeprefix("wfe-"),
    }
    annotations = meta["annotations"] if keeps_its_text else {}
    left = run_of_pod({"metadata": {**meta, "labels": labels, "annotations": annotations}})
    assert left is not None
    assert (left.owner is not None) is keeps_its_text

    verdict = decide(make_snapshot(make_execution(target=ODD), runs=[left]))

    assert isinstance(verdict, Skip)
    assert (verdict.reason, verdict.evidence.run_namespace) == (
        SkipReason.RESOURCE_BUSY,
        RUN_NAMESPACE,
    )


@pytest.mark.parametrize(
    ("target", "spellings"),
    [
        (SHOUTED, sorted([USUAL, ODD, SHOUTED])),
        ("Node/worker-1", ["Node/worker-1", "node/worker-1"]),
        ("a/statefulset/b", ["a/StatefulSet/b", "a/statefulset/b"]),
        ("not-a-target", ["not-a-target"]),
    ],
)
def test_what_people_write_for_a_target_is_looked_for(target: str, spellings: list[str]) -> None:
    assert names.common_spellings(target) == spellings
    assert len({names.target_key(text) for text in spellings}) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("payment/deployments/payment-api", id="plural"),
        pytest.param("Deployment/payment-api", id="without-namespace"),
        pytest.param("payment/Deployment/Payment-api", id="another-name"),
        pytest.param("Payment/Deployment/payment-api", id="another-namespace"),
        pytest.param("payment/Deploymen\u0074\u0307/payment-api", id="not-a-kind"),
        pytest.param("a/payment/Deployment/payment-api", id="too-many-parts"),
    ],
)
def test_everything_but_the_case_of_the_kind_counts(other: str) -> None:
    assert not names.is_same_target(USUAL, other)
    assert names.target_key(other) != names.target_key(USUAL)


def test_the_list_of_kinds_never_changes() -> None:
    """Another list gives other names to runs, so operators of two versions launch two of them."""
    listed = " ".join(sorted(KIND_FORMS.values()))
    assert hashlib.sha256(listed.encode()).hexdigest()[:16] == "fd984324ff60f87c"


def test_the_policy_of_kinds_names_them_in_the_form_that_is_locked() -> None:
    policy, _ = yaml.safe_load_all(POLICY.read_text())
    (kinds,) = [one for one in policy["spec"]["variables"] if one["name"] == "kinds"]
    listed = re.findall(r"'(\w+)'", kinds["expression"])
    assert "Deployment" in listed
    assert [names.lock_text(f"a/{kind.lower()}/b") for kind in listed] == [
        f"a/{kind}/b" for kind in listed
    ]
