"""The whole image: base, requirements, operator and bill of materials, one layer each."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from build_version import image_tag
from localcluster.build import default_cache
from operator_image import debian, python
from operator_image.layout import push_layout, write_layout
from operator_image.origin import Origin
from operator_image.part import write_layer
from operator_image.sbom import NAME, bill_of

BILL = "usr/share/sbom/workflowexecution-operator.cdx.json"
LABEL = "org.opencontainers.image"


def assemble(origin: Origin, folder: Path) -> None:
    """Write the image of this origin as an OCI layout into `folder`, tagged with its version.

    The bill of materials is in the image and, as `sbom.cdx.json`, in the folder.
    Raises ClusterError where a part of it cannot be had.
    """
    cache = default_cache() / "image"
    with TemporaryDirectory() as scratch:
        work = Path(scratch)
        own = python.operator(origin.tree, work / "operator.tar")
        parts = [debian.base(cache), python.requirements(cache, origin.tree), own]
        (operator,) = own.components
        bill = bill_of(
            (one for part in parts for one in part.components),
            version=operator.version,
            revision=origin.revision,
        )
        layers = [*(part.layer for part in parts), _bill_layer(bill, work)]
        write_layout(folder, layers, _run(operator.version, origin), image_tag(operator.version))
    (folder / "sbom.cdx.json").write_text(bill)


def push(origin: Origin, registry: str) -> str:
    """Push the image of this origin to a registry that speaks plain HTTP.

    Returns the reference `host:port/repository:tag@sha256:…`; raises ClusterError.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "image"
        assemble(origin, folder)
        return push_layout(folder, registry, NAME)


def _bill_layer(bill: str, work: Path) -> Path:
    path = work / "bill" / BILL
    path.parent.mkdir(parents=True)
    path.write_text(bill)
    write_layer(work / "bill", work / "bill.tar")
    return work / "bill.tar"


def _run(version: str, origin: Origin) -> dict[str, object]:
    """Entry point and user of the image: a number, because runAsNonRoot cannot check a name."""
    return {
        "User": f"{debian.USER}:{debian.USER}",
        "Entrypoint": ["wfe", "run"],
        "Env": [
            "PATH=/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE=1",
            "PYTHONUNBUFFERED=1",
        ],
        "ExposedPorts": {"8081/tcp": {}, "9090/tcp": {}},
        "Labels": {
            f"{LABEL}.title": NAME,
            f"{LABEL}.licenses": "Apache-2.0",
            f"{LABEL}.source": origin.url,
            f"{LABEL}.revision": origin.revision,
            f"{LABEL}.version": version,
        },
    }
