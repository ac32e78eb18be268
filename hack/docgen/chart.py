"""`manifests/chart/README.md`, made from the chart's values; its copies of other manifests."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docgen.words import cell

MANIFESTS = Path(__file__).parents[2] / "manifests"
CHART = MANIFESTS / "chart"
PAGE = CHART / "README.md"
# By copy in the chart, by original: links that leave a chart are lost where it is fetched from Git.
COPIES = {
    **{
        CHART / "monitoring" / name: MANIFESTS / "components" / "monitoring" / name
        for name in ("alerts.yaml", "dashboard.json", "servicemonitor.yaml")
    },
    **{
        CHART / "definitions" / path.name: path
        for path in sorted(MANIFESTS.glob("crd/workflow*.yaml"))
    },
}
_KEY = re.compile(r"(?P<indent> *)(?P<name>[A-Za-z_./]+):(?: (?P<value>.*))?")
HEAD = """# Helm chart of the workflowexecution-operator

The chart installs the operator that launches remediation workflows on Kubernetes, one run per
target. It needs Kubernetes 1.31 and Tekton Pipelines 1.0, or newer. This page is made from the
chart's values by `make docs`.

The chart of a release names the operator's image of that release:

<!-- needs: Helm, and the chart of a release -->
```sh
helm install workflowexecution workflowexecution-operator-VERSION.tgz \\
  --namespace kubernaut-system --create-namespace
```

The chart in a checkout of the repository names an image that is published nowhere: set
`image.repository` and `image.digest` to your own
([install](https://kubernaut.ai/workflowexecution-operator/source/docs/how-to/install.md)).

An upgrade keeps the values that you set, and takes the others from the new chart:

<!-- run by: tests/integration/test_chart_releases.py -->
```sh
helm upgrade workflowexecution workflowexecution-operator-VERSION.tgz \\
  --namespace kubernaut-system --reset-then-reuse-values
```

If `image.tag` or `image.digest` is set, set it again for the new image, or to nothing for the
chart's own. Do not use `--reuse-values`: it keeps the defaults of the old chart, too.

`helm uninstall` keeps the resource definitions with all executions, and the namespace of the runs.

## As part of another chart

An umbrella chart can switch it on with `condition: workflowexecution-operator.enabled`. It uses
`global.imageRegistry` and `global.imagePullSecrets`.

## Values

| Value | Default | |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its path, such as `image.tag`, its default as YAML, and what is said about it.

    The default is empty for a group of values.
    """

    path: str
    default: str
    about: str


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "\n".join(_row(value) for value in values()) + "\n"


def values() -> Iterator[Value]:
    """All values of the chart, in order; groups only if something is said about them."""
    parents: list[str] = []
    about: list[str] = []
    for line in (CHART / "values.yaml").read_text().splitlines():
        if line.strip().startswith("#"):
            about.append(line.strip().removeprefix("#").strip())
            continue
        if found := _KEY.fullmatch(line):
            parents = [*parents[: len(found["indent"]) // 2], found["name"]]
            if found["value"] or about:
                yield Value(".".join(parents), found["value"] or "", " ".join(about))
        about = []


def _row(value: Value) -> str:
    default = f"`{value.default}`" if value.default else ""
    return f"| `{value.path}` | {default} | {cell(value.about)} |"


def main() -> None:
    """Write the page and the copies."""
    PAGE.write_text(page())
    for copy, original in COPIES.items():
        shutil.copyfile(original, copy)


if __name__ == "__main__":
    main()
