"""The operator at work for a long time: it does not grow, and does not ask for more and more."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from faults.pair import Pair
from faults.rig import rigged
from faults.sampler import Sample, Sampler, Stint, write_csv
from faults.soak_plan import PER_S, PLAN, RSS
from faults.traffic import DONE, Traffic
from harness import rights
from harness.objects import path_of
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from reliability import is_long
from reliability.growth import Window, change, changed, grown, quarters
from reliability.results import FILE
from reliability.tally import Tally

SCENARIO = "soak"
COLLECTED_WITHIN_S = 60.0
DRAINED_WITHIN_S = 90.0
EMPTY_WITHIN_S = 300.0


@dataclass(frozen=True, slots=True)
class Tick:
    """The number of requests, executions and objects at a moment."""

    requests: int
    executions: int
    there: dict[str, float]


def until_collected(world: World) -> None:
    """Wait until what belongs to a run goes with it.

    The garbage collector of a cluster that has just started learns of new kinds every 30 s.
    """
    meta = {"name": "collected", "namespace": world.execution_namespace}
    spec = {"pipelineRef": {"name": "any"}}
    run = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": meta, "spec": spec}
    created = world.tekton.runs.create(run)
    world.tekton.begin(created)
    world.tekton.runs.delete(created)

    def collected() -> None:
        assert world.tekton.task_runs.list(world.execution_namespace) == []

    eventually(collected, COLLECTED_WITHIN_S)


def go_on(pair: Pair, world: World, traffic: Traffic, seconds: float) -> list[Tick]:
    """Let traffic go on; both operators must live."""
    ticks = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(PLAN.sample)
        pair.assert_both_live()
        ticks.append(Tick(world.proxy.mark(), len(traffic.items), objects_in(world)))
    return ticks


def objects_in(world: World) -> dict[str, float]:
    """The number of executions and of runs that exist."""
    paths = {
        "executions": path_of("workflowexecutions", world.source),
        "runs": path_of("pipelineruns", world.execution_namespace),
    }
    return {kind: count_of(world.cluster, path) for kind, path in paths.items()}


def count_of(cluster: Cluster, path: str) -> int:
    page = cluster.request("GET", f"{path}?limit=1")
    return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))


def window(world: World, ticks: Sequence[Tick]) -> Window:
    """The requests of both operators between the first and the last of some moments.

    It is the proxy that has counted: it knows who asked, and the API server's metrics do not.
    """
    first, last = ticks[0], ticks[-1]
    asked = Counter(one.kind for one in world.proxy.since(first.requests))
    asked.subtract(one.kind for one in world.proxy.since(last.requests))
    return Window(+asked, last.executions - first.executions)


def series_of(values: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """By name, what was measured one after the other."""
    return {name: [one[name] for one in values] for name in values[0]}


def judged(stints: Mapping[Stint, Sequence[Sample]]) -> dict[Stint, dict[str, list[float]]]:
    """The series of those that lasted long enough; both roles must be among them."""
    found = {
        stint: series_of([sample.values for sample in samples])
        for stint, samples in stints.items()
        if samples[-1].at_s - samples[0].at_s >= PLAN.judged
    }
    assert {stint.is_leading for stint in found} == {True, False}, list(stints)
    return found


def note(series: Mapping[Stint, Mapping[str, Sequence[float]]], pair: Pair, last: Window) -> str:
    """The measured values, of those that came last."""
    said = []
    for is_leading, role in ((True, "leading"), (False, "standing by")):
        values = [some for stint, some in series.items() if stint.is_leading is is_leading][-1]
        memory, files = change(values[RSS]), change(values["fds"])
        said.append(
            f"{role}: {memory[0]:.1f} MB, then {memory[1]:.1f} MB, "
            f"{files[0]:.0f} open files, then {files[1]:.0f}"
        )
    taken_over = ", ".join(f"{seconds:.1f} s" for seconds in pair.taken_over_s)
    asked = f"{last.total:.2f} requests for each execution"
    return "; ".join([*said, asked, f"leader replaced in {taken_over}"])


def until_empty(pair: Pair, world: World) -> None:
    """Wait until retention has removed everything, and nothing of it is remembered."""

    def check() -> None:
        there, remembered = objects_in(world), pair.remembered()
        assert (sum(there.values()), remembered) == (0, [{}, {}]), there

    eventually(check, EMPTY_WITHIN_S, dump=world.dump)


@pytest.fixture
def world(bare_cluster: Cluster) -> Iterator[World]:
    with open_world(bare_cluster, *PLAN.flags, started=False) as opened:
        rights.let_remove_executions(bare_cluster, opened.source)
        until_collected(opened)
        yield opened


def test_soak(world: World, tally: Tally) -> None:
    with rigged(world) as rig, closing(Pair(world)) as pair:
        with (
            closing(Sampler(pair.members, PLAN.sample)) as sampler,
            closing(Traffic(world, PER_S, PLAN.targets)) as traffic,
        ):
            ticks = go_on(pair, world, traffic, PLAN.phases[0])
            for number, seconds in enumerate(PLAN.phases[1:]):
                pair.replace_leader(is_warned=number == 0)
                ticks = go_on(pair, world, traffic, seconds)
        drained_s = rig.drained(traffic, DRAINED_WITHIN_S)
        series, there = judged(sampler.stints), series_of([tick.there for tick in ticks])
        second, last = (window(world, ticks[one]) for one in quarters(len(ticks)))
        for values in (*series.values(), there):
            print({name: change(some) for name, some in values.items()})
        print(*series, traffic.done, second, last, sep="\n")
        rig.judge(tally, recovery_s=drained_s, cooldown=PLAN.cooldown)
        tally.result = replace(tally.result, note=note(series, pair, last))
        if is_long():
            write_csv(sampler.stints, FILE.with_name("soak.csv"))
        assert set(traffic.done) == set(DONE)
        problems = [
            *(f"{one}, {stint}" for stint in series for one in grown(series[stint], PLAN.bounds)),
            *grown(there, dict.fromkeys(there, PLAN.history)),
            *changed(second, last, PLAN.requests),
        ]
        assert not problems, "\n".join(problems)
        until_empty(pair, world)
        for target in {wanted.target for wanted in traffic.wanted[:10]}:
            world.ended(world.create(target), "Completed")
