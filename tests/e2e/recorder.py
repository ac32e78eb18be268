"""Keeps what Tekton wrote of a failed run, one file for each scenario, for the unit tests."""

from __future__ import annotations

import json
import os
from pathlib import Path

from localcluster.cluster import Object

FOLDER = Path(__file__).parents[1] / "recorded"


def record(name: str, run: Object | None, task_runs: list[Object]) -> None:
    """Write one recording, where WFE_RECORD asks for it; what is of no use is left out."""
    if not os.environ.get("WFE_RECORD"):
        return
    FOLDER.mkdir(exist_ok=True)
    content = {
        "pipelineRun": _slim(run) if run else None,
        "taskRuns": [_slim(item) for item in task_runs],
    }
    text = json.dumps(content, indent=1, sort_keys=True)
    (FOLDER / f"{name}.json").write_text(text + "\n")


def _slim(item: Object) -> Object:
    meta = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {"metadata": meta, "spec": item.get("spec", {}), "status": item.get("status", {})}
