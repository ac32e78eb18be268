"""Whatever the order of events, requests, replies and crashes: one run at a time on a target."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from model_interleavings import Interleavings, OneOperator, TwoOperators


@pytest.mark.parametrize("machine", [OneOperator, TwoOperators])
def test_whatever_the_order_of_things(machine: type[Interleavings]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=120,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
