"""The oldest Kubernetes and Tekton that the operator works with."""

import re
from typing import Final

# Since then lists can select executions by their fields, as the definition says.
KUBERNETES: Final = (1, 31)
# The first release with the API that runs are made in as a stable one.
TEKTON: Final = (1, 0)
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\b")


def problem_of(kubernetes: str, tekton: str) -> str:
    """Say what is too old and what to do; empty where nothing is known to be.

    Args:
        kubernetes: as `/version` tells it, e.g. `v1.36.3`.
        tekton: as Tekton's own ConfigMap tells it, e.g. `v1.15.0`; anything else, as of a build of
            one's own, counts as new enough.
    """
    return _problem("Kubernetes", kubernetes, KUBERNETES) or _problem(
        "Tekton Pipelines", tekton, TEKTON
    )


def _problem(name: str, version: str, minimum: tuple[int, int]) -> str:
    found = _VERSION.match(version)
    if found is None or (int(found[1]), int(found[2])) >= minimum:
        return ""
    least = ".".join(map(str, minimum))
    return f"{name} {version} is too old; upgrade it to {least} or newer, this is tried again"
