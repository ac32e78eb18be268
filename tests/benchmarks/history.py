"""Namespaces with thousands of executions and runs, cloned from a real one of each kind."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from benchmarks import bodies
from benchmarks.etcd import Etcd, key_of
from benchmarks.played import player, result_of
from benchmarks.rig import Ground, Rig
from harness.objects import Objects, path_of
from harness.waiting import eventually
from localcluster.cluster import ApiError
from workflowexecution.core import names

_TIME = re.compile(r'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"')
# Long enough for no cooldown to reach it, and not for retention.
_AGE = timedelta(hours=1)
_CAUGHT_UP_S = 120.0


@dataclass(frozen=True, slots=True)
class Template:
    """An execution and its run as they are stored."""

    name: str
    ground: Ground
    execution: str
    run: str
    execution_uid: str
    run_uid: str

    def clone(self, name: str, ground: Ground, age: timedelta | None) -> Iterator[tuple[str, str]]:
        """The same execution and run under another name, on another target, so much older."""
        changes = {
            **_words(self.name, name),
            self.ground.source: ground.source,
            self.ground.runs: ground.runs,
            self.execution_uid: _uid(),
            self.run_uid: _uid(),
        }
        moment = bodies.stamp(datetime.now(UTC) - age) if age is not None else None
        for plural, text, own in (
            ("workflowexecutions", self.execution, name),
            ("pipelineruns", self.run, run_of(name)),
        ):
            copy = _replaced(text, changes)
            if moment is not None:
                copy = _TIME.sub(f'"{moment}"', copy)
            yield key_of(plural, ground.namespace_of(plural), own), copy


def template_of(etcd: Etcd, ground: Ground, name: str) -> Template:
    """Take an execution and its run as models."""
    execution = etcd.read("workflowexecutions", ground.source, name)
    run = etcd.read("pipelineruns", ground.runs, run_of(name))
    uids = [json.loads(text)["metadata"]["uid"] for text in (execution, run)]
    return Template(name, ground, execution, run, *uids)


def _words(old: str, new: str) -> dict[str, str]:
    """The texts that differ between two executions and their runs, longest first."""
    before, after = bodies.target_of(old), bodies.target_of(new)
    return {
        names.label_value(before): names.label_value(after),
        names.target_hash(before): names.target_hash(after),
        old: new,
    }


def _replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def run_of(name: str) -> str:
    """Name of the run of an execution."""
    return names.run_name(bodies.target_of(name), 1)


def _uid() -> str:
    return str(uuid.uuid4())


class History:
    """Grounds with a past: made once, and used by every workload that asks for the same."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._templates: dict[int, tuple[Template, Template]] = {}
        self._grounds: dict[tuple[int, int, int], Ground] = {}

    def ground(self, settled: int, running: int, status_bytes: int) -> Ground:
        """A ground with so many ended and so many running executions, each with its run."""
        wanted = (settled, running, status_bytes)
        if wanted not in self._grounds:
            self._grounds[wanted] = self._make(*wanted)
        return self._grounds[wanted]

    def _make(self, settled: int, running: int, status_bytes: int) -> Ground:
        if status_bytes not in self._templates:
            self._templates[status_bytes] = _templates(self._rig, status_bytes)
        ended, under_way = self._templates[status_bytes]
        ground = self._rig.ground()
        etcd = self._rig.etcd
        etcd.write(ended.clone(f"old-{number}", ground, _AGE) for number in range(settled))
        etcd.write(under_way.clone(f"now-{number}", ground, None) for number in range(running))
        for plural in ("workflowexecutions", "pipelineruns"):
            eventually(partial(self._assert_served, ground, plural), _CAUGHT_UP_S)
        return ground

    def _assert_served(self, ground: Ground, plural: str) -> None:
        """The API server has seen all that was stored behind its back, so that it serves lists."""
        try:
            self._rig.cluster.request(
                "GET", f"{path_of(plural, ground.namespace_of(plural))}?limit=1"
            )
        except ApiError as error:
            raise AssertionError(f"{plural} are not served: {error}") from error


def _templates(rig: Rig, status_bytes: int) -> tuple[Template, Template]:
    """One execution that has ended and one that runs, made by the operator itself."""
    ground = rig.ground()
    what = {"executions": 1, "status_bytes": status_bytes, "run_events": 3}
    with rig.operator(ground):
        with player(rig, ground, prefix="ended", **what) as load:
            load.say("go")
            assert result_of(load).count("Completed") == 1
        with player(rig, ground, prefix="running", life_s=0.3, hold=True, **what) as load:
            load.say("go")
            load.until("held", 30)
            eventually(lambda: _assert_reported(rig, ground))
            load.kill()
    return (
        template_of(rig.etcd, ground, "ended-0"),
        template_of(rig.etcd, ground, "running-0"),
    )


def _assert_reported(rig: Rig, ground: Ground) -> None:
    """The execution's status says what its run's does: nothing is left to be written."""
    found = Objects(rig.cluster, "workflowexecutions").get(ground.source, "running-0") or {}
    reported = found.get("status", {}).get("pipelineRunStatus", {})
    assert reported.get("reason") == "Running", reported
