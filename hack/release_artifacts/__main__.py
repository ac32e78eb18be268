"""`make release-artifacts`: put everything that a release consists of into one folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.progress import console
from localcluster.request import REPOSITORY
from operator_image.sbom import NAME
from release_artifacts.artifacts import make


def main() -> int:
    """Make them; returns 0 if all are there."""
    parser = argparse.ArgumentParser(prog="release_artifacts", description=__doc__)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "dist/release")
    parser.add_argument("--image", default=NAME, help="the operator's image, without tag")
    arguments = parser.parse_args()
    try:
        for line in make(arguments.folder, arguments.image).splitlines():
            console.print(line, highlight=False)
    except ClusterError as error:
        console.print(f"release: {error}", style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
