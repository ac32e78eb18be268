"""The retry policy: each wait between attempts, and the number of attempts.

Requests at a steady pace, such as those for a Lease, are no retries.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeVar

import tenacity

from workflowexecution.kube.errors import UnavailableError

T = TypeVar("T")
Step = Callable[[], Awaitable[T]]
Errors = type[Exception] | tuple[type[Exception], ...]
Report = Callable[[BaseException, int], None]

# Each wait is jittered, so that many that failed together do not come back together.
# A pass soon at first, and never rarer than the relist: nothing waits longer for an outage's end
# than it must.
_OF_A_PASS: Final = tenacity.wait_random_exponential(multiplier=0.2, max=30)
_WHILE_AWAY: Final = tenacity.wait_random_exponential(multiplier=0.5, max=10)
_OF_A_RESTART: Final = tenacity.wait_random(1, 2)
_OF_AN_OPTIONAL_STEP: Final = tenacity.wait_random_exponential(multiplier=0.5, max=5)
_ATTEMPTS_AT_AN_OPTIONAL_STEP: Final = 4
# A server that asks for more than this is asked earlier all the same: the lock waits, too.
_LONGEST_ASKED_S: Final = 60.0
# Whose attempts these are makes no difference to a wait.
_NOBODY: Final = tenacity.AsyncRetrying()


class EndlessWaits:
    """Seconds between repeats that never end: longer and longer, within bounds, and jittered."""

    def __iter__(self) -> Iterator[float]:
        for attempt in itertools.count(1):
            yield _seconds(_WHILE_AWAY, attempt)


def backoff(error: Exception, attempt: int) -> float:
    """Seconds to wait after attempt number ``attempt``, from 1, ended in an error.

    At least what the API server asked for. A pass of the queue is repeated by the queue itself,
    as a key that is added ends the wait early.
    """
    asked = error.retry_after if isinstance(error, UnavailableError) else None
    return max(_seconds(_OF_A_PASS, attempt), min(asked or 0.0, _LONGEST_ASKED_S))


def before_a_restart() -> float:
    """Seconds before kopf is started again; random, so that replicas do not restart together."""
    return _seconds(_OF_A_RESTART, 1)


def _seconds(wait: tenacity.wait.WaitBaseT, attempt: int) -> float:
    state = tenacity.RetryCallState(retry_object=_NOBODY, fn=None, args=(), kwargs={})
    state.attempt_number = attempt
    return wait(state)


async def as_the_server_asks(step: Step[T], on: Errors) -> T:
    """Repeat a request until it is answered, or the caller cancels it.

    Without tenacity's loop: what that makes for every request, of which few fail, is cycles that
    the garbage collector has to look for, and such requests come with every pass.
    """
    for attempt in itertools.count(1):
        try:
            return await step()
        except on as error:
            seconds = backoff(error, attempt)
        await asyncio.sleep(seconds)
    raise AssertionError("it is counted without end")


async def until_it_succeeds(
    step: Step[T], *, on: Errors, report: Report, every_s: float | None = None
) -> T:
    """Repeat a step for as long as it takes.

    Args:
        step: what is done.
        on: errors after which it is done again; others are raised.
        report: is called with each of them and the number of the attempt, before the wait.
        every_s: seconds to wait each time; None for longer and longer, within bounds.
    """
    return await _repeat(
        step, on, report, wait=_WHILE_AWAY if every_s is None else tenacity.wait_fixed(every_s)
    )


async def a_few_times(step: Step[T], *, on: Errors) -> T:
    """Repeat an optional step a few times within seconds; the last error is raised."""
    stop = tenacity.stop_after_attempt(_ATTEMPTS_AT_AN_OPTIONAL_STEP)
    return await _repeat(step, on, None, wait=_OF_AN_OPTIONAL_STEP, stop=stop)


async def _repeat(
    step: Step[T],
    on: Errors,
    report: Report | None,
    *,
    wait: tenacity.wait.WaitBaseT,
    stop: tenacity.stop.StopBaseT = tenacity.stop_never,
) -> T:
    def tell(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if report is not None and error is not None:
            report(error, state.attempt_number)

    retrying = tenacity.AsyncRetrying(
        wait=wait,
        stop=stop,
        retry=tenacity.retry_if_exception_type(on),
        before_sleep=tell,
        reraise=True,
    )
    return await retrying(step)
