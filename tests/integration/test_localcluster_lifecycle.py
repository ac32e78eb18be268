"""Clusters end in every way they can end, and leave nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster import Cluster, Tier, cgroups, eventually, lifecycle, machine
from localcluster import state as state_directory

HACK = Path(__file__).parents[2] / "hack"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HACK)}
MODULE = [sys.executable, "-m", "localcluster"]
OWNER = """
import sys, localcluster, pathlib
with localcluster.running(sys.argv[1], pathlib.Path(sys.argv[2])):
    print("ready", flush=True)
    sys.stdin.read()
"""
CAN_RUN_A_NODE = not machine.why_no_node() and not machine.missing_packages()
LARGEST = Tier.NODE if CAN_RUN_A_NODE else Tier.TEKTON
Process = tuple[int, str]


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state directory that does not exist yet; whatever runs in it is ended afterwards."""
    path = tmp_path_factory.mktemp("cluster") / "state"
    yield path
    lifecycle.stop(path)


@pytest.mark.skipif(not CAN_RUN_A_NODE, reason="the machine cannot run a node")
def test_down_leaves_nothing_of_a_node_with_a_running_pod(state: Path) -> None:
    cluster = up(state, Tier.NODE)
    run_a_pod(cluster)
    processes = descendants(state)
    assert any("containerd-shim" in command_of(pid) for pid, _ in processes)
    assert groups_of(state)
    down(state)
    assert_nothing_left(state, processes)


def test_death_of_the_owner_ends_the_cluster(state: Path) -> None:
    owner = start_owner(state, Tier.API)
    processes = descendants(state)
    owner.kill()
    owner.communicate()
    assert len(processes) >= 4
    eventually(lambda: not state.exists(), 20, "the end of the cluster")
    assert_nothing_left(state, processes)


@pytest.mark.parametrize("tier", [Tier.API, LARGEST])
def test_death_of_the_keeper_ends_every_process_and_the_next_up_cleans(
    state: Path, tier: Tier
) -> None:
    up(state, tier)
    processes = descendants(state)
    os.kill(int(state_directory.pid_path(state).read_text()), signal.SIGKILL)
    eventually(lambda: not living(processes), 20, "the end of all processes")
    cluster = up(state, Tier.API)
    assert cluster.request("GET", "/readyz") == "ok"
    down(state)
    assert_nothing_left(state, processes)


def test_interrupt_while_starting_leaves_nothing(state: Path) -> None:
    starting = subprocess.Popen(
        [*MODULE, "up", "--state", state],
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell runs in the background ignores it, and so does whatever that starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with starting:
        eventually((state / "logs/kube-apiserver.log").exists, 30, "the start of the API server")
        # Held meanwhile: looking may take longer than the rest of the start.
        starting.send_signal(signal.SIGSTOP)
        processes = descendants(state)
        starting.send_signal(signal.SIGINT)
        starting.send_signal(signal.SIGCONT)
        _, printed = starting.communicate(timeout=30)
    assert starting.returncode == 130
    assert "nothing was left running" in printed
    assert_nothing_left(state, processes)


def test_death_of_up_while_starting_leaves_nothing(state: Path) -> None:
    with subprocess.Popen([*MODULE, "up", "--state", state], env=ENVIRONMENT) as starting:
        eventually((state / "logs/kube-apiserver.log").exists, 30, "the start of the API server")
        processes = descendants(state)
        starting.kill()
    eventually(lambda: not state.exists(), 60, "the end of the cluster")
    assert_nothing_left(state, processes)


def test_two_starts_at_once_give_one_cluster(state: Path) -> None:
    command = [*MODULE, "up", "--state", str(state)]
    both = [
        subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = {process.communicate(timeout=60)[0] for process in both}
    assert printed == {f"{state / 'kubeconfig'}\n"}
    names = [Path(command_of(pid).split("\0")[0]).name for pid, _ in descendants(state)]
    assert names.count("kube-apiserver") == 1


def test_smaller_cluster_is_not_taken_for_a_larger_one(state: Path) -> None:
    up(state, Tier.API)
    done = run("up", "--tier", "tekton", "--state", state)
    assert done.returncode == 1
    assert "tier api runs" in done.stderr.replace("\n", " ")


def test_directory_that_holds_anything_else_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    for command in ("up", "down"):
        done = run(command, "--state", tmp_path)
        assert (done.returncode, "not the state directory" in done.stderr) == (1, True)
    assert (tmp_path / "precious").exists()


def test_status_and_logs_tell_of_the_cluster(state: Path) -> None:
    assert "no cluster is running" in run("status", "--state", state).stderr
    cluster = up(state, Tier.API)
    assert cluster.server in run("status", "--state", state).stderr
    assert run("kubeconfig", "--state", state).stdout == f"{cluster.kubeconfig}\n"
    assert "serving" in run("logs", "kube-apiserver", "--state", state).stdout.lower()
    unknown = run("logs", "nobody", "--state", state)
    assert (unknown.returncode, "kube-apiserver" in unknown.stderr) == (1, True)


def up(state: Path, tier: Tier) -> Cluster:
    """Start a cluster by the command line."""
    done = run("up", "--tier", tier, "--state", state)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{state / 'kubeconfig'}\n"
    cluster = lifecycle.find(state)
    assert cluster
    return cluster


def down(state: Path) -> None:
    """End a cluster by the command line."""
    assert run("down", "--state", state).returncode == 0


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one command of the package."""
    command = [*MODULE, *map(str, arguments)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)


def start_owner(state: Path, tier: Tier) -> subprocess.Popen[str]:
    """A process that owns a ready cluster."""
    command = [sys.executable, "-c", OWNER, tier, str(state)]
    pipe = subprocess.PIPE
    owner = subprocess.Popen(command, env=ENVIRONMENT, stdin=pipe, stdout=pipe, text=True)
    assert owner.stdout
    assert owner.stdout.readline() == "ready\n"
    return owner


def run_a_pod(cluster: Cluster) -> None:
    """Create a pod in namespace `default` and wait until its container runs."""
    image = f"{cluster.registry}/shell:latest"
    container = {"name": "only", "image": image, "command": ["sleep", "600"]}
    pods = "/api/v1/namespaces/default/pods"
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "sleeper"},
        "spec": {"containers": [container]},
    }
    cluster.request("POST", pods, body)
    path = f"{pods}/sleeper"
    eventually(lambda: cluster.request("GET", path)["status"]["phase"] == "Running", 60, "the pod")


def assert_nothing_left(state: Path, processes: set[Process]) -> None:
    """No process, no control group, no mount, no state."""
    eventually(lambda: not living(processes), 10, "the end of all processes")
    assert groups_of(state) == []
    assert str(state) not in Path("/proc/self/mountinfo").read_text()
    assert not state.exists()


def descendants(state: Path) -> set[Process]:
    """The keeper in `state` and everything below it, each as process id and start time."""
    parents = {pid: stat_of(pid)[1] for pid in process_ids()}
    found = {int(state_directory.pid_path(state).read_text())}
    while more := {pid for pid, parent in parents.items() if int(parent) in found} - found:
        found |= more
    return {(pid, stat_of(pid)[19]) for pid in found}


def living(processes: set[Process]) -> set[Process]:
    """Those of the processes that have not ended (a zombie has)."""
    return {one for one in processes if stat_of(one[0])[19] == one[1] and stat_of(one[0])[0] != "Z"}


def process_ids() -> list[int]:
    """Every process of this machine."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def stat_of(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on: state, parent, …; empty texts if it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["0"] * 50


def command_of(pid: int) -> str:
    """A process's command line, arguments separated by NUL."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def groups_of(state: Path) -> list[Path]:
    """Control groups that carry the cluster's name."""
    return list(Path("/sys/fs/cgroup").rglob(cgroups.name_for(state)))
