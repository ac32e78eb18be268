"""``wfe bundle try``: runs a bundle on a cluster with Tekton, and removes all of it at the end.

The cause of a failure is found as the operator finds it. There is no lock and no cooldown.
"""

import asyncio
import re
import secrets
import shutil
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from workflowexecution.bundles.folder import BundleCommandError, Object
from workflowexecution.bundles.trial import Order, execution_of, objects_of
from workflowexecution.cache.memory import ExecutionMemory, RunMemory
from workflowexecution.cli.table import UNBOUNDED, wrapped
from workflowexecution.client.cluster import read_leftovers_of
from workflowexecution.client.kube_cluster import KubeCluster
from workflowexecution.client.pod_logs import follow_log
from workflowexecution.controller.run_status import SilentRuns, failure_of
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.text import command, one_line
from workflowexecution.kube import errors, retry
from workflowexecution.kube.access import Access
from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.clock import ServerClock
from workflowexecution.views.step_logs import StepLog, steps_with_logs
from workflowexecution.views.wording import in_words, short

_FAILED: Final = 10
_TEKTON: Final = "/apis/tekton.dev/v1"
_POLL_S: Final = 1.0
# For pods to stop after the end of the run.
_PATIENCE_S: Final = 60.0
_CONNECTIONS: Final = 100
# Written by Tekton's entrypoint, which ends the step instead of running its command.
_SKIPPED: Final = re.compile(r"\d{4}/\S+ \S+ Skipping step because a previous step failed")
_NO_TEKTON: Final = (
    "this cluster does not serve tekton.dev/v1: it has no Tekton Pipelines, which run a bundle; "
    "install them (https://tekton.dev), or name another cluster with --kubeconfig or --context"
)


def new_name(bundle: str) -> str:
    """A name for a run of this bundle that no other run has."""
    return f"try-{bundle[:40].rstrip('-')}-{secrets.token_hex(3)}"


async def try_bundle(access: Access, order: Order, *, keeps: bool) -> None:
    """Run a bundle, and print its logs and its outcome.

    Args:
        access: to a cluster with Tekton.
        order: to carry out.
        keeps: whether the run stays.
    Raises: ValueError where the order is not valid; BundleCommandError where the run has failed,
        with exit status 10, or the cluster cannot run it.
    """
    clock, (execution, spec) = ServerClock(), execution_of(order, datetime.now(UTC))
    objects = list(objects_of(order, execution, spec))
    if task := asyncio.current_task():
        # As Ctrl-C does it: what was created is removed.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        async with access.open_session(connections=_CONNECTIONS) as http:
            client = ApiClient(http, access.server, clock)
            await _require_tekton(client)
            await _Trial(order, keeps, client, clock).carry_out(execution, objects)
    except errors.ApiError as error:
        raise BundleCommandError(in_words(error)) from error


async def _require_tekton(client: ApiClient) -> None:
    try:
        await client.request("GET", _TEKTON)
    except errors.NotFoundError as error:
        raise BundleCommandError(_NO_TEKTON) from error


def _print(line: str) -> None:
    """Print a line of the answer; on a terminal it is wrapped between words."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNBOUNDED
    sys.stdout.write("\n".join(wrapped(one_line(line), width)) + "\n")
    sys.stdout.flush()


def _say(note: str) -> None:
    sys.stderr.write(f"{one_line(note)}\n")
    sys.stderr.flush()


def _say_no_answer(error: BaseException, _: int) -> None:
    assert isinstance(error, errors.ApiError)
    _say(f"warning: {in_words(error)}; asking again")


@dataclass(slots=True)
class _Trial:
    """One run of a bundle.

    of_execution, of_run: what has been seen of it.
    turns: by pod: its steps run one after the other, and their logs are printed so, too.
    """

    order: Order
    keeps: bool
    client: ApiClient
    clock: ServerClock
    cluster: KubeCluster = field(init=False)
    of_execution: ExecutionMemory = field(default_factory=ExecutionMemory)
    of_run: RunMemory = field(default_factory=RunMemory)
    turns: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    has_ended: bool = False

    def __post_init__(self) -> None:
        where = self.order.namespace
        self.cluster = KubeCluster(self.client, execution_namespace=where, watch_namespaces=())

    async def carry_out(self, execution: Execution, objects: Sequence[tuple[str, Object]]) -> None:
        _say(
            f"trying {execution.workflow_id} on {execution.target} as PipelineRun "
            f"{self.order.namespace}/{self.order.name}, without a lock and a cooldown"
        )
        async with self._created(objects):
            run = await self._followed_to_its_end()
            await self._wait_until_stopped(run)
            await self._report(execution, run)

    @asynccontextmanager
    async def _created(self, objects: Sequence[tuple[str, Object]]) -> AsyncIterator[None]:
        """Create objects, and remove them at the end, the last one first."""
        made: list[tuple[str, Object]] = []
        try:
            for path, item in objects:
                await self.client.request("POST", path, body=item)
                made.append((path, item))
            yield
        finally:
            for path, item in reversed(made):
                if not (self.keeps and self.has_ended and item["kind"] == "PipelineRun"):
                    await self._remove(path, item["kind"])

    async def _remove(self, path: str, kind: str) -> None:
        name, query = self.order.name, {"propagationPolicy": "Background"}
        try:
            await self.client.request("DELETE", f"{path}/{name}", params=query)
        except errors.NotFoundError:
            return
        except errors.ApiError as error:
            _say(f"warning: {kind} {name} is left: {in_words(error)}")

    async def _followed_to_its_end(self) -> Run:
        try:
            async with asyncio.TaskGroup() as logs:
                return await self._follow(logs)
        except* (BundleCommandError, errors.ApiError) as group:
            raise group.exceptions[0] from None
        raise AssertionError("a run is followed until it has ended")

    async def _follow(self, logs: asyncio.TaskGroup) -> Run:
        """Print what the steps write, until Tekton has reported the result of the run."""
        seen, waits_for = set[StepLog](), ""
        silent_runs = SilentRuns(self.cluster)
        while True:
            run = await self._read()
            tasks = await self.cluster.list_task_runs(*self._key_of_children())
            for step in steps_with_logs(tasks):
                if step not in seen:
                    seen.add(step)
                    logs.create_task(self._print_log(step))
            if run.succeeded in ("True", "False"):
                self.has_ended = True
                return run
            await silent_runs.look(self.of_execution, self.of_run, run, now=time.monotonic())
            if self.of_execution.waits_for != waits_for:
                waits_for = self.of_execution.waits_for
                _say(f"waits: {waits_for}" if waits_for else "it goes on")
            await asyncio.sleep(_POLL_S)

    def _key_of_children(self) -> tuple[str, list[str]]:
        return self.order.namespace, [self.order.name]

    async def _read(self) -> Run:
        raw = await retry.until_it_succeeds(
            partial(self.cluster.get_run, self.order.namespace, self.order.name),
            on=errors.UnavailableError,
            report=_say_no_answer,
            every_s=_POLL_S,
        )
        if (run := parse_run(raw)) is None:
            raise BundleCommandError(f"PipelineRun {self.order.name} has lost its target")
        return run

    async def _print_log(self, step: StepLog) -> None:
        where = (self.client, self.order.namespace, step.pod, step.container)
        async with self.turns[step.pod]:
            try:
                async for line in follow_log(*where, None, lambda: self.has_ended):
                    said = _SKIPPED.sub("skipped: an earlier step failed", line)
                    _print(f"[{step.name}] {said}")
            except errors.ApiError as error:
                _say(f"warning: no log of {step.name}: {in_words(error)}")

    async def _wait_until_stopped(self, run: Run) -> None:
        """Read the children and pods of the run until none is active, as the operator does."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            left = (await read_leftovers_of(self.cluster, [run]))[run.key]
            self.of_run.note(left)
            if not left.is_active or time.monotonic() > deadline:
                return
            await asyncio.sleep(_POLL_S)

    async def _report(self, execution: Execution, run: Run) -> None:
        """Print how a run has ended. Raises: BundleCommandError where it has failed."""
        if self.keeps:
            shown = command("kubectl", "describe", "pipelinerun", "-n", *run.key)
            _say(f"the run is kept: {shown}")
        if run.succeeded == "True":
            took = short(run.ended_at(self.clock.now()) - (run.started_at or run.created_at))
            said = f": {run.result_text}" if run.result_text else ""
            _print(f"Completed after {took}{said}")
            return
        of_execution, of_run, now = self.of_execution, self.of_run, self.clock.now()
        failure = await failure_of(self.cluster, execution, run, of_execution, of_run, now=now)
        summary = failure.natural_language_summary or failure.message
        _print(f"Failed: {summary}")
        raise BundleCommandError("", status=_FAILED)
