"""`make plugin`: write the archives of `kubectl wfe` and krew's manifest into `dist/plugin`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from build_version import version_of_checkout
from localcluster.errors import ClusterError
from localcluster.progress import console
from localcluster.request import REPOSITORY
from operator_image.origin import UNKNOWN, working_tree
from plugin_archive.archive import PLATFORMS, write_archive
from plugin_archive.manifest import NAME, build_manifest

# Where nothing tells: manifests are then good to look at, and to install from files.
NOWHERE = "https://example.invalid/workflowexecution-operator"


def main() -> int:
    """Make them; returns 0 if all are there."""
    parser = argparse.ArgumentParser(prog="plugin_archive", description=__doc__)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "dist/plugin")
    parser.add_argument("--url", help="of the project, where releases are")
    arguments = parser.parse_args()
    origin = working_tree()
    url = arguments.url or (NOWHERE if origin.url == UNKNOWN else origin.url)
    try:
        digests = {
            platform: write_archive(origin.tree, platform, arguments.folder)
            for platform in PLATFORMS
        }
    except ClusterError as error:
        console.print(f"plugin: {error}", style="red", markup=False)
        return 1
    manifest = build_manifest(version_of_checkout(), url, digests)
    (arguments.folder / f"{NAME}.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    console.print(f"archives and manifest: {arguments.folder}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
