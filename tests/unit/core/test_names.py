"""Names, labels and annotations: valid for any legal input, and one for each."""

import itertools
import re

import pytest

from localcluster.overlays import MANIFESTS
from workflowexecution.core import names

LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
TARGET = "payment/Deployment/payment-api"


def test_the_policy_keeps_every_key_of_a_run_for_the_operator() -> None:
    """A user who could set one could have another execution skipped for a false reason."""
    keys = {value for name, value in vars(names).items() if name.startswith("KEY_")}
    assert len(keys) == 9
    text = (MANIFESTS / "components/policy-operator-writes/runs.yaml").read_text()
    assert {key for key in keys if f"'{key}'" not in text} == set()


def test_names_of_a_known_target_never_change() -> None:
    """They are the lock: another version of the operator must give the same ones."""
    assert names.target_hash(TARGET) == "7c240c08fe7f0cc3"
    assert names.target_key(TARGET) == "wfe-7c240c08fe7f0cc3"
    assert names.run_name(TARGET, 12) == "wfe-7c240c08fe7f0cc3-12"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wfe-7c240c08fe7f0cc3-12", ("wfe-7c240c08fe7f0cc3", 12)),
        ("wfe-7c240c08fe7f0cc3", ("wfe-7c240c08fe7f0cc3", 0)),
        ("wfe-7c240c08fe7f0cc3-999999999", ("wfe-7c240c08fe7f0cc3", 999_999_999)),
        ("wfe-7c240c08fe7f0cc3-9999999999", ("wfe-7c240c08fe7f0cc3", 9_999_999_999)),
        ("wfe-7c240c08fe7f0cc3-" + "9" * 42, ("wfe-7c240c08fe7f0cc3", 10**42 - 1)),
        ("wfe-7c240c08fe7f0cc3-", None),
        ("wfe-7c240c08fe7f0cc3-x", None),
        ("wfe-7c240c08fe7f0cc3-1-2", None),
        ("wfe-7C240C08FE7F0CC3-1", None),
        ("wfe-7c240c08fe7f0cc-1", None),
        ("my-wfe-7c240c08fe7f0cc3-1", None),
        ("", None),
    ],
)
def test_reads_slots_and_nothing_else(name: str, expected: tuple[str, int] | None) -> None:
    assert names.parse_run_name(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("payment-api", "payment-api", id="valid-as-it-is"),
        pytest.param("v1.2_rc-3", "v1.2_rc-3", id="all-inner-characters"),
        pytest.param("a" * 63, "a" * 63, id="longest"),
        pytest.param("a" * 64, "a" * 45 + "-sha256-ffe054fe7a", id="too-long"),
        pytest.param(TARGET, "payment-Deployment-payment-api-sha256-7c240c08fe", id="slashes"),
        pytest.param("-a-", "a-sha256-5b8a9cd08c", id="bad-ends"),
        pytest.param("Größe", "Gr-e-sha256-7a9d1fab7b", id="not-ascii"),
        pytest.param("///", "sha256-e7f6e52b18", id="nothing-readable"),
        pytest.param("", "sha256-e3b0c44298", id="empty"),
    ],
)
def test_label_values_are_readable(text: str, expected: str) -> None:
    value = names.label_value(text)
    assert LABEL.fullmatch(value)
    assert re.sub(r"[0-9a-f]{10}$", "#", value) == re.sub(r"[0-9a-f]{10}$", "#", expected)


def test_label_values_differ_where_texts_differ() -> None:
    parts = ["", "a", "A", "é", "-", ".", "/", " ", "a-", "-a", "a" * 40, "\n", "ß", "日本"]
    texts = {"".join(chosen) for chosen in itertools.product(parts, repeat=3)}
    values = {names.label_value(text) for text in texts}
    assert len(values) == len(texts)
    assert all(LABEL.fullmatch(value) for value in values)


@pytest.mark.parametrize(
    "name",
    ["a", "restart-1", "a" * 253, "a.b.c", ("a" * 63 + ".") * 3 + "b" * 61, "a" * 199 + "-" + "b"],
)
@pytest.mark.parametrize("reason", ["PipelineRunCreated", "WorkflowExecutionDeleted"])
def test_event_names_are_valid_for_any_execution(name: str, reason: str) -> None:
    given = names.event_name(name, "0e8f5ad6-6c2b-4f5e-9f1e-3f0c1f2d4a55", reason)
    assert SUBDOMAIN.fullmatch(given)
    assert len(given) <= 253


def test_events_are_one_for_each_execution_and_reason() -> None:
    given = {
        names.event_name("same", uid, reason)
        for uid in ("uid-1", "uid-2")
        for reason in ("Skipped", "WorkflowFailed")
    }
    assert len(given) == 4
    assert names.event_name("same", "uid-1", "Skipped") in given


@pytest.mark.parametrize("text", ["a/b", "x" * 64, "///", "ns/Deployment/app"])
def test_no_text_passes_for_the_label_of_another(text: str) -> None:
    label = names.label_value(text)
    assert names.label_value(label) != label
