"""The reasons that Tekton's source declares, by version; `python -m tekton_reasons` reads them.

The table beside this module is what tests of the diagnosis go by. Its newest version is compared
with the source that the local cluster's Tekton is built from: a newer Tekton turns them red.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from localcluster import toolchain
from localcluster.build import default_cache

TABLE: Final = Path(__file__).with_suffix(".json")
MODULE: Final = "github.com/tektoncd/pipeline"
# One of each minor version that the proxy still has.
VERSIONS: Final = tuple(f"v1.{minor}.0" for minor in range(16) if minor != 8)

# Where reasons of conditions are declared: of which kind of object, and in which files.
_PLACES: Final = (
    ("PipelineRun", "pkg/apis/pipeline/v1/pipelinerun*.go"),
    ("PipelineRun", "pkg/reconciler/pipelinerun/**/*.go"),
    ("PipelineRun", "pkg/reconciler/volumeclaim/*.go"),
    ("TaskRun", "pkg/apis/pipeline/v1/taskrun*.go"),
    ("TaskRun", "pkg/reconciler/taskrun/**/*.go"),
    ("TaskRun", "pkg/reconciler/volumeclaim/*.go"),
    ("TaskRun", "pkg/pod/*.go"),
    ("CustomRun", "pkg/apis/pipeline/v1beta1/customrun*.go"),
)
# Steps have reasons of their own, which never stand in a condition.
_CONSTANT: Final = re.compile(
    r'^\s*(?:const )?(?!Termination)\w*Reasons?[A-Z]\w*(?: \w+)?\s*= "([A-Z][A-Za-z]*)"',
    re.MULTILINE,
)

# Version, kind of object, reasons in order.
Table = Mapping[str, Mapping[str, Sequence[str]]]


def known() -> Table:
    """The table as it is checked in."""
    table: Table = json.loads(TABLE.read_text())
    return table


def reasons_in(module: Path) -> dict[str, list[str]]:
    """The reasons that one version's source declares.

    Args:
        module: root of the unpacked Go module.
    """
    found: dict[str, set[str]] = {}
    for kind, pattern in _PLACES:
        for file in module.glob(pattern):
            if not file.name.endswith("_test.go"):
                found.setdefault(kind, set()).update(_CONSTANT.findall(file.read_text()))
    return {kind: sorted(reasons) for kind, reasons in found.items()}


def source_of(version: str) -> Path:
    """Have Go fetch one version. Raises: CalledProcessError where there is none."""
    go = toolchain.find_go(default_cache())
    command = [str(go), "mod", "download", "-json", f"{MODULE}@{version}"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")
    return Path(json.loads(answer.stdout)["Dir"])


def main(versions: Sequence[str]) -> None:
    """Write the table: of each version that differs from the one before, and of the newest."""
    wanted = versions or VERSIONS
    table: dict[str, dict[str, list[str]]] = {}
    for version in wanted:
        found = reasons_in(source_of(version))
        if version == wanted[-1] or found not in list(table.values())[-1:]:
            table[version] = found
    TABLE.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
