"""The shipped Dockerfile, built by buildah: without a daemon, without a registry, as root.

Its base image, which it takes as a build argument, is what debootstrap makes of this machine's
mirror. Both need only what Debian has.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from debian_packages.archive import mirrors, sources
from localcluster import machine
from localcluster.build import default_cache
from localcluster.request import REPOSITORY
from operator_image.origin import Origin

# That of the base that the Dockerfile names.
RELEASE = "bookworm"
TAG = "described"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# What a machine may need to reach its registries is for the base, not for the image.
PLACE = "/etc/certificates-of-the-machine.crt"
FOR_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
FOR_NETWORK = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "http_proxy", "https_proxy", "no_proxy")
POLICY = {"default": [{"type": "insecureAcceptAnything"}]}


def why_not() -> str:
    """The reason that it cannot be built here; empty where it can."""
    if reason := machine.why_no_node():
        return reason
    lacking = [name for name in machine.missing_test_packages() if name != "libfaketime"]
    return f"packages missing: {' '.join(lacking)}" if lacking else ""


@dataclass(frozen=True)
class Buildah:
    """buildah with a store of its own below `folder`."""

    folder: Path

    def __call__(self, *arguments: str) -> str:
        policy = self.folder / "policy.json"
        policy.write_text(json.dumps(POLICY))
        places = (f"--root={self.folder}/root", f"--runroot={self.folder}/run")
        verb, *rest = arguments
        if verb in ("build", "pull", "push", "commit", "from"):
            rest = [f"--signature-policy={policy}", *rest]
        return run("buildah", *places, "--storage-driver=vfs", verb, *rest)


def build(origin: Origin, version: str, folder: Path) -> Path:
    """Build the image below `folder`; returns its OCI layout."""
    buildah = Buildah(folder)
    # buildah makes a name of the path, and some paths make none: that of a cache has a dot.
    named_base = shutil.copytree(_base(buildah), folder / "base")
    base = buildah("pull", "--quiet", f"oci:{named_base}").strip()
    named = {
        "DEBIAN": base,
        "VERSION": version,
        "REVISION": origin.revision,
        "SOURCE": origin.url,
    }
    given = [f"--build-arg={name}={value}" for name, value in named.items()]
    # What was downloaded for this checkout; each file is checked by its hash all the same.
    kept = [f"--volume={path}:/root/.cache/{path.name}" for path in _caches()]
    how = ("--isolation=chroot", "--layers=false", "--pull-never", "--quiet")
    file = f"--file={REPOSITORY}/operator/Dockerfile"
    buildah("build", *how, file, f"--tag={TAG}", *given, *kept, str(REPOSITORY))
    layout = folder / "layout"
    buildah("push", "--quiet", TAG, f"oci:{layout}:{TAG}")
    shutil.rmtree(folder / "root")
    return layout


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def _caches() -> list[Path]:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [path for path in (home / "pip", home / "uv") if path.is_dir()]


def _base(buildah: Buildah) -> Path:
    """The base image as an OCI layout in the cache: a minimal Debian, and the way to its mirror."""
    variables = {name: PLACE for name in FOR_CERTIFICATES}
    variables |= {name: os.environ[name] for name in FOR_NETWORK if name in os.environ}
    key = hashlib.sha256((sources(RELEASE) + repr(variables)).encode()).hexdigest()[:12]
    layout = default_cache() / "image" / f"minbase-{RELEASE}-{key}"
    if layout.exists():
        return layout
    container = buildah("from", "scratch").strip()
    tree = Path(buildah("mount", container).strip())
    place = next(place for place, suite in mirrors(RELEASE) if suite == RELEASE)
    run("debootstrap", "--variant=minbase", RELEASE, str(tree), place)
    (tree / "etc/apt/sources.list").write_text(sources(RELEASE))
    for path in Path("/etc/apt/apt.conf.d").iterdir():
        if "Acquire" in path.read_text():
            shutil.copy(path, tree / "etc/apt/apt.conf.d" / path.name)
    shutil.copyfile(CERTIFICATES, tree / PLACE.lstrip("/"))
    shutil.rmtree(tree / "var/cache/apt")
    given = [f"--env={name}={value}" for name, value in variables.items()]
    buildah("config", *given, container)
    made = layout.with_name(f".{layout.name}-{os.getpid()}")
    layout.parent.mkdir(parents=True, exist_ok=True)
    buildah("commit", "--quiet", "--rm", container, f"oci:{made}")
    if layout.exists():
        shutil.rmtree(made)
    else:
        made.rename(layout)
    return layout
