"""The whole image: base, requirements, operator and bill of materials, one layer each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from build_version import image_tag
from localcluster.build import default_cache
from localcluster.oci import native_architecture
from operator_image import debian, python
from operator_image.layout import push_layout, write_layout
from operator_image.origin import Origin
from operator_image.part import extract, write_layer
from operator_image.sbom import NAME, bill_of

BILL = "usr/share/sbom/workflowexecution-operator.cdx.json"
LABEL = "org.opencontainers.image"


@dataclass(frozen=True)
class Made:
    """The layers as uncompressed tars by name, lowest first; the version; the bill as JSON."""

    layers: Mapping[str, Path]
    version: str
    bill: str


def assemble(origin: Origin, folder: Path, architecture: str = "") -> None:
    """Write the image of this origin as an OCI layout into `folder`, tagged with its version.

    `architecture` is `amd64` or `arm64`; that of this machine where it is empty. The bill of
    materials is in the image and, as `sbom.cdx.json`, in the folder.
    Raises ClusterError where a part of it cannot be had.
    """
    architecture = architecture or native_architecture()
    with TemporaryDirectory() as scratch:
        made = _make(origin, Path(scratch), architecture)
        run, tag = _run(made.version, origin), image_tag(made.version)
        write_layout(folder, list(made.layers.values()), run, tag, architecture)
    (folder / "sbom.cdx.json").write_text(made.bill)


def write_trees(origin: Origin, folder: Path, architecture: str = "") -> None:
    """Unpack each layer of the image into a folder of its own below `folder`, named after it.

    Raises ClusterError where a part of it cannot be had.
    """
    with TemporaryDirectory() as scratch:
        made = _make(origin, Path(scratch), architecture or native_architecture())
        for name, layer in made.layers.items():
            with layer.open("rb") as stream:
                extract(stream, folder / name)


def push(origin: Origin, registry: str) -> str:
    """Push the image of this origin to a registry that speaks plain HTTP.

    Returns the reference `host:port/repository:tag@sha256:…`; raises ClusterError.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "image"
        assemble(origin, folder)
        return push_layout(folder, registry, NAME)


def _make(origin: Origin, work: Path, architecture: str) -> Made:
    """Make the layers; they are in `work` or in the cache."""
    cache = default_cache() / "image"
    own = python.operator(cache, origin.tree, work / "operator.tar")
    parts = {
        "base": debian.base(cache, architecture),
        "requirements": python.requirements(cache, origin.tree, architecture),
        "operator": own,
    }
    (operator,) = own.components
    bill = bill_of(
        (one for part in parts.values() for one in part.components),
        version=operator.version,
        revision=origin.revision,
    )
    layers = {name: part.layer for name, part in parts.items()}
    return Made({**layers, "bill": _bill_layer(bill, work)}, operator.version, bill)


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
