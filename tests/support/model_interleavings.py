"""Random orders of events, requests, replies and crashes, and the rules that hold in all."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from model_operators import Key, Operator, Request, settle_down
from model_server import EXECUTIONS, RUNS, STEP, Server, owner_of, succeeded, target_of
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.core import names

TARGETS = ("payment/Deployment/payment-api", "Node/worker-1")
WORKFLOWS = ("restart", "scale-up")
ROUNDS = 60
SOON = timedelta(seconds=30)
# The API server lets go of a request after a minute.
LATEST = timedelta(seconds=60)
index = st.integers(0, 7)
clock_error = st.sampled_from([timedelta(0), timedelta(minutes=6), timedelta(minutes=-6)])
operator = st.integers(0, 1)
kind = st.sampled_from([EXECUTIONS, RUNS])


class Interleavings(RuleBasedStateMachine):
    """Operators with views of their own, none of them aware of any other."""

    count = 1
    # At most one in each history: two on one target would be a person's own doing.
    reruns = 0
    # Whether runs are deleted by somebody, so that what numbers the slots goes away.
    is_history_kept = False

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.loop = asyncio.new_event_loop()
        self.created = 0
        self.late: list[tuple[Request, datetime]] = []
        self.ahead = [timedelta(0)] * self.count
        self.operators: list[Operator] = []

    @initialize(tekton=clock_error, ours=st.lists(clock_error, min_size=2, max_size=2))
    def set_clocks(self, tekton: timedelta, ours: list[timedelta]) -> None:
        """Nobody's clock is right but the API server's."""
        self.server.tekton_ahead = tekton
        self.ahead = ours[: self.count]
        self.operators = [self.run(self.started(who)) for who in range(self.count)]

    def run(self, step: Any) -> Any:
        return self.loop.run_until_complete(step)

    async def started(self, who: int) -> Operator:
        started = Operator(self.server, self.ahead[who])
        await started.resync()
        return started

    def requests(self) -> list[Request]:
        return [request for one in self.operators for request in one.pending]

    def pick(self, choices: list[Any], number: int) -> Any:
        return choices[number % len(choices)]

    @rule(target_index=st.integers(0, 1), workflow=st.sampled_from(WORKFLOWS))
    def create_execution(self, target_index: int, workflow: str) -> None:
        self.created += 1
        name = f"e{self.created}"
        self.server.create_execution(name, TARGETS[target_index], workflow)

    @rule(
        who=operator,
        target_index=st.integers(0, 1),
        is_deleted=st.booleans(),
        seconds=st.sampled_from([30, 310]),
    )
    def a_run_comes_and_goes(
        self, who: int, target_index: int, is_deleted: bool, seconds: int
    ) -> None:
        """What fills a target's history, and what may take it away again."""
        self.create_execution(target_index, WORKFLOWS[0])
        self.work(who, 4)
        for name in self.server.unfinished_names(TARGETS[target_index]):
            self.server.end_run(name, "True")
        self.work(who, 2)
        self.server.now += timedelta(seconds=seconds)
        if is_deleted:
            self.server.delete_execution(f"e{self.created}")
            self.work(who, 2)
            if not self.is_history_kept:
                for name in self.removable():
                    self.server.remove_run(name)

    def removable(self) -> list[str]:
        """Finished runs, but none whose name an unanswered create may still be given."""
        idle = self.server.idle_runs()
        return [] if self.late or self.requests() else idle

    @rule(target_index=st.integers(0, 1))
    def rush(self, target_index: int) -> None:
        """Two executions at once, each taken up by another operator where there are two."""
        for one, workflow in zip((self.operators[0], self.operators[-1]), WORKFLOWS, strict=True):
            self.create_execution(target_index, workflow)
            one.deliver(EXECUTIONS, len(self.server.history[EXECUTIONS]))
            self.run(self.begin(one, one.wake()[-1:]))

    @rule(who=operator, count=st.integers(1, 8))
    def work(self, who: int, count: int) -> None:
        """An operator that is told of everything and is answered at once."""
        one = self.operators[who % self.count]
        for _ in range(count):
            one.deliver_all()
            self.run(self.begin(one, one.wake()))
            for request in [*one.pending]:
                request.return_home()
            self.run(settle_down())

    @rule(who=operator, what=kind, count=st.integers(1, 5))
    def deliver_events(self, who: int, what: str, count: int) -> None:
        self.operators[who % self.count].deliver(what, count)

    @rule(who=operator, what=kind, is_complete=st.booleans())
    def list_anew(self, who: int, what: str, is_complete: bool) -> None:
        """Lists tell nothing of what is gone, unless they are held against what was known."""
        one = self.operators[who % self.count]
        if is_complete:
            self.run(one.resync())
        else:
            one.relist(what)

    @precondition(lambda self: any(one.wake() for one in self.operators))
    @rule(number=index)
    def start_pass(self, number: int) -> None:
        ready = [(one, key) for one in self.operators for key in one.wake()]
        one, key = self.pick(ready, number)
        self.run(self.begin(one, [key]))

    async def begin(self, one: Operator, keys: list[Key]) -> None:
        for key in keys:
            one.start_pass(key)
        await settle_down()

    @precondition(lambda self: self.requests())
    @rule(number=index, what=st.sampled_from(["serve", "answer", "lose"]))
    def request_goes_on(self, number: int, what: str) -> None:
        request = self.pick(self.requests(), number)
        match what:
            case "serve":
                request.serve()
            case "answer":
                request.return_home()
            case "lose":
                self.lose(request)
        self.run(settle_down())

    def lose(self, request: Request) -> None:
        """Its sender waits in vain; the server may still carry it out, for a minute."""
        if request.reply is None:
            self.late.append((request, self.server.now))
        request.lose()

    @precondition(lambda self: self.late)
    @rule(number=index)
    def late_request_is_carried_out(self, number: int) -> None:
        late = self.pick(self.late, number)
        self.late.remove(late)
        request, sent_at = late
        if self.server.now - sent_at < LATEST:
            request.serve()

    @rule(who=operator, carried_out=st.booleans())
    def crash_and_restart(self, who: int, carried_out: bool) -> None:
        who = who % self.count
        for request in [*self.operators[who].pending]:
            if carried_out:
                request.serve()
            elif self.is_history_kept:
                # Where history goes, slots may be numbered anew after a start, and a create of the
                # life before would not meet the next: the second run is then seen and cancelled.
                self.lose(request)
        self.run(self.operators[who].crash())
        self.operators[who] = self.run(self.started(who))

    @precondition(lambda self: self.server.objects[RUNS] and not self.late)
    @rule(number=index)
    def somebody_runs_it_again(self, number: int) -> None:
        """On a free target; whoever does so on a busy one has two runs there by his own hand."""
        name = self.pick([*self.server.objects[RUNS]], number)
        target = target_of(self.server.get(RUNS, name))
        if self.requests() or self.server.unfinished_runs(target) or self.reruns:
            return
        self.reruns += 1
        self.server.rerun(name)
        for one in self.operators:
            one.deliver_all()

    @precondition(lambda self: self.server.objects[RUNS])
    @rule(number=index, what=st.sampled_from(["report", "obey", "stop", "pods", "True", "False"]))
    def tekton_acts(self, number: int, what: str) -> None:
        name = self.pick([*self.server.objects[RUNS]], number)
        match what:
            case "report":
                self.server.report(name)
            case "obey":
                self.server.obey(name)
            case "stop":
                self.server.stop_tasks()
            case "pods":
                self.server.stop_pods()
            case verdict:
                self.server.end_run(name, verdict)

    @precondition(lambda self: self.server.objects[EXECUTIONS])
    @rule(number=index)
    def delete_execution(self, number: int) -> None:
        self.server.delete_execution(self.pick([*self.server.objects[EXECUTIONS]], number))

    @precondition(lambda self: self.server.objects[RUNS] and not self.is_history_kept)
    @rule(number=index)
    def remove_run(self, number: int) -> None:
        if not self.late and not self.requests():
            self.server.remove_run(self.pick([*self.server.objects[RUNS]], number))

    @rule(seconds=st.sampled_from([1, 2, 130, 310]))
    def pass_time(self, seconds: int) -> None:
        self.server.now += timedelta(seconds=seconds)

    @invariant()
    def no_run_begins_within_a_cooldown(self) -> None:
        assert not self.server.too_early

    @invariant()
    def no_execution_claims_the_run_of_another(self) -> None:
        assert not self.server.misattributed

    @invariant()
    def no_pass_meets_what_nobody_foresaw(self) -> None:
        for one in self.operators:
            if one.faults:
                raise one.faults[0]

    @invariant()
    def never_two_unfinished_runs_on_one_target(self) -> None:
        for target in TARGETS:
            assert len(self.server.unfinished_runs(target)) <= 1

    def teardown(self) -> None:
        """Let everything that was begun come to its end, and look at what came of it."""
        try:
            # A reply that was overtaken by the end of what it tells of is corrected by a resync.
            for _ in range(2):
                self.come_to_rest()
                for one in self.operators:
                    self.run(one.resync())
            self.come_to_rest()
            self.no_pass_meets_what_nobody_foresaw()
            self.never_two_unfinished_runs_on_one_target()
            self.what_goes_on_is_told()
            for name in [*self.server.objects[RUNS]]:
                self.server.end_run(name, "True")
            assert self.come_to_rest()
            self.everything_has_ended()
        finally:
            for one in self.operators:
                self.run(one.crash())
            self.loop.close()

    def come_to_rest(self) -> bool:
        """Do everything there is to do; say whether there is nothing left."""
        return any(self.is_at_rest() for _ in range(ROUNDS))

    def is_at_rest(self) -> bool:
        """Do what there is to do; say whether there is nothing left."""
        for one in self.operators:
            one.deliver_all()
            self.run(self.begin(one, one.wake()))
        while requests := self.requests():
            for request in requests:
                request.return_home()
            self.run(settle_down())
        for name in [*self.server.objects[RUNS]]:
            self.server.obey(name)
        self.server.stop_tasks()
        for one in self.operators:
            if one.intake.needs_resync:
                self.run(one.resync())
        self.server.now += STEP
        return not any(one.is_behind or one.wake(SOON) for one in self.operators)

    def what_goes_on_is_told(self) -> None:
        """Every execution has ended or is Running, and every run has an execution that says so."""
        unfinished = {
            owner_of(run): name
            for name, run in self.server.objects[RUNS].items()
            if succeeded(run) == "Unknown" and names.parse_slot(name)
        }
        for execution in self.server.objects[EXECUTIONS].values():
            meta, status = execution["metadata"], execution.get("status", {})
            assert "deletionTimestamp" not in meta
            # Failed with a run that goes on: Tekton does not end it, and its time was over.
            if meta["uid"] in unfinished:
                assert status.get("phase") in ("Running", "Failed")
            if status.get("phase") not in TERMINAL_PHASES:
                # An execution that lost its run waits for what is active under the run's name.
                assert status.get("phase") == "Running"
                assert status["pipelineRunRef"]["name"] in unfinished.values()
        if self.count == 1:
            living = {item["metadata"]["uid"] for item in self.server.all(EXECUTIONS)}
            assert not unfinished.keys() - living

    def everything_has_ended(self) -> None:
        """Once all runs have ended, so have all executions."""
        for execution in self.server.objects[EXECUTIONS].values():
            assert "deletionTimestamp" not in execution["metadata"]
            assert execution["status"]["phase"] in TERMINAL_PHASES
            assert execution["status"]["completionTime"]


class OneOperator(Interleavings):
    """One operator at a time, which crashes and starts anew."""


class TwoOperators(Interleavings):
    """Two operators, which only the names of runs keep apart: slots are never numbered anew."""

    count = 2
    is_history_kept = True
