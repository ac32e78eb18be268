"""The images of a cluster: Tekton's own, a shell, the toolbox, and the pause of every pod."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.cluster import Cluster
from localcluster.machine import BUSYBOX
from localcluster.oci import File, push_image
from localcluster.programs import IMAGES_OF_TEKTON, Tier

NEVER_PULLED = "localcluster.invalid/none:latest"
# Not root: a pod that must not run as root takes the user from its image.
USER = "65532:65532"
PASSWD = b"root:x:0:0:root:/:/bin/sh\nnonroot:x:65532:65532:nonroot:/tmp:/bin/sh\n"


@dataclass(frozen=True)
class Image:
    """One image to push: programs by their path in it, links, and what it runs."""

    repository: str
    programs: Mapping[str, Path]
    entrypoint: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)


def push_all(cluster: Cluster) -> Mapping[str, str]:
    """Push every image that the cluster's tier can run.

    Returns Tekton's image flags, such as `entrypoint-image`, with the reference for each.
    Raises ClusterError if the registry refuses one.
    """
    flags = {f"{name}-image": name for name in (*IMAGES_OF_TEKTON, "shell")}
    if cluster.tier is not Tier.NODE:
        return dict.fromkeys([*flags, "shell-image-win"], NEVER_PULLED)
    wanted = _all(cluster)
    with ThreadPoolExecutor() as pool:
        pushed = list(pool.map(lambda image: _push(cluster, image), wanted))
    references = dict(zip((image.repository for image in wanted), pushed, strict=True))
    return {
        **{flag: references[repository] for flag, repository in flags.items()},
        "shell-image-win": NEVER_PULLED,
    }


def _all(cluster: Cluster) -> list[Image]:
    busybox = {"/bin/busybox": BUSYBOX}
    applets = {f"/bin/{name}": "busybox" for name in _applets() if name != "busybox"}
    toolbox = {**busybox, "/bin/kubectl": cluster.kubectl}
    return [
        *(_of_tekton(name, cluster.programs[name]) for name in IMAGES_OF_TEKTON),
        Image("pause", busybox, ["/bin/busybox", "tail", "-f", "/dev/null"]),
        Image("shell", busybox, links=applets),
        Image("toolbox", toolbox, links=applets),
    ]


def _of_tekton(name: str, program: Path) -> Image:
    return Image(name, {f"/ko-app/{name}": program}, [f"/ko-app/{name}"])


def _push(cluster: Cluster, image: Image) -> str:
    assert cluster.registry
    files = {path: File(program, 0o755) for path, program in image.programs.items()}
    return push_image(
        cluster.registry,
        image.repository,
        files={**files, "/etc/passwd": File(PASSWD)},
        links=image.links,
        directories={"/tmp": 0o1777},
        entrypoint=image.entrypoint,
        env={"PATH": "/bin:/ko-app"},
        user=USER,
    )


def _applets() -> list[str]:
    done = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True)
    return done.stdout.split()
