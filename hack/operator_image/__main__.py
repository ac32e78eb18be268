"""`make image`: write the operator's image as an OCI layout, and push it where asked to."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.progress import console
from localcluster.request import REPOSITORY
from operator_image.assemble import assemble
from operator_image.layout import push_layout
from operator_image.origin import working_tree
from operator_image.sbom import NAME


def main() -> int:
    """Make the image; returns 0 if it is there, and pushed if that was asked for."""
    parser = argparse.ArgumentParser(prog="operator_image", description=__doc__)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "dist/image")
    parser.add_argument("--registry", help="host:port of a registry that speaks plain HTTP")
    arguments = parser.parse_args()
    try:
        assemble(working_tree(), arguments.folder)
        console.print(f"OCI layout: {arguments.folder}", highlight=False)
        if arguments.registry:
            print(push_layout(arguments.folder, arguments.registry, NAME))
    except ClusterError as error:
        console.print(f"image: {error}", style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
