"""Odd values of parameters arrive in a step's environment to the letter."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from e2e.watching import END_S
from field.situation import workflow
from harness.executions import condition_of, unique_target
from harness.world import World
from localcluster import Cluster
from localcluster.bundles import push_bundle

ODD = {
    "NEWLINES": "a\nb\r\nc\n",
    "TAB": "a\tb",
    "SPACES": "  before and after  ",
    "EMPTY": "",
    "DASH": "-n",
    "QUOTES": 'it\'s "so" `x` \\n \\',
    "BRACES": '{"a": [1, 2], "b": {}}',
    "PERCENT": "100% %s %d",
    "HASH": "# not a comment",
    "GLOB": "* ? [a]",
    "YAML": "yes",
    "NUMBER": "0123",
    "UNICODE": "gr\u00fc\u00dfe \u4e16\u754c \U0001f680 e\u0301",
    "LONG": "y" * 32_000,
}
# The last character keeps the shell from dropping newlines at a value's end.
SCRIPT = """#!/bin/sh
for name in NAMES; do
  eval "value=\\${$name}."
  hash=$(printf %s "${value%.}" | sha256sum | cut -c1-8)
  found="${found:+$found }$name=$hash"
done
printf %s "$found" > $(results.found.path)
"""


def pipeline(image: str) -> dict[str, Any]:
    """A pipeline that prints the hash of each parameter as a step sees it."""
    names = [{"name": name} for name in ODD]
    values = [{"name": name, "value": f"$(params.{name})"} for name in ODD]
    step = {
        "name": "work",
        "image": image,
        "env": values,
        "script": SCRIPT.replace("NAMES", " ".join(ODD)),
    }
    spec = {"params": names, "results": [{"name": "found"}], "steps": [step]}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow"},
        "spec": {
            "params": names,
            "results": [{"name": "found", "value": "$(tasks.work.results.found)"}],
            "tasks": [{"name": "work", "params": values, "taskSpec": spec}],
        },
    }


def test_each_arrives_to_the_letter(node_world: World, node_cluster: Cluster) -> None:
    registry = node_cluster.registry
    assert registry
    image = f"{registry}/shell:latest"
    reference = push_bundle(registry, "field/odd-parameter-values", objects=[pipeline(image)])
    item = node_world.create(unique_target(), parameters=ODD, **workflow(reference))
    done = node_world.ended(item, "Completed", END_S)
    said = condition_of(done, "Succeeded")["message"].removeprefix("found: ")
    assert dict(part.split("=") for part in said.split()) == {
        name: sha256(value.encode()).hexdigest()[:8] for name, value in ODD.items()
    }
