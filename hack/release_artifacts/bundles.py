"""A remediation bundle as an OCI layout in a tar: what a registry would hold, in one file."""

from __future__ import annotations

from pathlib import Path

from localcluster.oci import File, as_json, write_tar
from operator_image.layout import INDEX, TAG
from workflowexecution.bundles.folder import read_bundle
from workflowexecution.bundles.packing import pack


def write_bundle(bundle: Path, folder: Path) -> None:
    """Write `bundle-NAME.tar`, with the digest that `wfe bundle push` gives the same sources."""
    image = pack(read_bundle(bundle).objects)
    entry = image.manifest.descriptor() | {"annotations": {TAG: bundle.name}}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    files = {
        "/index.json": File(as_json(index)),
        "/oci-layout": File(as_json({"imageLayoutVersion": "1.0.0"})),
    }
    for blob in (*image.layers, image.config, image.manifest):
        files[f"/blobs/sha256/{blob.digest.removeprefix('sha256:')}"] = File(blob.content)
    with (folder / f"bundle-{bundle.name}.tar").open("wb") as stream:
        write_tar(stream, files, {}, {})
