"""Runs the steps of a bundle on this machine, with a kubectl that gives prepared answers.

For tests of bundles: no cluster and no container is needed, only a POSIX shell. Requests are
recorded; nothing is changed.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from workflowexecution.api.inputs import RESERVED_PARAMETER
from workflowexecution.bundles.folder import Object, read_bundle

_TIMEOUT_S: Final = 60.0
_PARAMETER: Final = re.compile(r"\$\(params\.([A-Z0-9_]+)\)")
# Where it is installed: the small shell that images have.
_SHELL: Final = ("busybox", "sh") if shutil.which("busybox") else ("sh",)


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a step.

    results: of the task, by name, as the step left them.
    requests: the arguments of each kubectl command that it sent.
    output: standard output and standard error.
    """

    code: int
    results: Mapping[str, str]
    requests: tuple[str, ...]
    output: str


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """One run of a bundle: its steps share a home folder, as in a pod.

    folder: of the bundle.
    home: an empty folder.
    target: the value of TARGET_RESOURCE.
    parameters: others than the defaults, by name.
    answers: the output of kubectl, by a part of its arguments; the first that fits counts.
    refusals: the same for errors: the text that kubectl writes before it fails.
    """

    folder: Path
    home: Path
    target: str
    parameters: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    def run(self, step: str) -> Ended:
        """Run one step. Raises: KeyError where the bundle has no such step or parameter."""
        task, container = self._found(step)
        script, requests, results = (self.home / f".{name}" for name in ("step", "sent", "results"))
        script.write_text(container["script"])
        requests.write_text("")
        results.mkdir(exist_ok=True)
        done = subprocess.run(  # noqa: S603
            [*_SHELL, str(script)],
            env={**self._environment(task, container), "RESULTS": str(results)},
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        found = {path.name: path.read_text() for path in sorted(results.iterdir())}
        sent = tuple(requests.read_text().splitlines())
        return Ended(done.returncode, found, sent, done.stdout)

    def _found(self, name: str) -> tuple[Object, Object]:
        spec = (read_bundle(self.folder).pipeline or {}).get("spec") or {}
        for task in [*(spec.get("tasks") or []), *(spec.get("finally") or [])]:
            inline = task.get("taskSpec") or {}
            for step in inline.get("steps") or []:
                if step.get("name") == name:
                    return inline, step
        raise KeyError(f"{self.folder} has no step {name!r}")

    def _environment(self, task: Object, step: Object) -> dict[str, str]:
        """The variables that the step has in a pod, with a home and a kubectl of this test."""
        declared = [*((task.get("stepTemplate") or {}).get("env") or []), *(step.get("env") or [])]
        values = self._values()
        given = {
            item["name"]: _PARAMETER.sub(lambda found: values[found[1]], str(item.get("value", "")))
            for item in declared
        }
        programs = self._kubectl().parent
        return {
            **given,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
        }

    def _values(self) -> dict[str, str]:
        described = (read_bundle(self.folder).parameters or {}).get("properties") or {}
        defaults = {name: str(spec.get("default", "")) for name, spec in described.items()}
        unknown = self.parameters.keys() - defaults.keys()
        if unknown:
            raise KeyError(f"{self.folder} has no parameter {', '.join(sorted(unknown))}")
        return {**defaults, **self.parameters, RESERVED_PARAMETER: self.target}

    def _kubectl(self) -> Path:
        """A program that records its arguments, and answers or fails as prepared."""
        program = self.home / ".bin" / "kubectl"
        program.parent.mkdir(exist_ok=True)
        cases = [
            f"  *{shlex.quote(part)}*) printf '%s\\n' {shlex.quote(text)} >&2; exit 1 ;;"
            for part, text in self.refusals.items()
        ]
        cases += [
            f"  *{shlex.quote(part)}*) printf '%s' {shlex.quote(text)} ;;"
            for part, text in self.answers.items()
        ]
        sent = shlex.quote(str(self.home / ".sent"))
        record = f"{{ printf '%s' \"$*\" | tr '\\n' ' '; echo; }} >> {sent}"
        lines = ["#!/bin/sh", record, 'case "$*" in', *cases, "  *) ;;", "esac", ""]
        program.write_text("\n".join(lines))
        program.chmod(0o755)
        return program
