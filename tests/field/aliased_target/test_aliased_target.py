"""A workflow changes the object that is locked: a target that could become another is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from harness.definitions import without_rules
from harness.executions import execution, name_of, unique
from harness.holds import build_hold, holds_of
from harness.world import World
from localcluster.cluster import ApiError, Object
from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.names import run_name
from workflowexecution.core.pipelinerun import RunTemplate, build_run

ALIASES = (
    "payment/Deployment/$(params.APP)",
    "payment/Deployment/web-$(params.SECONDS)",
    "$(params.APP)/Deployment/api",
    "payment/$(params.APP)/api",
    "Node/w-$(context.task.retry-count)",
    "payment/Deployment/web$(params.EMPTY)",
    "payment/Deployment/$$api",
    "payment/Deployment/${APP}",
    "payment/Deployment/`hostname`",
    "payment/Deployment/api*",
    "payment/Deployment/../Secret/api",
    "payment/Pod/--all",
    "payment/Deployment/api\u200b",
)
SAID = "must be namespace/kind/name, or kind/name"


@pytest.mark.parametrize("alias", ALIASES)
def test_neither_an_execution_nor_a_hold_can_name_it(world: World, alias: str) -> None:
    parameters = {"APP": "api", "SECONDS": "60"}
    with pytest.raises(ApiError, match=SAID) as error:
        world.create(alias, parameters=parameters)
    assert error.value.code == 422
    with pytest.raises(ApiError, match=SAID):
        holds_of(world).create(build_hold(world, targetResource=alias))


def test_the_second_of_two_on_one_object_is_refused_while_the_first_works(world: World) -> None:
    app = unique("app")
    _, run = world.launched(f"payment/Deployment/{app}")
    with pytest.raises(ApiError, match=SAID):
        world.create("payment/Deployment/$(params.APP)", parameters={"APP": app})
    assert [name_of(one) for one in world.runs(f"payment/Deployment/{app}")] == [name_of(run)]


def test_what_was_stored_before_ends_without_a_run(world: World, target: str) -> None:
    """As after an upgrade: it was taken by an earlier definition, and is served by this one."""
    alias = "payment/Deployment/$(params.APP)"
    world.operator.stop()
    with without_rules(
        world.cluster,
        "workflowexecutions",
        "targetResource",
        "parameters",
        "executionConfig.timeout",
        probe=execution(alias, namespace=world.source),
    ):
        waiting = world.create(alias, parameters={"APP": "api"})
        text = world.create(target, parameters={"MESSAGE": "see $(hostname)"})
        long = world.create(f"{target}-long", executionConfig={"timeout": "87600h"})
        at_work = world.create(alias, parameters={"APP": "api"})
        run = _run_of_an_earlier_operator(world, at_work)
    world.operator.start()

    for item, said in (
        (waiting, f"spec.targetResource: '{alias}' is not a target"),
        (text, "spec.parameters: the value of MESSAGE: Tekton or the kubelet would change it"),
        (long, "spec.executionConfig.timeout: '87600h' must be a duration"),
    ):
        status = world.ended(item, "Failed")["status"]
        assert status["failureReason"] == "ConfigurationError"
        assert said in status["failureDetails"]["message"]
        assert status["failureDetails"]["wasExecutionFailure"] is False
        assert world.runs_of(item) == []

    world.in_phase(at_work, "Running")
    world.tekton.begin(run)
    world.tekton.succeed(run)
    world.ended(at_work, "Completed")
    world.executions.patch(at_work, {"metadata": {"labels": {"a": "b"}}})
    world.completed(target)


def test_a_run_by_hand_on_such_a_target_disturbs_nobody(world: World, target: str) -> None:
    by_hand = world.tekton.runs.create(
        {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {"name": unique("by-hand"), "namespace": world.execution_namespace},
            "spec": {
                "pipelineRef": {"name": "mine"},
                "params": [{"name": "TARGET_RESOURCE", "value": "a/Deployment/$(params.APP)"}],
            },
        }
    )
    world.completed(target)
    assert world.run_now(by_hand)


def _run_of_an_earlier_operator(world: World, item: Object) -> Object:
    """The run that an operator made which took any target."""
    loose = WorkflowExecutionSpec.model_validate({**item["spec"], "targetResource": "a/B/c"})
    template = RunTemplate(
        namespace=world.execution_namespace,
        allowed_service_accounts=frozenset(),
        security_context={},
        finally_timeout=timedelta(minutes=10),
    )
    seen = parse_execution(item)
    return world.tekton.runs.create(build_run(seen, loose, run_name(seen.target, 1), template))
