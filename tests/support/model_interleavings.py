"""Random orders of events, requests, replies, crashes and changes of the leader."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from builders import RUN_NAMESPACE
from model_people import People, index, target_index
from model_store import EXECUTIONS, RUNS, Raw, object_of, owner_of, path_of, target_of, uid_of
from model_world import TARGETS, WORKFLOWS, clock_error

operator = st.integers(0, 1)
kind = st.sampled_from([EXECUTIONS, RUNS])


class Interleavings(People):
    """The steps of operators, one request and one reply at a time."""

    @rule(who=operator, count=st.integers(1, 8))
    def work(self, who: int, count: int) -> None:
        """An operator that is told of everything and is answered at once."""
        self.work_on(self.operators[who % self.count], count)

    @rule(
        who=operator,
        target_index=target_index,
        ends=st.sampled_from(["True", "False"]),
        goes=st.sampled_from(["nothing", "execution", "both", "history", "all"]),
        lasts=st.sampled_from([0, 200]),
        seconds=st.sampled_from([30, 310]),
    )
    def a_run_comes_and_goes(
        self, who: int, target_index: int, ends: str, goes: str, lasts: int, seconds: int
    ) -> None:
        """A run fills a target's history, and may be taken away again."""
        one = self.operators[who % self.count]
        self.create_execution(target_index, WORKFLOWS[0], "team-a", "fix")
        path = self.created[-1]
        self.work_on(one, 4)
        self.let_time_pass(lasts)
        for run in self.runs_on(TARGETS[target_index]):
            self.tekton.end_run(path_of(run), ends)
        self.tekton.stop_tasks()
        self.tekton.stop_pods()
        self.work_on(one, 2)
        self.let_time_pass(seconds)
        if goes in ("history", "all") and not one.is_paused:
            one.resync()
            for _ in range(3):
                self.let_time_pass(1)
                one.answer_all()
        if goes == "all":
            # What a process remembers goes, too.
            self.crash_and_restart(who, True)
        if goes in ("execution", "both"):
            self.delete(path)
            self.work_on(one, 2)
        if goes == "both" and not self.is_history_kept:
            for run in self.runs_on(TARGETS[target_index]):
                self.lose_run(path_of(run))

    def runs_on(self, target: str) -> list[Raw]:
        runs = [*self.server.objects[RUNS].values()]
        return [run for run in runs if target_of(run) == object_of(target)]

    @rule(target_index=target_index, after=st.sampled_from([0, 2]))
    def rush(self, target_index: int, after: float) -> None:
        """Two executions at once, each taken up by another operator where there are two.

        Of runs these have not been told anything new.
        """
        self.let_time_pass(after)
        for one, workflow in zip((self.operators[0], self.operators[-1]), WORKFLOWS, strict=True):
            self.create_execution(target_index, workflow, "team-b", "mend")
            if not one.is_paused:
                one.deliver(EXECUTIONS, len(self.server.history[EXECUTIONS]))
                for key in one.wake()[-1:]:
                    one.start_pass(key)

    @rule(who=operator, what=kind, count=st.integers(1, 5))
    def deliver_events(self, who: int, what: str, count: int) -> None:
        one = self.operators[who % self.count]
        if not one.is_paused:
            one.deliver(what, count)

    @rule(who=operator, how=st.sampled_from(["relist", "resync", "begin"]), what=kind)
    def list_anew(self, who: int, how: str, what: str) -> None:
        """Lists tell nothing of what is gone, unless they are held against what was known."""
        one = self.operators[who % self.count]
        if one.is_paused:
            return
        match how:
            case "relist":
                one.relist(what)
            case "resync":
                one.resync()
            case _:
                one.begin_resync()

    @precondition(lambda self: any(one.wake() for one in self.operators))
    @rule(number=index)
    def start_pass(self, number: int) -> None:
        ready = [(one, key) for one in self.operators for key in one.wake()]
        one, key = self.pick(ready, number)
        one.start_pass(key)

    @precondition(lambda self: self.requests())
    @rule(number=index, what=st.sampled_from(["serve", "answer", "lose"]))
    def request_goes_on(self, number: int, what: str) -> None:
        request = self.pick(self.requests(), number)
        match what:
            case "serve":
                request.serve()
            case "answer":
                request.return_home()
            case _:
                self.lose(request)
        for one in self.operators:
            one.go_on()

    @precondition(lambda self: self.late)
    @rule(number=index)
    def late_request_is_carried_out(self, number: int) -> None:
        late = self.pick(self.late, number)
        self.late.remove(late)
        late.serve()

    @rule(who=operator, carried_out=st.booleans())
    def crash_and_restart(self, who: int, carried_out: bool) -> None:
        self.restart(who % self.count, carried_out)

    def restart(self, who: int, carried_out: bool, namespace: str = RUN_NAMESPACE) -> None:
        """End a process at once, and start the next one that leads where it did."""
        one = self.operators[who]
        for request in [*one.pending]:
            # Where history went, runs are numbered from 1 after a start: a create of the process
            # before would then not meet the next. The second run is seen and cancelled, but it
            # was there.
            target, name = request.run
            suffix = f"-{self.server.next_number(target)}"
            if carried_out:
                request.serve()
            elif not target or name.endswith(suffix):
                self.lose(request)
        one.crash()
        self.operators[who] = self.started(who, namespace)
        if one.leads:
            self.operators[who].open()

    @rule(seconds=st.sampled_from([0.4, 1, 2, 16, 130, 310, 2200]))
    def pass_time(self, seconds: float) -> None:
        self.let_time_pass(seconds)

    @rule(who=operator, ahead=clock_error)
    def somebody_sets_an_operators_clock(self, who: int, ahead: timedelta) -> None:
        self.operators[who % self.count].ahead = ahead


class OneOperator(Interleavings):
    """One operator at a time, which crashes and starts anew; history goes at any time."""


class TwoOperators(Interleavings):
    """Two operators that work at once, which only the names of runs keep apart."""

    count = 2
    is_history_kept = True


class LeaderChanges(TwoOperators):
    """Two operators of which one leads, until it is paused or ends and the other takes over."""

    def open_first(self) -> None:
        self.operators[0].open()

    def leaders(self) -> list[int]:
        return [who for who, one in enumerate(self.operators) if one.leads]

    @precondition(lambda self: len(self.leaders()) == 1)
    @rule()
    def leader_is_paused_past_its_lease(self) -> None:
        (leader,) = self.leaders()
        self.operators[leader].is_paused = True
        self.let_time_pass(16)
        self.operators[1 - leader].open()

    @precondition(lambda self: any(one.is_paused for one in self.operators))
    @rule()
    def paused_leader_goes_on(self) -> None:
        """It does not know yet that it leads no more."""
        for one in self.operators:
            one.is_paused = False
            self.lose_what_takes_too_long(one)
            one.go_on()

    @precondition(lambda self: self.leaders())
    @rule(number=index, carried_out=st.booleans())
    def leader_ends(self, number: int, carried_out: bool) -> None:
        """The one that stood by leads now; the next process stands by."""
        who = self.pick(self.leaders(), number)
        self.operators[1 - who].open()
        self.operators[who].dirty.is_open = False
        self.restart(who, carried_out)

    @precondition(lambda self: len(self.leaders()) == 1)
    @rule()
    def leader_hands_over(self) -> None:
        """As in a rolling update: what is under way is done first."""
        (leader,) = self.leaders()
        one = self.operators[leader]
        while not one.is_paused and one.pending:
            one.answer_all()
        self.leader_ends(leader, carried_out=True)


class NamespaceChanges(OneOperator):
    """One operator, which is told to make its runs in another namespace, and back.

    It is told so while every run that goes on is named by its execution; what others do in the
    namespace that is not watched, nobody is told of.
    """

    namespaces = (RUN_NAMESPACE, "other-runs")

    def is_watched(self, run: Raw) -> bool:
        return bool(run["metadata"]["namespace"] == self.operators[0].namespace)

    def may_be_changed(self, execution: Raw) -> bool:
        mine = [run for run in self.server.unfinished() if owner_of(run) == uid_of(execution)]
        return all(self.is_watched(run) for run in mine)

    def crash_and_restart(self, who: int, carried_out: bool) -> None:
        """Only while nothing would be forgotten; see the class."""

    @precondition(lambda self: self.every_run_is_named())
    @rule(number=index)
    def namespace_is_changed(self, number: int) -> None:
        self.restart(0, True, self.pick([*self.namespaces], number))

    def every_run_is_named(self) -> bool:
        asked = any(self.creates_on(target) for target in TARGETS)
        return not asked and all(self.is_named(run) for run in self.server.unfinished())

    def is_named(self, run: Raw) -> bool:
        owners = [
            raw for raw in self.server.objects[EXECUTIONS].values() if uid_of(raw) == owner_of(run)
        ]
        is_running = any(raw.get("status", {}).get("phase") == "Running" for raw in owners)
        return is_running and self.server.judge.is_claimed(run)
