"""The image's bill of materials, in CycloneDX's JSON."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as Entry
from cyclonedx.model.component import ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from operator_image.debian import DISTRO
from operator_image.part import Component

NAME = "workflowexecution-operator"
# As in the layers: the same image has the same bill, whenever it was made.
WHEN = datetime.fromtimestamp(0, UTC)


def bill_of(components: Iterable[Component], *, version: str, revision: str) -> str:
    """The bill of one image as JSON text; the same components give the same text."""
    listed = sorted(components)
    bom = Bom(
        components=[_entry(one) for one in listed],
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, f"{revision} {listed}"),
    )
    bom.metadata.timestamp = WHEN
    bom.metadata.component = Entry(
        name=NAME, version=version, type=ComponentType.CONTAINER, bom_ref=NAME
    )
    for entry in bom.components:
        bom.register_dependency(bom.metadata.component, [entry])
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)


def _entry(one: Component) -> Entry:
    purl = PackageURL(
        type=one.kind,
        namespace="debian" if one.kind == "deb" else None,
        name=one.name,
        version=one.version,
        qualifiers={"distro": DISTRO} if one.kind == "deb" else None,
    )
    return Entry(
        name=one.name,
        version=one.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=str(purl),
    )
