"""The scenarios of `make faults`, in the order in which they run and are shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault that is tried.

    name: its name for `ONLY=`.
    title: its name in the table.
    tests: arguments of pytest that select it.
    """

    name: str
    title: str
    tests: tuple[str, ...]


def _outages() -> list[Scenario]:
    titles = {
        "503": "ten minutes in which everything is answered 503",
        "refused": "ten minutes of refused connections",
        "black-hole": "ten minutes without any answer",
        "401": "ten minutes in which everything is answered 401",
    }
    file = "tests/faults/test_outages.py"
    return [Scenario(f"outage-{name}", title, (file, "-k", name)) for name, title in titles.items()]


def _operators() -> list[Scenario]:
    file = "tests/faults/test_operators.py"
    return [
        Scenario(
            f"operators-{size}-{how}",
            f"{size} operators, {meaning}, faults at random, kills and pauses",
            (file, "-k", f"{size}-{how}"),
        )
        for size in (2, 3)
        for how, meaning in {"at-once": "all active", "elected": "one of them leading"}.items()
    ]


def _writes() -> list[Scenario]:
    file = "tests/faults/test_writes.py"
    titles = {
        "objects": "every write of runs, pods and finalizers fails in every way",
        "status": "every write of a status fails in every way",
        "events": "every record of an Event fails in every way",
    }
    return [
        Scenario(f"writes-{kind}", title, (file, "-k", f"{kind}-"))
        for kind, title in titles.items()
    ]


SCENARIOS: tuple[Scenario, ...] = (
    *_writes(),
    *_outages(),
    *_operators(),
    Scenario(
        "kills",
        "the operator is killed at every write, before and after it is carried out",
        ("tests/faults/test_kills.py",),
    ),
    Scenario(
        "leases", "every write of the Lease fails in every way", ("tests/faults/test_leases.py",)
    ),
    Scenario(
        "views",
        "lists and watches that lag, lose, repeat, reorder, end or fail",
        ("tests/faults/test_views.py",),
    ),
    Scenario(
        "clocks",
        "the operator's own clock is wrong, or jumps",
        ("tests/faults/test_clocks.py",),
    ),
    Scenario(
        "cluster",
        "API server and etcd killed, execution namespace and definition deleted and created again",
        ("tests/faults/test_cluster.py",),
    ),
    Scenario(
        "credentials",
        "tokens and authorities that change under a running pod",
        ("tests/faults/test_credentials.py",),
    ),
    Scenario(
        "soak",
        "half an hour at five executions a second, with deletions, failures, retention, a stop and "
        "a kill of the leader",
        ("tests/faults/test_soak.py",),
    ),
    Scenario("model-search", "model: random schedules", ("tests/property/test_interleavings.py",)),
    Scenario("fuzz", "specs and runs made at random", ("tests/faults/test_fuzz.py",)),
    Scenario("garbage", "statuses made at random", ("tests/property/test_garbage.py",)),
)


def named(name: str) -> Scenario:
    """The scenario of a name. Raises: KeyError."""
    return {scenario.name: scenario for scenario in SCENARIOS}[name]
