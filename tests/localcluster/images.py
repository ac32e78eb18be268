"""The images of a cluster: Tekton's own, a shell, kubectl, and the pause of every pod."""

from __future__ import annotations

from collections.abc import Mapping

from localcluster.cluster import Cluster
from localcluster.programs import IMAGES_OF_TEKTON, Tier

NEVER_PULLED = "localcluster.invalid/none:latest"


def push_all(cluster: Cluster) -> Mapping[str, str]:
    """Push every image that the cluster's tier can run.

    Returns Tekton's image flags, such as `entrypoint-image`, with the reference for each.
    """
    flags = [f"{name}-image" for name in (*IMAGES_OF_TEKTON, "shell")] + ["shell-image-win"]
    if cluster.tier is not Tier.NODE:
        return dict.fromkeys(flags, NEVER_PULLED)
    raise NotImplementedError
