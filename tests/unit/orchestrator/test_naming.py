"""Names of executions and targets: deterministic, valid for any request, never shared."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflowexecution.api.target import parse_target
from workflowexecution.orchestrator import build_target_resource, execution_name, is_attempt_at

LEGAL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
REQUEST_NAMES = (
    st.lists(st.sampled_from(["a", "b0", "9", "-", "--", ".", "r" * 40]), min_size=1, max_size=12)
    .map("".join)
    .filter(lambda name: len(name) <= 253 and LEGAL.fullmatch(name) is not None)
)
ATTEMPTS = st.integers(min_value=1, max_value=999)


@pytest.mark.parametrize(
    ("request_name", "attempt", "expected"),
    [
        ("payment-api", 1, "we-payment-api"),
        ("payment.api.v2", 1, "we-payment.api.v2"),
        ("payment-api", 2, "we-payment-api-3650c31c56-2"),
        ("r" * 57, 1, "we-" + "r" * 57),
        ("r" * 58, 1, "we-" + "r" * 45 + "-95f6cf763b-1"),
        ("r." * 40 + "r", 3, "we-" + "r-" * 22 + "r-86d65974fd-3"),
    ],
)
def test_an_execution_is_called_after_its_request(
    request_name: str, attempt: int, expected: str
) -> None:
    assert execution_name(request_name, attempt) == expected


@given(REQUEST_NAMES, ATTEMPTS)
def test_any_request_gives_a_valid_and_short_name(request_name: str, attempt: int) -> None:
    name = execution_name(request_name, attempt)
    assert LEGAL.fullmatch(name)
    assert len(name) <= 63
    assert name == execution_name(request_name, attempt)


@given(st.lists(st.tuples(REQUEST_NAMES, ATTEMPTS), unique=True, min_size=2, max_size=6))
def test_no_two_requests_or_attempts_share_a_name(made: list[tuple[str, int]]) -> None:
    assert len({execution_name(*one) for one in made}) == len(made)


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert execution_name("r" * 200 + "a") != execution_name("r" * 200 + "b")


def test_a_request_cannot_be_called_like_another_ones_execution() -> None:
    taken = execution_name("r" * 100)
    assert execution_name(taken.removeprefix("we-")) != taken


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a..b", "a_b", "a/b", "a" * 254, "a\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of an object"):
        execution_name(name)
    assert not is_attempt_at(name, f"we-{name}")


@pytest.mark.parametrize("attempt", [0, -1, 1000])
def test_what_is_no_attempt_is_refused(attempt: int) -> None:
    with pytest.raises(ValueError, match=f"attempt {attempt} is not one of 1 to 999"):
        execution_name("request", attempt)


@given(REQUEST_NAMES, ATTEMPTS)
def test_a_requests_own_attempts_are_known(request_name: str, attempt: int) -> None:
    assert is_attempt_at(request_name, execution_name(request_name, attempt))
    assert not is_attempt_at(f"x{request_name}"[:253].rstrip("-."), execution_name(request_name))


@pytest.mark.parametrize("name", ["", "we-request-2", "we-other", "request", "we-request-", "2"])
def test_other_names_are_no_attempts(name: str) -> None:
    assert not is_attempt_at("request", name)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("payment", "Deployment", "payment-api"), "payment/Deployment/payment-api"),
        (("", "Node", "worker-node-1"), "Node/worker-node-1"),
        (("", "ClusterRole", "system:node"), "ClusterRole/system:node"),
        (("payment", "deployment", "Api"), "payment/deployment/Api"),
    ],
)
def test_a_target_is_its_parts(parts: tuple[str, str, str], expected: str) -> None:
    assert build_target_resource(*parts) == expected
    parsed = parse_target(expected)
    assert (parsed.namespace, parsed.kind, parsed.name) == parts


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("payment", "", "api"), "a target needs a kind"),
        (("payment", "Deployment", ""), "a target needs a name"),
        (("pay/ment", "Deployment", "api"), "the namespace of a target is 'pay/ment'"),
        (("payment", "apps/Deployment", "api"), "the kind of a target is 'apps/Deployment'"),
        (("payment", "Deployment", "my api"), "the name of a target is 'my api'"),
        (("payment", "Deployment", "api\n"), "the name of a target is"),
        ((" ", "Deployment", "api"), "the namespace of a target is ' '"),
        (("", "Deployment", "a" * 254), "the name of a target is 'aaa"),
        (("payment", "Deployment", "$(params.APP)"), "the name of a target is"),
        (("Payment", "Deployment", "api"), "'Payment'; it must be the name of a namespace"),
    ],
)
def test_a_part_that_cannot_be_used_is_named(parts: tuple[str, str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_target_resource(*parts)
