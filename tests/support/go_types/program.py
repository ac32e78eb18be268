"""`main.go`, built and run: Go's own word on what it can read."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localcluster import toolchain
from localcluster.build import default_cache
from localcluster.cluster import Cluster

SOURCE = Path(__file__).parent


def build(folder: Path) -> Path:
    """Build the program into a folder, with the Go on PATH or the one the local cluster uses."""
    on_path = shutil.which("go")
    go = Path(on_path) if on_path else toolchain.find_go(default_cache())
    program = folder / "go-types"
    subprocess.run(
        [go, "build", "-o", program, "."],
        cwd=SOURCE,
        env=toolchain.environment(),
        check=True,
        timeout=300,
    )
    return program


def reread(program: Path, statuses: Sequence[Any]) -> list[dict[str, Any]]:
    """Each status as Go reads it and writes it again, or `{"error": …}`."""
    feed = "".join(json.dumps(status) + "\n" for status in statuses)
    done = subprocess.run(
        [program], input=feed, capture_output=True, text=True, check=True, timeout=60
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def orchestrate(
    program: Path, cluster: Cluster, namespace: str, name: str, target: str
) -> dict[str, dict[str, Any]]:
    """The answers of the API server to a typed client of Go, by step."""
    done = subprocess.run(
        [program, cluster.server, namespace, name, target],
        env={"CA": str(cluster.ca), "TOKEN": cluster.token},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {answer.pop("step"): answer for answer in answers}
