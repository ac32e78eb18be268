"""kubectl, as people use it."""

from __future__ import annotations

import re
import subprocess

from localcluster.cluster import Cluster


def kubectl(
    cluster: Cluster, *arguments: str, feed: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run kubectl as administrator; the caller looks at its exit status."""
    command = [str(cluster.kubectl), f"--kubeconfig={cluster.kubeconfig}", *arguments]
    return subprocess.run(
        command, input=feed, capture_output=True, text=True, timeout=60, check=False
    )


def row_of(cluster: Cluster, namespace: str, what: str, *arguments: str) -> dict[str, str]:
    """The one row that `kubectl get` prints, by column; columns are two blanks apart."""
    printed = kubectl(cluster, "get", what, f"--namespace={namespace}", *arguments)
    assert printed.returncode == 0, printed.stderr
    header, row = printed.stdout.splitlines()
    starts = [match.start() for match in re.finditer(r"\S+(?: \S+)*", header)]
    ends = [*starts[1:], None]
    return {
        header[start:end].strip(): row[start:end].strip()
        for start, end in zip(starts, ends, strict=True)
    }
