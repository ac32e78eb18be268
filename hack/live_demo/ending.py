"""The end of the demo: commands to look at the result, and commands to try next."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from rich.console import Console

from live_demo.ground import Ground
from live_demo.stage import NAMESPACE
from live_demo.tools import DemoError

LOOKS: Final = (
    "kubectl wfe list -n {namespace}",
    "kubectl wfe why restart-too-soon -n {namespace}",
    "kubectl wfe describe repair -n {namespace}",
)
# What it is for, and the command, as it is pasted.
NEXT: Final = (
    ("use the cluster in this shell", 'eval "$(make -s cluster-env)"'),
    ("see all executions", "kubectl wfe list -n {namespace}"),
    ("ask why one was skipped", "kubectl wfe why restart-again -n {namespace}"),
    (
        "ask for another run, and be told why not",
        "kubectl wfe can-run --target {namespace}/Deployment/payment-api "
        "--workflow restart-workload || true",
    ),
    (
        "run a workflow on a target that is free",
        "kubectl wfe submit --wait -n {namespace} --name look --workflow inspect-workload "
        "--version 1.0.0 --image {image} --target {namespace}/Deployment/cart",
    ),
    ("see the story of one", "kubectl wfe describe look -n {namespace}"),
    ("see it as the API server has it", "kubectl describe wfe look -n {namespace}"),
    ("end the cluster", "make cluster-down"),
)


def look(ground: Ground, console: Console) -> None:
    """Run the commands that people would use, and show their output. Raises DemoError."""
    for command in LOOKS:
        text = command.format(namespace=NAMESPACE)
        console.print(f"\n$ {text}", style="bold")
        _run(ground, text)


def commands(ground: Ground) -> Iterator[tuple[str, str]]:
    """Commands to try next, each with its purpose."""
    # By its tag: shorter to read, and nothing but this story writes to the registry.
    image, _, _ = ground.bundles["inspect-workload"].partition("@")
    for purpose, command in NEXT:
        yield purpose, command.format(namespace=NAMESPACE, image=image)


def tell_next(ground: Ground, console: Console) -> None:
    """Print what to try next; each line without `#` is a command."""
    console.print("\nThe cluster is still there. Paste these, from this folder:\n", style="bold")
    for purpose, command in commands(ground):
        console.print(f"# {purpose}", style="dim")
        console.print(command, markup=False, highlight=False, soft_wrap=True)
    if not ground.operator:
        console.print(
            "\nNo operator is running any more: start one in another terminal with "
            "`.venv/bin/wfe run --log-format text`.",
            style="yellow",
        )


def _run(ground: Ground, command: str) -> None:
    """Run a command of the plugin; its answer has the width of this terminal. Raises DemoError."""
    arguments = shlex.split(command)[2:]
    sys.stdout.flush()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "workflowexecution.plugin"),
            *(*arguments, "--kubeconfig", str(ground.kubeconfig)),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise DemoError(f"{command}: {done.stderr.strip()}")
