"""One history of the model: its server and its operators, the rules that hold, and its end."""

from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from builders import RUN_NAMESPACE
from model_operators import PATIENCE, Operator
from model_requests import CREATE, Request
from model_server import Server
from model_store import (
    COOLDOWN,
    EXECUTIONS,
    RUNS,
    STEP,
    Raw,
    object_of,
    owner_of,
    succeeded,
    target_of,
    uid_of,
)
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.core import names

TARGETS: Final = ("payment/Deployment/payment-api", "Node/worker-1")
WORKFLOWS: Final = ("restart", "scale-up")
SOURCES: Final = ("team-a", "team-b")
ROUNDS: Final = 60
SOON: Final = timedelta(seconds=30)
# The API server lets go of a request after a minute.
LATEST: Final = timedelta(seconds=60)
clock_error = st.sampled_from([timedelta(0), timedelta(minutes=6), timedelta(minutes=-6)])


class World(RuleBasedStateMachine):
    """Operators with views of their own, none of them aware of any other.

    is_history_kept: whether the highest run number of a target always stays known. Where it does
    not, runs are numbered from 1 again, and only one process at a time counts on from what it
    remembers.
    """

    count = 1
    is_history_kept = False

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.tekton = self.server.tekton
        self.created: list[str] = []
        self.late: list[Request] = []
        self.ahead = [timedelta(0)] * self.count
        self.operators: list[Operator] = []
        # UIDs of executions whose end a person wrote.
        self.ended_by_hand: set[str] = set()
        # Whether all was played and looked at.
        self.is_complete = False

    @initialize(tekton=clock_error, ours=st.lists(clock_error, min_size=2, max_size=2))
    def set_clocks(self, tekton: timedelta, ours: list[timedelta]) -> None:
        """Nobody's clock is right but the API server's."""
        self.tekton.ahead = tekton
        self.ahead = ours[: self.count]
        self.operators = [self.started(who) for who in range(self.count)]
        self.open_first()

    def open_first(self) -> None:
        for one in self.operators:
            one.open()

    def text_of(self, target_index: int) -> str:
        """The text that people write for a target."""
        return TARGETS[target_index]

    def version_of(self, who: int) -> type[Operator]:
        """The version of the process that is started next."""
        del who
        return Operator

    def started(self, who: int, namespace: str = RUN_NAMESPACE) -> Operator:
        one = self.version_of(who)(
            self.server,
            self.ahead[who],
            namespace=namespace,
            keeps_executions=self.is_history_kept,
        )
        one.cluster.may_remove = self.may_remove
        one.start()
        return one

    def requests(self) -> list[Request]:
        return [request for one in self.operators for request in one.pending]

    def pick(self, choices: list[Any], number: int) -> Any:
        return choices[number % len(choices)]

    def creates_on(self, target: str) -> list[Request]:
        """Creates for a target that may still be carried out."""
        asked = [*self.requests(), *self.late]
        target = object_of(target)
        return [one for one in asked if one.what == CREATE and one.run[0] == target]

    def may_remove(self, kind: str, path: str) -> bool:
        """Whether what counts a target's runs may go: not while a number may soon be taken."""
        raw = self.server.get(kind, path)
        target = target_of(raw) if kind == RUNS else raw["spec"]["targetResource"]
        if self.creates_on(target):
            return False
        if not self.is_history_kept:
            return True
        return kind == RUNS and self.server.judge.is_claimed(raw)

    def is_last_trace(self, execution: Raw) -> bool:
        """Whether only this execution tells of a run number that has to be counted."""
        ref = execution.get("status", {}).get("pipelineRunRef")
        if not ref or f"{ref['namespace']}/{ref['name']}" in self.server.objects[RUNS]:
            return False
        return self.is_history_kept or bool(self.creates_on(execution["spec"]["targetResource"]))

    def lose(self, request: Request) -> None:
        """Its sender waits in vain; the server may still carry it out, for a minute."""
        if request.reply is None:
            self.late.append(request)
        request.lose()

    def let_time_pass(self, seconds: float) -> None:
        self.server.judge.about_to_change()
        self.server.now += timedelta(seconds=seconds)
        self.late = [one for one in self.late if self.server.now - one.sent_at < LATEST]
        for one in self.operators:
            self.lose_what_takes_too_long(one)
            one.go_on()

    def lose_what_takes_too_long(self, one: Operator) -> None:
        for request in [*one.pending]:
            if not one.is_paused and self.server.now - request.sent_at > PATIENCE:
                self.lose(request)

    def work_on(self, one: Operator, count: int) -> None:
        """Tell an operator everything and answer it at once, so many times."""
        for _ in range(0 if one.is_paused else count):
            one.deliver_all()
            for key in one.wake():
                one.start_pass(key)
            one.answer_all()

    @invariant()
    def no_rule_is_broken(self) -> None:
        """See Judge; and never are there two runs of operators on one target."""
        assert not self.server.judge.complaints, self.server.judge.complaints
        for target in TARGETS:
            assert not self.server.judge.crowded(target)
        for one in self.operators:
            assert not one.loop.troubles, one.loop.troubles
            if one.faults:
                raise one.faults[0]

    def teardown(self) -> None:
        """Let everything that was begun come to its end, and look at what came of it."""
        if not self.operators or self.server.judge.complaints:
            return
        for one in self.operators:
            one.is_paused = False
            self.lose_what_takes_too_long(one)
            one.go_on()
        # A reply that was overtaken by the end of what it tells of is corrected by a resync.
        for _ in range(2):
            self.come_to_rest()
            for one in self.operators:
                one.resync()
        self.come_to_rest()
        self.no_rule_is_broken()
        self.what_goes_on_is_told()
        self.end_all_runs()
        assert self.come_to_rest()
        self.everything_has_ended()
        self.every_target_is_free()
        self.no_rule_is_broken()
        for one in self.operators:
            one.crash()
        self.is_complete = True

    def end_all_runs(self) -> None:
        for path in [*self.server.objects[RUNS]]:
            self.tekton.end_run(path, "True")

    def come_to_rest(self) -> bool:
        """Do everything there is to do; say whether there is nothing left."""
        return any(self.is_at_rest() for _ in range(ROUNDS))

    def is_at_rest(self) -> bool:
        """Do what there is to do; say whether there is nothing left."""
        for one in self.operators:
            one.deliver_all()
            for key in one.wake():
                one.start_pass(key)
        while self.requests():
            for one in self.operators:
                one.answer_all()
        for path in [*self.server.objects[RUNS]]:
            self.tekton.obey(path)
        self.tekton.stop_tasks()
        for one in self.operators:
            if one.controller.gaps.are_open:
                one.resync()
        now = self.server.now
        due = [moment for one in self.operators if (moment := one.next_due())]
        soon = min([moment for moment in due if moment <= now + SOON], default=now)
        self.let_time_pass(max(soon - now, STEP).total_seconds())
        return soon == now and not any(one.is_behind or one.wake() for one in self.operators)

    def what_goes_on_is_told(self) -> None:
        """Every execution has ended or is Running, and every run has an execution that says so."""
        by_hand = self.server.judge.by_hand
        unfinished = {
            owner_of(run): path
            for path, run in self.server.objects[RUNS].items()
            if succeeded(run) == "Unknown" and names.parse_run_name(run["metadata"]["name"])
        }
        ours = {
            owner_of(run)
            for run in self.server.objects[RUNS].values()
            if uid_of(run) not in by_hand
        }
        for execution in self.server.objects[EXECUTIONS].values():
            status = execution.get("status", {})
            assert "deletionTimestamp" not in execution["metadata"]
            # Failed with a run that goes on: Tekton does not end it, and its time was over.
            if uid_of(execution) in unfinished.keys() & ours:
                assert status.get("phase") in ("Running", "Failed")
            if status.get("phase") not in TERMINAL_PHASES:
                # An execution that lost its run waits for what is active under the run's name.
                assert status.get("phase") == "Running"
                ref = status["pipelineRunRef"]
                assert f"{ref['namespace']}/{ref['name']}" in unfinished.values()
        if self.count == 1:
            living = {uid_of(raw) for raw in self.server.objects[EXECUTIONS].values()}
            assert not (unfinished.keys() & ours) - living

    def everything_has_ended(self) -> None:
        """Once all runs have ended, so have all executions."""
        for execution in self.server.objects[EXECUTIONS].values():
            assert "deletionTimestamp" not in execution["metadata"]
            assert execution["status"]["phase"] in TERMINAL_PHASES
            is_ours = uid_of(execution) not in self.ended_by_hand
            assert not is_ours or execution["status"]["completionTime"]

    def every_target_is_free(self) -> None:
        """A new execution is launched and ends well after any history."""
        self.let_time_pass((COOLDOWN + timedelta(minutes=10)).total_seconds())
        # As every ten minutes: of names that people have freed again, all then know the same.
        for one in self.operators:
            one.resync()
        assert self.come_to_rest()
        paths = [
            self.server.create_execution("probe", target, "restart", namespace=f"probe-{n}")
            for n, target in enumerate(TARGETS)
        ]
        self.come_to_rest()
        self.end_all_runs()
        assert self.come_to_rest()
        for path in paths:
            status = self.server.get(EXECUTIONS, path)["status"]
            assert status["phase"] == "Completed", status
