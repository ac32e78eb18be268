"""Launches that people hold and let go on at any time, in the model."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from builders import RUN_NAMESPACE, raw_hold
from model_interleavings import OneOperator
from model_operators import Operator
from model_people import index, target_index
from model_store import CLOCK_ERROR, Raw, target_of
from model_world import TARGETS
from workflowexecution.api.reading import format_time, parse_time


class HeldLaunches(OneOperator):
    """Holds come, go and expire; whoever watches is told at once, whoever starts lists them."""

    @rule(target_index=target_index, seconds=st.sampled_from([0, 20, 400]))
    def somebody_holds_a_target(self, target_index: int, seconds: int) -> None:
        until = format_time(self.server.now + timedelta(seconds=seconds))
        lasting: dict[str, Any] = {"expiresAt": until} if seconds else {}
        name = f"hold-{len(self.server.holds)}-{self.server.version}"
        self.server.holds[name] = raw_hold(name, targetResource=TARGETS[target_index], **lasting)
        self._tell("ADDED", name)

    @precondition(lambda self: self.server.holds)
    @rule(number=index)
    def somebody_lifts_a_hold(self, number: int) -> None:
        self._lift(self.pick([*self.server.holds], number))

    def started(self, who: int, namespace: str = RUN_NAMESPACE) -> Operator:
        one = super().started(who, namespace)
        self._judge_launches_of(one)
        return one

    def teardown(self) -> None:
        """Executions that were held go on by themselves, so everything ends as it always does."""
        for name in [*self.server.holds]:
            self._lift(name)
        super().teardown()

    def _lift(self, name: str) -> None:
        self._tell("DELETED", name)
        del self.server.holds[name]

    def _tell(self, event: str, name: str) -> None:
        for one in self.operators:
            one.holds.on_event(event, self.server.holds[name])

    def _judge_launches_of(self, one: Operator) -> None:
        create = one.cluster.create_run

        async def create_run(manifest: Mapping[str, Any]) -> Any:
            target = target_of(dict(manifest))
            if any(self._holds(raw, target) for raw in self.server.holds.values()):
                self.server.judge.complaints.append(f"{target} was launched on while it was held")
            return await create(manifest)

        one.cluster.create_run = create_run  # type: ignore[method-assign]

    def _holds(self, raw: Raw, target: str) -> bool:
        spec = raw["spec"]
        until = spec.get("expiresAt")
        lasts = until is None or parse_time(until) > self.server.now + CLOCK_ERROR
        return bool(spec["targetResource"] == target and lasts)
