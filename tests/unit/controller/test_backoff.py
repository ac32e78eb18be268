"""How long what failed waits: longer each time, within bounds, and as the server asks."""

from __future__ import annotations

import pytest

from workflowexecution.controller.backoff import backoff
from workflowexecution.kube.errors import ConflictError, UnavailableError


def longest(attempt: int) -> float:
    return max(backoff(ConflictError("taken"), attempt) for _ in range(300))


def test_it_begins_soon_and_grows() -> None:
    assert longest(1) <= 0.2
    assert 0.2 < longest(3) <= 0.8
    assert 10 < longest(9) <= 30


@pytest.mark.parametrize("attempt", [20, 10**6])
def test_it_never_grows_beyond_half_a_minute(attempt: int) -> None:
    assert longest(attempt) <= 30


def test_those_that_failed_together_do_not_come_back_together() -> None:
    assert len({backoff(ConflictError("taken"), 5) for _ in range(20)}) > 15


@pytest.mark.parametrize(("asked", "waited"), [(40.0, 40.0), (3600.0, 60.0)])
def test_what_the_server_asks_for_is_waited_within_reason(asked: float, waited: float) -> None:
    error = UnavailableError("busy")
    error.retry_after = asked
    assert backoff(error, 1) == waited
