"""`make image`: write the operator's image as an OCI layout, and push it where asked to.

With `--trees`, its layers become folders, of which operator/Dockerfile makes the same image.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.progress import console
from localcluster.request import REPOSITORY
from operator_image.assemble import assemble, write_trees
from operator_image.layout import push_layout
from operator_image.origin import working_tree
from operator_image.sbom import NAME
from operator_image.wheels import LINUX


def main() -> int:
    """Make the image; returns 0 if it is there, and pushed if that was asked for."""
    parser = argparse.ArgumentParser(prog="operator_image", description=__doc__)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "dist/image")
    parser.add_argument("--architecture", choices=LINUX, help="this machine's if not given")
    parser.add_argument("--registry", help="host:port of a registry that speaks plain HTTP")
    parser.add_argument("--trees", type=Path, help="write the layers below this folder instead")
    parser.add_argument("--revision", help="the commit, where git is not there to ask")
    try:
        _make(parser.parse_args())
    except ClusterError as error:
        console.print(f"image: {error}", style="red", markup=False)
        return 1
    return 0


def _make(arguments: argparse.Namespace) -> None:
    origin, architecture = working_tree(), arguments.architecture or ""
    if arguments.revision:
        origin = replace(origin, revision=arguments.revision)
    if arguments.trees:
        write_trees(origin, arguments.trees, architecture)
        return
    assemble(origin, arguments.folder, architecture)
    console.print(f"OCI layout: {arguments.folder}", highlight=False)
    if arguments.registry:
        print(push_layout(arguments.folder, arguments.registry, NAME))


if __name__ == "__main__":
    sys.exit(main())
