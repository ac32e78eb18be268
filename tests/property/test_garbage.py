"""Any content of a run, its TaskRuns and pods makes no pass fail, and each status is valid."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hostile
from builders import RUN_NAMESPACE
from model_operators import Operator
from model_server import Server
from model_store import EXECUTIONS, RUNS, STEP, Raw, clone
from reliability.results import is_long
from reliability.tally import Tally
from workflowexecution.core import names
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN
from workflowexecution.core.facts.taskrun import LABEL_RUN_UID
from workflowexecution.kube import leader_election

# What is made at random is sometimes long, and hypothesis warns that it cannot be shown well.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
TARGET = "Node/worker-1"
RUN = f"{RUN_NAMESPACE}/{names.run_name(TARGET, 1)}"
# With a run number of this target, with one of another, and with none.
NAMES = (names.run_name(TARGET, 1), "wfe-0123456789abcdef-7", "mine")
CRD = Path(__file__).parents[2] / "manifests" / "crd" / "workflowexecutions.yaml"
EXAMPLES = 5000 if is_long() else 150
# A pass over a run that has ended reads it, its TaskRuns and its pods, and writes once.
MOST_REQUESTS = 60
ENDED = {
    "conditions": [{"type": "Succeeded", "status": "False", "reason": "Failed", "message": "it"}],
    "completionTime": "2026-01-02T12:00:30Z",
}
MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not is_long(),
    database=None,
    suppress_health_check=list(HealthCheck),
)
meta = st.fixed_dictionaries({}, optional={"labels": hostile.values, "annotations": hostile.values})


@cache
def status_schema() -> Raw:
    """The schema by which the API server checks a status; unknown fields are refused here."""
    (version,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    closed: Raw = _closed(version["schema"]["openAPIV3Schema"]["properties"]["status"])
    return closed


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(item) for key, item in node.items()}
    return {**closed, "additionalProperties": False} if "properties" in node else closed


class GarbledServer(Server):
    """A server whose TaskRuns and pods are what a test says, and which checks every status."""

    def __init__(self) -> None:
        super().__init__()
        self.garbage: dict[str, list[Any]] = {"tasks": [], "pods": []}
        self.statuses = 0

    def patch_status(self, path: str, version: str, patch: Raw) -> Raw:
        written = super().patch_status(path, version, patch)
        jsonschema.validate(written["status"], status_schema())
        self.statuses += 1
        return written

    def list_task_runs(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        return self.garbage["tasks"] or super().list_task_runs(namespace, run_names)

    def list_pods(self, namespace: str, run_names: Sequence[str]) -> list[Raw]:
        return self.garbage["pods"] or super().list_pods(namespace, run_names)


def labelled(server: Server, raw: Any, given: Raw) -> Raw:
    """An object as a selector by the run's name would find it, with anything else in it."""
    uid = server.get(RUNS, RUN)["metadata"]["uid"]
    own = {LABEL_PIPELINE_RUN: names.run_name(TARGET, 1), LABEL_RUN_UID: uid}
    rest = raw if isinstance(raw, dict) else {"status": raw}
    return {**rest, "metadata": {**given, "name": "t", "namespace": RUN_NAMESPACE, "labels": own}}


def started(server: Server) -> Operator:
    one = Operator(server)
    one.start()
    one.open()
    return one


def work(one: Operator, passes: int) -> int:
    """Tell and answer an operator; returns how many requests that took."""
    asked = 0
    for _ in range(passes):
        one.server.now += STEP
        one.deliver_all()
        for key in one.wake():
            one.start_pass(key)
        while one.pending:
            asked += len(one.pending)
            one.answer_all()
    return asked


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    found, before = Tally("garbage"), request.session.testsfailed
    yield found
    is_whole = found.result.repetitions >= 2 * EXAMPLES
    if is_long() and is_whole and request.session.testsfailed == before:
        found.record()


@MANY
@given(
    written=hostile.tekton(),
    pods=st.lists(hostile.values, max_size=2),
    given=meta,
    is_restarted=st.booleans(),
)
def test_whatever_a_run_looks_like_its_execution_comes_to_an_end(
    tally: Tally,
    written: tuple[Any, Any, list[Any]],
    pods: list[Any],
    given: Raw,
    is_restarted: bool,
) -> None:
    tally.add(executions=1)
    server = GarbledServer()
    one = started(server)
    path = server.create_execution("mine", TARGET, "restart")
    work(one, 4)
    status, spec, tasks = written
    garbled = server.get(RUNS, RUN)
    server.garbage = {
        "tasks": [labelled(server, task, given) for task in tasks],
        "pods": [labelled(server, pod, given) for pod in pods],
    }
    server.put(RUNS, {**clone(garbled), "status": status, "spec": spec})
    if is_restarted:
        one = started(server)
    assert work(one, 8) <= MOST_REQUESTS
    server.garbage = {"tasks": [], "pods": []}
    if RUN in server.objects[RUNS]:
        server.tekton.work.clear()
        garbled["metadata"] = server.get(RUNS, RUN)["metadata"]
        server.put(RUNS, {**garbled, "status": ENDED})
    work(one, 40)

    assert not one.faults, one.faults
    assert server.get(EXECUTIONS, path)["status"]["phase"] in ("Completed", "Failed")
    assert server.statuses >= 2
    assert len(one.store.runs()) + len(one.store.executions()) + len(one.memory) == 0


@MANY
@given(
    hostile.tekton(), meta, st.sampled_from([RUN.split("/")[1], "mine", "wfe-0123456789abcdef-7"])
)
def test_runs_of_others_may_be_anything(
    tally: Tally, written: tuple[Any, Any, list[Any]], given: Raw, name: str
) -> None:
    """They hold a target, or they do not; what is ours is served all the same."""
    tally.add(executions=1)
    server = GarbledServer()
    one = started(server)
    status, spec, _ = written
    fixed = {"name": name, "namespace": RUN_NAMESPACE, "uid": "theirs"}
    about = {**given, **fixed, "creationTimestamp": "2026-01-02T11:00:00Z"}
    server.put(RUNS, {"metadata": about, "spec": spec, "status": status}, "ADDED")
    one.deliver_all()
    one.resync()
    path = server.create_execution("mine", "payment/Deployment/api", "restart")
    assert work(one, 8) <= MOST_REQUESTS
    server.drop(RUNS, server.get(RUNS, f"{RUN_NAMESPACE}/{name}"))
    work(one, 40)

    assert not one.faults, one.faults
    assert server.get(EXECUTIONS, path)["status"]["phase"] == "Running"
    assert len(one.store.runs()) == len(one.store.executions()) == 1


lease_fields = st.fixed_dictionaries(
    {},
    optional={
        "holderIdentity": hostile.values,
        # The API server keeps this one a number of 32 bits.
        "leaseDurationSeconds": st.integers(-(2**31), 2**31 - 1) | st.none(),
        "leaseTransitions": hostile.values,
        "renewTime": hostile.values,
    },
)


@MANY
@given(st.fixed_dictionaries({}, optional={"metadata": hostile.values, "spec": lease_fields}))
def test_a_lease_may_be_anything(raw: Raw) -> None:
    seen = leader_election._parse(raw)
    assert isinstance(seen.holder, str)
    assert isinstance(seen.transitions, int)
