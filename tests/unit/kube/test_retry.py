"""A retry waits longer and longer, within bounds, and as long as the server asks."""

from __future__ import annotations

import ast
import gc
from pathlib import Path

import pytest
import tenacity

from workflowexecution.kube import retry
from workflowexecution.kube.errors import ConflictError, UnavailableError

OPERATOR = Path(retry.__file__).parents[1]


class Step:
    """Fails with each of these errors, then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.attempts = 0

    async def __call__(self) -> str:
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


class Waits:
    """Notes how long was to be waited, instead of waiting."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits()
    monkeypatch.setattr("asyncio.sleep", made.sleep)
    return made


def longest(attempt: int) -> float:
    return max(retry.backoff(ConflictError("taken"), attempt) for _ in range(300))


def busy(asked: float | None = None) -> UnavailableError:
    return UnavailableError("busy", retry_after=asked)


def test_it_begins_soon_and_grows() -> None:
    assert longest(1) <= 0.2
    assert 0.2 < longest(3) <= 0.8
    assert 10 < longest(9) <= 30


@pytest.mark.parametrize("attempt", [20, 10**6])
def test_it_never_grows_beyond_half_a_minute(attempt: int) -> None:
    assert 10 < longest(attempt) <= 30


def test_those_that_failed_together_do_not_come_back_together() -> None:
    assert len({retry.backoff(ConflictError("taken"), 5) for _ in range(20)}) > 15


@pytest.mark.parametrize(("asked", "waited"), [(40.0, 40.0), (3600.0, 60.0)])
def test_what_the_server_asks_for_is_waited_within_reason(asked: float, waited: float) -> None:
    assert retry.backoff(busy(asked), 1) == waited


async def test_a_request_is_repeated_as_the_server_asks(waits: Waits) -> None:
    step = Step(busy(40), busy(3600))
    assert await retry.as_the_server_asks(step, UnavailableError) == "done"
    assert waits.seconds == [40, 60]


async def test_a_request_that_is_refused_is_not_repeated(waits: Waits) -> None:
    step = Step(busy(40), ConflictError("taken"))
    with pytest.raises(ConflictError):
        await retry.as_the_server_asks(step, UnavailableError)
    assert step.attempts == 2


async def test_a_request_that_succeeds_leaves_nothing_to_the_garbage_collector() -> None:
    step = Step()
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            await retry.as_the_server_asks(step, UnavailableError)
        assert gc.collect() < 100
    finally:
        gc.enable()


async def test_a_step_is_repeated_for_as_long_as_it_takes_and_each_failure_is_told(
    waits: Waits,
) -> None:
    told: list[tuple[str, int]] = []
    step = Step(*(busy() for _ in range(30)))
    await retry.until_it_succeeds(
        step, on=UnavailableError, report=lambda error, attempt: told.append((str(error), attempt))
    )
    assert told == [("busy", attempt) for attempt in range(1, 31)]
    assert all(seconds <= 10 for seconds in waits.seconds)
    assert waits.seconds[0] <= 0.5
    assert max(waits.seconds) > 5


async def test_a_step_can_be_repeated_at_a_steady_pace(waits: Waits) -> None:
    step = Step(busy(), busy(), busy())
    await retry.until_it_succeeds(step, on=UnavailableError, report=lambda *_: None, every_s=1.0)
    assert waits.seconds == [1.0, 1.0, 1.0]


async def test_an_error_that_time_does_not_mend_ends_it(waits: Waits) -> None:
    step = Step(ConflictError("taken"))
    with pytest.raises(ConflictError):
        await retry.until_it_succeeds(step, on=UnavailableError, report=lambda *_: None)
    assert waits.seconds == []


async def test_a_courtesy_is_tried_four_times_and_its_own_error_is_raised(waits: Waits) -> None:
    step = Step(*(busy() for _ in range(4)))
    with pytest.raises(UnavailableError):
        await retry.a_few_times(step, on=UnavailableError)
    assert step.attempts == 4
    assert len(waits.seconds) == 3
    assert all(seconds <= 5 for seconds in waits.seconds)


def test_no_other_module_makes_a_policy_of_its_own() -> None:
    """A wait that is jittered needs one of these; whoever imports it makes up a policy."""
    makers = {tenacity.__name__, "random", "backoff", "aiohttp_retry"}
    others = {
        path.relative_to(OPERATOR)
        for path in OPERATOR.rglob("*.py")
        if path != Path(retry.__file__) and makers & _imported(path)
    }
    assert others == set()


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    named = {item.name for node in nodes if isinstance(node, ast.Import) for item in node.names}
    named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in named}
