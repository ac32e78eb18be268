"""`kubectl wfe` in this process: as quick as it can be, against a real API server."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from harness.world import World
from workflowexecution.plugin.app import COMMANDS, main
from workflowexecution.plugin.requests import split_key

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_CLOCK = re.compile(r"\b\d\d:\d\d:\d\d\b")
_LENGTH = re.compile(r"(?<![\w-])\d+m?(?:[1-5]?\d)?s\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """With which status a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    def masked(self, names: Mapping[str, str]) -> str:
        """Its output, blanks at line ends left out: times masked, names as the test has them."""
        text = self.out
        for real, shown in sorted(names.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(real, shown)
        for pattern, shown in ((_TIME, "TIME"), (_CLOCK, "CLOCK"), (_LENGTH, "LENGTH")):
            text = pattern.sub(shown, text)
        lines = [re.sub(r" {2,}", "  ", line.rstrip()) for line in text.splitlines()]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Scene:
    """One execution that runs, and one on the same target that was skipped for it."""

    world: World
    target: str
    running: str
    skipped: str
    run: str

    @property
    def names(self) -> dict[str, str]:
        """The texts that stand for names that differ each time."""
        return {
            self.target: "TARGET",
            self.running: "running",
            self.skipped: "skipped",
            self.run: "RUN",
            self.world.source: "NAMESPACE",
            self.world.execution_namespace: "RUNS",
        }


def ask(
    world: World,
    *arguments: str,
    kubeconfig: str = "",
    namespace: str = "",
    notes: io.StringIO | None = None,
) -> Answer:
    """Run a command as administrator, for the first source namespace and the world's runs.

    `notes` is where standard error goes, for whoever looks at it meanwhile.
    """
    shared = [
        f"--kubeconfig={kubeconfig or world.cluster.kubeconfig}",
        *_where(world, arguments, namespace),
    ]
    out, err = io.StringIO(), io.StringIO() if notes is None else notes
    status = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([*arguments, *shared])
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Answer(status, out.getvalue(), err.getvalue())


def _where(world: World, arguments: Sequence[str], namespace: str) -> list[str]:
    """The flags that name namespaces, as far as the command takes them."""
    refused = COMMANDS[arguments[0]].refused
    found = []
    if "execution_namespace" not in refused:
        found.append(f"--execution-namespace={world.execution_namespace}")
    names_it = any(split_key(argument)[0] for argument in arguments[1:2])
    if "namespace" not in refused and "-A" not in arguments and not names_it:
        found.append(f"--namespace={namespace or world.source}")
    return found
