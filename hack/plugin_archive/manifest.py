"""The manifest by which krew finds, checks and installs the archives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from build_version import semantic
from plugin_archive.archive import PROGRAM, Platform

NAME = "wfe"
DESCRIPTION = """\
Tells what WorkflowExecutions run on which targets, why one was skipped or failed and when the same
may run again; follows and cancels them, reads their logs, and finds out what is missing in a
cluster. Its commands work with the rights of whoever runs them and say which right is missing.
"""
CAVEATS = """\
It needs Python 3.11 to 3.14 on the PATH. For completion, link kubectl_complete-wfe, which is beside
the plugin, into a folder on the PATH:
  ln -s "${KREW_ROOT:-$HOME/.krew}"/store/wfe/*/kubectl_complete-wfe /usr/local/bin/
"""


def build_manifest(version: str, url: str, digests: Mapping[Platform, str]) -> dict[str, Any]:
    """Build the manifest.

    Args:
        version: without the `v` before it.
        url: of the project.
        digests: SHA-256 of each platform's archive, in hexadecimal.
    """
    release = f"{url}/releases/download/v{version}"
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": NAME},
        "spec": {
            "version": f"v{semantic(version)}",
            "homepage": url,
            "shortDescription": "Look at, ask about and stop remediation workflows",
            "description": DESCRIPTION,
            "caveats": CAVEATS,
            "platforms": [
                {
                    "selector": {"matchLabels": {"os": platform.os, "arch": platform.arch}},
                    "uri": f"{release}/{platform.archive}",
                    "sha256": digest,
                    "bin": PROGRAM,
                }
                for platform, digest in digests.items()
            ],
        },
    }
