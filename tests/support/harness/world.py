"""A world for one test module: namespaces, a proxy, an operator, a played Tekton."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness import rights
from harness.account_files import AccountFiles
from harness.executions import execution, name_of, phase_of, unique
from harness.objects import Objects, create_namespace, delete_namespace
from harness.process import OperatorProcess
from harness.proxy import Proxy
from harness.tekton import Tekton
from harness.waiting import DEADLINE_S, eventually
from localcluster.cluster import ApiError, Cluster, Object, write_kubeconfig

UID = "kubernaut.ai/workflow-execution-uid"
EXECUTIONS = "/apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces/{}/workflowexecutions"
CLAIM = EXECUTIONS.replace("workflowexecutions", "workflowclaims/workflowexecutions")
SETTINGS = "/api/v1/namespaces/{}/configmaps/workflowexecution-settings"
TERMINAL = ("Completed", "Failed", "Skipped")


class World:
    """Speaks of executions and runs by name; `sources` are the namespaces of executions."""

    def __init__(self, cluster: Cluster, folder: Path, flags: tuple[str, ...]) -> None:
        self.cluster = cluster
        self.execution_namespace = unique("runs")
        self.sources = (unique("team-a"), unique("team-b"))
        self.source = self.sources[0]
        self.executions = Objects(cluster, "workflowexecutions")
        self.events = Objects(cluster, "events")
        self.tekton = Tekton(cluster)
        self.proxy = Proxy(cluster)
        self.folder = folder
        self._flags = flags
        self._operators: list[OperatorProcess] = []
        for namespace in (self.execution_namespace, *self.sources):
            create_namespace(cluster, namespace)
        rights.extend_to(cluster, self.execution_namespace)
        self.operator = self.new_operator(self.proxy.url)

    def until_begun(self) -> None:
        """Wait for what the operator does once in the background, which no execution costs.

        It claims its namespaces, by one request each, and publishes its settings, by one.
        """

        def check() -> None:
            sources = self.sources if self._serves_its_sources() else ()
            missing = [name for name in sources if not self._is_claimed(name)]
            assert not missing, f"not claimed: {missing}"
            assert self.cluster.exists(SETTINGS.format(self.execution_namespace)), "not published"

        eventually(check, dump=self.dump)

    def _is_claimed(self, namespace: str) -> bool:
        return self.cluster.exists(CLAIM.format(namespace))

    def _serves_its_sources(self) -> bool:
        return not any(flag.startswith("--watch-namespaces") for flag in self._flags)

    def new_operator(self, server: str, *flags: str, **how: Any) -> OperatorProcess:
        """An operator of this world, not started; a later flag wins over an earlier one.

        `how` is for OperatorProcess.
        """
        return self._new_operator(server, flags, **how)

    def new_operator_in_pod(self, account: AccountFiles, port: int) -> OperatorProcess:
        """An operator of this world as it is in a pod, whose API server is at this local port."""
        prefix, environment = account.command(port)
        return self._new_operator("", (), prefix=prefix, environment=environment)

    def _new_operator(self, server: str, flags: Sequence[str], **how: Any) -> OperatorProcess:
        name = unique("operator")
        kubeconfig = write_kubeconfig(
            self.folder / f"{name}.kubeconfig",
            server,
            self.cluster.ca,
            rights.token_of_operator(self.cluster),
        )
        where = [
            f"--execution-namespace={self.execution_namespace}",
            f"--lease-namespace={self.execution_namespace}",
        ]
        given = [*self._flags, *flags]
        # Of this one all that are given add up.
        if not any(flag.startswith("--watch-namespaces") for flag in given):
            where.append(f"--watch-namespaces={','.join(self.sources)}")
        log = self.folder / f"{name}.log"
        operator = OperatorProcess(kubeconfig, log, [*where, *given], **how)
        self._operators.append(operator)
        return operator

    def create(self, target: str, **fields: object) -> Object:
        """Create an execution in the first source namespace, or in the one that is named."""
        item = execution(target, **fields)  # type: ignore[arg-type]
        item["metadata"]["namespace"] = item["metadata"]["namespace"] or self.source
        return self.executions.create(item)

    def read(self, item: Object) -> Object:
        """An execution as it is now; it must exist."""
        found = self.executions.get(item["metadata"]["namespace"], name_of(item))
        assert found is not None, f"{name_of(item)} is gone\n{self.dump()}"
        return found

    def ended(self, item: Object, phase: str, seconds: float = DEADLINE_S) -> Object:
        """Wait for an execution's end, which must be in this phase."""
        return self.in_phase(item, phase, seconds)

    def in_phase(self, item: Object, phase: str, seconds: float = DEADLINE_S) -> Object:
        """Wait until an execution is in a phase; another terminal one is an error at once."""

        def check() -> Object:
            found = self.read(item)
            if (seen := phase_of(found)) in TERMINAL and seen != phase:
                raise RuntimeError(f"{seen}, not {phase}:\n{json.dumps(found['status'], indent=1)}")
            assert phase_of(found) == phase, f"{name_of(item)} is {phase_of(found)!r}, not {phase}"
            return found

        return eventually(check, seconds, dump=self.dump)

    def gone(self, item: Object, seconds: float = DEADLINE_S) -> None:
        """Wait until an execution, this very one, no longer exists."""

        def check() -> None:
            found = self.executions.get(item["metadata"]["namespace"], name_of(item))
            assert not found or found["metadata"]["uid"] != item["metadata"]["uid"], "still there"

        eventually(check, seconds, dump=self.dump)

    def runs(self, target: str = "") -> list[Object]:
        """All runs, or those on one target, oldest first."""
        found = self.tekton.runs.list(self.execution_namespace)
        return [run for run in found if not target or _annotation(run, "target-resource") == target]

    def runs_of(self, item: Object) -> list[Object]:
        """Runs made for this very execution."""
        uid = item["metadata"]["uid"]
        return [
            run for run in self.runs() if run["metadata"].get("annotations", {}).get(UID) == uid
        ]

    def run_of(self, item: Object, seconds: float = DEADLINE_S) -> Object:
        """Wait for the run of an execution."""

        def check() -> Object:
            (run,) = self.runs_of(item) or (None,)
            assert run is not None, f"{name_of(item)} has no run"
            return run

        return eventually(check, seconds, dump=self.dump)

    def run_now(self, run: Object) -> Object | None:
        """A run as it is now, or None."""
        return self.tekton.runs.get(self.execution_namespace, name_of(run))

    def launched(self, target: str, **fields: object) -> tuple[Object, Object]:
        """Create an execution and wait until it is Running; returns it and its run."""
        item = self.in_phase(self.create(target, **fields), "Running")
        return item, self.run_of(item)

    def launched_once_free(self, target: str, **fields: object) -> tuple[Object, Object]:
        """Create executions until one is launched: those before it are skipped."""

        def check() -> Object:
            item = self.create(target, **fields)
            eventually(lambda: self._assert_decided(item), dump=self.dump)
            assert phase_of(self.read(item)) == "Running", f"{target} is held"
            return item

        item = eventually(check, dump=self.dump)
        return item, self.run_of(item)

    def _assert_decided(self, item: Object) -> None:
        assert phase_of(self.read(item)) in ("Running", *TERMINAL)

    def completed(self, target: str, **fields: object) -> tuple[Object, Object]:
        """An execution that has run to a good end, and its run."""
        item, run = self.launched(target, **fields)
        self.tekton.begin(run)
        run = self.tekton.succeed(run)
        return self.ended(item, "Completed"), run

    def events_of(self, item: Object) -> list[Object]:
        """Events about an execution."""
        found = self.events.list(item["metadata"]["namespace"])
        uid = item["metadata"]["uid"]
        return [event for event in found if event.get("regarding", {}).get("uid") == uid]

    def dump(self) -> str:
        """Everything of this world, for messages."""
        lines = []
        for namespace in self.sources:
            for item in self.executions.list(namespace)[-12:]:
                lines.append(f"{name_of(item)}: {json.dumps(item.get('status', {}))}")
        for run in self.runs()[-12:]:
            lines.append(f"{name_of(run)}: {json.dumps(run.get('status', {}))}")
        return "\n".join([*lines, self.operator.log_tail()])

    def close(self) -> None:
        """Stop what runs and let the namespaces go."""
        for operator in self._operators:
            if operator.is_running:
                operator.kill()
        self.proxy.close()
        for namespace in self.sources:
            # A namespace goes in the background: till then what is in it would concern others.
            for path in (EXECUTIONS, CLAIM):
                with suppress(ApiError):
                    self.cluster.request("DELETE", path.format(namespace))
        for namespace in (self.execution_namespace, *self.sources):
            delete_namespace(self.cluster, namespace)


@contextmanager
def open_world(
    cluster: Cluster,
    *flags: str,
    started: bool = True,
    trouble: bool = False,
    alarm: bool = False,
) -> Iterator[World]:
    """A world whose operator, if it runs at the end, stops well and leaves a clean log.

    With `trouble`, tests cut what the operator stands on: then it may tell of errors. With `alarm`,
    they break the one rule on purpose: then it must.
    """
    with TemporaryDirectory() as folder:
        world = World(cluster, Path(folder), flags)
        try:
            if started:
                world.operator.start()
                world.until_begun()
            yield world
            if world.operator.is_running:
                world.operator.stop()
            world.operator.assert_clean_log(trouble=trouble, alarm=alarm)
        finally:
            world.close()


def _annotation(run: Object, key: str) -> str:
    return str(run["metadata"].get("annotations", {}).get(f"kubernaut.ai/{key}", ""))
