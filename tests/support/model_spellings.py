"""Executions that write one object in several ways, and operators that do not know of that."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from model_interleavings import LeaderChanges, TwoOperators
from model_loop import ModelLoop
from model_operators import Operator
from model_people import index
from model_requests import CREATE
from model_store import RUNS, Raw
from workflowexecution.core import names

# By target: the usual spelling first. Each is a target of its own for an earlier version.
SPELLINGS: Final = (
    (
        "payment/Deployment/payment-api",
        "payment/deployment/payment-api",
        "payment/DEPLOYMENT/payment-api",
    ),
    ("Node/worker-1", "node/worker-1"),
)


@contextmanager
def former_rules() -> Iterator[None]:
    """A target is the text as it is written, as in earlier versions."""
    with patch.multiple(names, target_hash=names._hash_of, lock_text=lambda target: target):
        yield


class _FormerLoop(ModelLoop):
    def run_until_idle(self) -> None:
        with former_rules():
            super().run_until_idle()


class FormerOperator(Operator):
    """An operator of an earlier version."""

    loop_class = _FormerLoop

    def _take_in(self, kind: str, event: str, raw: Raw) -> None:
        with former_rules():
            super()._take_in(kind, event, raw)


class Spellings(TwoOperators):
    """Two operators that work at once, and people who write each target in every way."""

    def text_of(self, target_index: int) -> str:
        texts = SPELLINGS[target_index]
        return texts[self.server.version % len(texts)]


class Versions(TwoOperators):
    """Two versions that work at once, in any order and again and again; usual spellings."""

    def version_of(self, who: int) -> type[Operator]:
        return (FormerOperator, Operator)[(who + self.server.version) % 2]


class Upgrade(LeaderChanges):
    """An earlier version leads until it ends, and this version takes over.

    Until then, people write a target in one unusual way, since an earlier version launches a run
    for each; and in every way once this version was told of all runs of the earlier one. What the
    earlier version has asked for is done when it ends.
    """

    is_upgraded = False
    runs_before = 0

    def text_of(self, target_index: int) -> str:
        texts = SPELLINGS[target_index]
        told = [one.seen[RUNS] for one in self.operators if one.leads]
        is_told = self.is_upgraded and min(told, default=0) >= self.runs_before
        return texts[self.server.version % len(texts)] if is_told else texts[1]

    def version_of(self, who: int) -> type[Operator]:
        is_former = who == 0 and not self.is_upgraded
        return FormerOperator if is_former else Operator

    def leader_is_paused_past_its_lease(self) -> None:
        """An earlier version that goes on later is kept apart by the usual spelling alone."""

    @precondition(lambda self: not any(late.what == CREATE for late in self.late))
    @rule(number=index, carried_out=st.booleans())
    def leader_ends(self, number: int, carried_out: bool) -> None:
        if not self.is_upgraded:
            carried_out = True
            for request in [*self.operators[0].pending]:
                request.serve()
            self.runs_before = len(self.server.history[RUNS])
        self.is_upgraded = True
        super().leader_ends(number, carried_out)
