"""Values arrive as they were written, or are not taken: through real Tekton and a real kubelet."""

from __future__ import annotations

import base64
import random
from typing import Any, Final

import pytest

from e2e.watching import END_S, task_runs
from field.situation import workflow
from harness.executions import execution
from harness.world import World
from localcluster import Cluster
from localcluster.bundles import push_bundle
from localcluster.cluster import ApiError, Object

COUNT: Final = 200
# What Tekton, the kubelet, a shell, YAML or JSON may make something of.
PIECES: Final = (
    *("$", "$", "$", "(", ")", "{", "}", "[", "]", "*", "%", "#", "\\", "`", "'", '"', "~", "&"),
    *("params.P_1)", "params['P_1']", 'params["P_1"]', "params.P_1[*])", "tasks.show.results.x)"),
    *("context.taskRun.name)", "TARGET_RESOURCE)", "P_1", "HOSTNAME)", "steps.env.results.x)"),
    *("$(params.P_1)", "$(P_1)", "$$", "${P_1}", "$P_1", "$[params.P_1]", "`hostname`", "--help"),
    *("\n", "\r\n", "\t", " ", "\x01", "\x1b[31m", "é", "\u202e", "\u2028", "💥", "true", "null"),
    *("<b>&amp;</b>", "{{.Values}}", "\\u0024(", "&#36;(", "%24(", "EOF", "- a: b", "\ufeff"),
)
BY_HAND: Final = (
    "",
    " ",
    "(see the runbook)",
    "costs $5",
    "${HOME} and $HOME",
    "x" * 32_768,
    "💥" * 8192,
    "trailing newline\n",
)
REFUSED: Final = (
    "see $(hostname)",
    "$(params.NOPE)",
    "cost $$5",
    "$(tasks.a.results.b)",
    "5 $",
    "\0",
)


def _is_changed(value: str) -> bool:
    """Whether the kubelet or Tekton would change it; written apart from the product's own rule."""
    return any(
        here == "$" and (place + 1 == len(value) or value[place + 1] in "$(")
        for place, here in enumerate(value)
    )


def _generated() -> tuple[list[str], list[str]]:
    """Values that arrive, 200 of them, and those made beside them that would not."""
    chance = random.Random(20)
    good, bad = list(BY_HAND), list(REFUSED)
    while len(good) < COUNT:
        value = "".join(chance.choices(PIECES, k=chance.randint(1, 7)))
        (bad if _is_changed(value) else good).append(value)
    return good, bad


GOOD, BAD = _generated()


def test_200_values_arrive_to_the_letter(
    node_world: World, node_cluster: Cluster, target: str
) -> None:
    registry = node_cluster.registry
    assert registry
    reference = push_bundle(
        registry, "field/values", objects=[_pipeline(f"{registry}/shell:latest")]
    )
    parameters = {f"P_{number}": value for number, value in enumerate(GOOD)}

    item = node_world.create(target, **workflow(reference), parameters=parameters)
    node_world.ended(item, "Completed", END_S)

    for step in ("env", "args", "script"):
        arrived = _printed_by(node_world, item, f"step-{step}")
        assert len(arrived) == COUNT
        wrong = [(want, got) for want, got in zip(GOOD, arrived, strict=True) if want != got]
        assert wrong == [], step


def test_what_would_be_changed_is_refused_with_words(node_world: World, target: str) -> None:
    assert len(BAD) > 50
    for value in BAD:
        item = execution(target, namespace=node_world.source, parameters={"MESSAGE": value})
        with pytest.raises(ApiError) as error:
            node_world.executions.create(item)
        assert error.value.code == 422, value
        said = str(error.value)
        assert "spec.parameters[MESSAGE]" in said
        assert "would change it on its way" in said or "a NUL character" in said
    assert node_world.runs(target) == []


def _printed_by(world: World, item: Object, container: str) -> list[str]:
    (task,) = task_runs(world, world.run_of(item))
    where = f"/api/v1/namespaces/{world.execution_namespace}/pods/{task['status']['podName']}"
    text = world.cluster.request("GET", f"{where}/log?container={container}")
    return [base64.b64decode(line).decode() for line in text.splitlines()]


def _pipeline(image: str) -> dict[str, Any]:
    names = [f"P_{number}" for number in range(COUNT)]
    handed = [{"name": name, "value": f"$(params.{name})"} for name in names]
    encode = "base64 | tr -d '\\n'; echo"
    in_script = [
        # The line end before the delimiter belongs to the script, not to the value.
        f"cat <<'END_OF_{name}' | head -c -1 | {encode}\n$(params.{name})\nEND_OF_{name}\n"
        for name in names
    ]
    steps = [
        {
            "name": "env",
            "image": image,
            "env": handed,
            "script": "#!/bin/sh\ni=0\n"
            f'while [ $i -lt {COUNT} ]; do eval "v=\\$P_$i"; printf %s "$v" | {encode}\n'
            "i=$((i+1)); done\n",
        },
        {
            "name": "args",
            "image": image,
            "command": ["/bin/sh", "-c", f'for v; do printf %s "$v" | {encode}; done', "-"],
            "args": [one["value"] for one in handed],
        },
        {"name": "script", "image": image, "script": "#!/bin/sh\n" + "".join(in_script)},
    ]
    declared = [{"name": name} for name in names]
    task = {
        "name": "show",
        "params": handed,
        "taskSpec": {"params": declared, "steps": steps},
    }
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow"},
        "spec": {"params": [{"name": "TARGET_RESOURCE"}, *declared], "tasks": [task]},
    }
