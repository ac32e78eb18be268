"""Start, find and stop clusters."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from localcluster import cluster as record
from localcluster import machine, programs, report, sandbox
from localcluster.build import Builder
from localcluster.cluster import Cluster
from localcluster.errors import ClusterError
from localcluster.programs import Tier
from localcluster.progress import console, meter
from localcluster.request import REPOSITORY, Request
from localcluster.state import (
    claim_for_clusters,
    clean,
    is_held,
    is_there,
    opened,
    pid_path,
    try_lock,
)

STOP_SECONDS = 30.0
START_SECONDS = 240.0
POLL_SECONDS = 0.1


def default_state() -> Path:
    """State directory of this checkout: WFE_CLUSTER_STATE, else one in the temporary directory."""
    if chosen := os.environ.get("WFE_CLUSTER_STATE"):
        return Path(chosen).absolute()
    digest = hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()).resolve() / f"wfe-cluster-{os.getuid()}-{digest}"


@contextmanager
def running(
    tier: Tier | str = Tier.API, state: Path | None = None, server_flags: Sequence[str] = ()
) -> Iterator[Cluster]:
    """A cluster of its own for the block, ended with it or with this process.

    `server_flags` are more flags of its API server. Raises ClusterError where it cannot be had.
    """
    own = state or Path(tempfile.mkdtemp(prefix="wfe-cluster-")).resolve()
    process, cluster = _launch(Tier(tier), own, os.getpid(), server_flags)
    try:
        yield cluster
    finally:
        stop(own)
        process.wait()


def start(tier: Tier, state: Path, owner: int | None = None) -> Cluster:
    """Start a cluster in the background, or take the one that runs in `state` already.

    Raises ClusterError where that one is of a smaller tier, or the start fails.
    """
    try:
        return _launch(tier, state, owner)[1]
    except _TakenError:
        return _wait_for(tier, state)


def find(state: Path) -> Cluster | None:
    """The ready cluster in `state`, or None."""
    return record.load(state) if is_held(state) else None


def stop(state: Path) -> bool:
    """End the cluster in `state` and remove every trace; False where there was none at all."""
    if not state.exists():
        return False
    _signal_keeper(state, signal.SIGTERM)
    if not _wait_until_gone(state, STOP_SECONDS):
        _signal_keeper(state, signal.SIGKILL)
        _wait_until_gone(state, STOP_SECONDS)
    if state.exists():
        clean(state)
    return True


class _TakenError(ClusterError):
    """Another cluster holds the state directory."""


def _launch(
    wanted: Tier, state: Path, owner: int | None, server_flags: Sequence[str] = ()
) -> tuple[subprocess.Popen[bytes], Cluster]:
    tier = machine.best_tier(wanted)
    builder = Builder()
    chosen = programs.needed(tier)
    builder.build(chosen)
    paths = {program.name: builder.path_of(program) for program in chosen}
    config = builder.tekton_config()
    order = Request(
        tier,
        state,
        paths,
        config,
        owner=owner,
        isolated=_isolated(tier),
        server_flags=tuple(server_flags),
    )
    with _claim(state) as lock, meter(f"starting the cluster (tier {tier})") as shown:
        order.save()
        order.logs.mkdir()
        news, news_end = os.pipe()
        process = _start_keeper(order, news_end, lock)
        try:
            for step in report.listen(news):
                shown.update(step)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    cluster = record.load(state)
    assert cluster, "a cluster that reports ready has written its record"
    return process, cluster


def _isolated(tier: Tier) -> bool:
    """Whether the cluster gets namespaces of its own: everything but a bare API server should."""
    if tier is Tier.API:
        return False
    if reason := sandbox.why_impossible():
        console.print(f"[yellow]Tekton will listen on all interfaces: {reason}[/]")
    return not reason


def _start_keeper(order: Request, news_end: int, lock: int) -> subprocess.Popen[bytes]:
    descriptors = (news_end, lock)
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    with (order.logs / "localcluster.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcluster.keeper", str(order.state), *map(str, descriptors)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
        )
    os.close(news_end)
    return process


@contextmanager
def _claim(state: Path) -> Iterator[int]:
    """A descriptor that holds the lock on an empty state directory. Raises _TakenError."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if state.stat().st_uid != os.getuid():
        raise ClusterError(f"{state} belongs to somebody else")
    with opened(state) as folder:
        if not try_lock(folder):
            raise _TakenError(f"a cluster runs in {state} already")
        if not is_there(state, folder):
            raise ClusterError(f"the cluster in {state} was just ending", hint="try again")
        claim_for_clusters(state)
        yield folder


def _wait_for(tier: Tier, state: Path) -> Cluster:
    deadline = time.monotonic() + START_SECONDS
    with meter("waiting for the cluster that is starting already"):
        while is_held(state) and time.monotonic() < deadline:
            cluster = record.load(state)
            if cluster and cluster.tier.serves(machine.best_tier(tier)):
                return cluster
            if cluster:
                raise ClusterError(
                    f"a cluster of tier {cluster.tier} runs in {state}, {tier} was asked for",
                    hint="end it first with `down`",
                )
            time.sleep(POLL_SECONDS)
    raise ClusterError(f"the cluster in {state} did not become ready")


def _signal_keeper(state: Path, number: signal.Signals) -> None:
    """Signal the keeper; the lock that it holds proves that the process id is still its own."""
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        if is_held(state):
            os.kill(int(pid_path(state).read_text()), number)


def _wait_until_gone(state: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_held(state):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
