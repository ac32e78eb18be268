"""The operator as a process: how it starts, what it says of itself, how it ends."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness import faults
from harness.exchange import Exchange
from harness.executions import name_of
from harness.faults import Act, Fault, Matches
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster

METRICS = (
    'workflowexecution_total{outcome="Completed"}',
    'workflowexecution_total{outcome="Failed"}',
    'workflowexecution_total{outcome="Skipped"}',
    "workflowexecution_pipelinerun_creation_total",
    'workflowexecution_skip_total{reason="ResourceBusy"}',
    'workflowexecution_skip_total{reason="RecentlyRemediated"}',
    "workflowexecution_lock_violations_total",
)


@pytest.fixture
def unstarted(bare_cluster: Cluster) -> Iterator[World]:
    """A world whose operator a test starts itself."""
    with open_world(bare_cluster, started=False) as opened:
        yield opened


def test_it_works_through_tls_as_well(world: World, target: str) -> None:
    world.operator.stop()
    direct = world.new_operator(world.cluster.server)
    direct.start()
    world.completed(target)
    direct.stop()
    direct.assert_clean_log()
    world.operator.start()


def test_metrics_count_what_has_ended(unstarted: World, target: str) -> None:
    world = unstarted
    world.operator.start()
    assert [world.operator.metric(series) for series in METRICS] == [0.0] * len(METRICS)
    world.completed(target)
    world.ended(world.create(target), "Skipped")
    _, run = world.launched(target, workflow="other")
    world.ended(world.create(target), "Skipped")
    assert world.operator.metric("workflowexecution_active") == 1
    world.tekton.fail(run)

    def counted() -> None:
        assert [world.operator.metric(series) for series in METRICS] == [1, 1, 2, 2, 1, 1, 0]
        assert world.operator.metric("workflowexecution_active") == 0

    eventually(counted, 10)
    seconds = 'workflowexecution_duration_seconds_count{outcome="Completed"}'
    assert world.operator.metric(seconds) == 1
    _, text = world.operator.ask("/metrics")
    assert target not in text


def test_metrics_tell_what_is_remembered(unstarted: World, target: str) -> None:
    world = unstarted
    world.operator.start()
    kinds = ("execution", "run", "target", "pass", "timer")
    series = [f'workflowexecution_remembered{{kind="{kind}"}}' for kind in kinds]
    assert [world.operator.metric(one) for one in series] == [0.0] * len(series)
    assert world.operator.metric("workflowexecution_tasks") >= 1
    item, run = world.launched(target)
    assert [world.operator.metric(one) for one in series[:4]] == [1, 1, 1, 2]
    world.tekton.begin(run)
    world.tekton.succeed(run)
    world.ended(item, "Completed")

    def forgotten() -> None:
        # The target is still cooling down.
        assert [world.operator.metric(one) for one in series] == [0, 0, 1, 0, 0]

    eventually(forgotten, 10)


def test_many_namespaces_may_be_watched(unstarted: World, target: str) -> None:
    """Each watch holds a connection, and requests still have some."""
    world = unstarted
    others = [f"other-{number}" for number in range(40)]
    namespaces = ",".join([*world.sources, *others])
    operator = world.new_operator(world.proxy.url, f"--watch-namespaces={namespaces}")
    operator.start()
    world.completed(target)
    operator.stop()


def test_probes_tell_that_all_is_well(world: World) -> None:
    assert world.operator.ask("/healthz") == (200, "ok")
    assert world.operator.ask("/readyz") == (200, "ok")


def test_every_line_about_an_execution_says_which(world: World, target: str) -> None:
    item, run = world.completed(target)
    uid = item["metadata"]["uid"]
    lines = [line for line in world.operator.log_lines() if line.get("execution_uid") == uid]

    assert {line["event"] for line in lines} >= {"PipelineRun created", "phase changed"}
    for line in lines:
        assert line["execution"] == f"{world.source}/{name_of(item)}"
        assert line["target"] == target
        assert line["request"] == f"{world.source}/request-1"
        assert line["run"] == name_of(run)
        assert line["level"] == "info"
        assert line["timestamp"].endswith("Z")


def start_into(world: World, matches: Matches, act: Act, said: str) -> None:
    """Start the operator where some answers keep it from being ready, until it says so."""
    world.proxy.inject(Fault(matches=matches, when="before", act=act, times=10**6))
    world.operator.start(wait=False)

    def told() -> None:
        status, text = world.operator.ask("/readyz")
        assert status == 503
        assert said in text

    eventually(told, 20, dump=world.operator.log_tail)


def is_of_tekton(exchange: Exchange) -> bool:
    return exchange.group == "tekton.dev"


def test_without_tekton_it_says_so_and_waits(unstarted: World, target: str) -> None:
    world, said = unstarted, "Tekton Pipelines are not installed"
    start_into(world, is_of_tekton, faults.answer(404, "NotFound"), said)
    assert world.operator.ask("/healthz") == (200, "ok")
    assert said in world.operator.log_text()
    item = world.create(target)
    world.proxy.faults.clear()
    world.in_phase(item, "Running")
    assert world.operator.ask("/readyz") == (200, "ok")


@pytest.mark.parametrize(
    ("plural", "kind"), [("workflowclaims", "WorkflowClaim"), ("workflowholds", "WorkflowHold")]
)
def test_a_definition_that_an_upgrade_has_left_out_is_named(
    unstarted: World, plural: str, kind: str
) -> None:
    """Helm upgrades no definitions, and adds none."""
    said = f"the CRDs of {kind} are not installed"
    missing = faults.answer(404, "NotFound")
    start_into(unstarted, lambda exchange: exchange.resource == plural, missing, said)
    unstarted.proxy.faults.clear()
    unstarted.operator.until_ready()
    unstarted.operator.stop()


def test_what_is_too_old_is_told_until_it_is_upgraded(unstarted: World) -> None:
    world = unstarted
    start_into(
        world,
        lambda exchange: exchange.name == "pipelines-info",
        faults.page(200, '{"data": {"version": "v0.62.1"}}'),
        "Tekton Pipelines v0.62.1 is too old; upgrade it to 1.0 or newer",
    )
    world.proxy.faults.clear()
    world.operator.until_ready()
    world.operator.stop()


def test_without_rights_it_says_what_to_apply(unstarted: World) -> None:
    forbidden = faults.answer(403, "Forbidden")
    start_into(
        unstarted,
        is_of_tekton,
        forbidden,
        "lacks a right; apply its release again",
    )
    unstarted.operator.stop()


def test_told_to_stop_it_finishes_the_write_under_way(world: World, target: str) -> None:
    """The run has been made when SIGTERM comes; what is known of it is still written."""

    async def stop_now(_: object) -> None:
        world.operator.terminate()

    made = Fault(matches=faults.kind("create pipelineruns"), when="after", act=stop_now)
    world.proxy.inject(made)
    item = world.create(target)
    assert world.operator.wait() == 0
    world.proxy.faults.clear()

    assert world.read(item)["status"]["phase"] == "Running"
    assert len(world.runs(target)) == 1
    world.operator.start()


def test_told_to_stop_while_it_waits_for_an_answer_it_does_so_in_time(
    world: World, target: str
) -> None:
    silence = Fault(
        matches=faults.kind("create pipelineruns"), when="before", act=faults.hang(2), times=99
    )
    world.proxy.inject(silence)
    item = world.create(target)

    def struck() -> None:
        assert silence.struck > 0

    eventually(struck)
    world.operator.stop()
    world.proxy.faults.clear()
    world.operator.start()
    world.in_phase(item, "Running")
    assert len(world.runs(target)) == 1


def test_an_outage_is_waited_out(world: World, target: str) -> None:
    """Nothing is answered for a while, watches included; then work goes on where it was."""
    item, run = world.launched(target)
    outage = Fault(
        matches=lambda _: True,
        when="before",
        act=faults.answer(503, "ServiceUnavailable"),
        times=10**6,
    )
    world.proxy.inject(outage)
    waiting = world.create(target, workflow="other")
    world.tekton.begin(run)
    world.tekton.succeed(run)

    def felt() -> None:
        assert outage.struck >= 3

    eventually(felt, 30, dump=world.operator.log_tail)
    world.proxy.faults.clear()
    world.ended(item, "Completed", 30)

    def decided() -> str:
        phase = str(world.read(waiting).get("status", {}).get("phase"))
        assert phase in ("Running", "Skipped")
        return phase

    eventually(decided, 30, dump=world.dump)
    assert world.operator.ask("/healthz") == (200, "ok")


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--cooldown=soon", "cooldown='soon': 'soon' is not a duration"),
        ("--cooldown=-5m", "cooldown='-5m'"),
        ("--leftover-grace=0s", "leftover_grace='0s': must be longer than zero"),
        ("--execution-namespace=Not_A_Name", "'Not_A_Name' is not a namespace"),
        ("--watch-namespaces=good,Bad", "'Bad' is not a namespace"),
        ("--probes-port=70000", "probes_port='70000'"),
        ("--concurrency=0", "concurrency='0'"),
        ("--log-format=xml", "log_format='xml'"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(flag: str, said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "workflowexecution", "run", flag],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_without_a_kubeconfig_it_says_which_to_set(world: World) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "workflowexecution", "run"],
        env={"KUBECONFIG": "/nonexistent/kubeconfig", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "set KUBECONFIG to one" in ended.stderr
    assert "Traceback" not in ended.stderr
