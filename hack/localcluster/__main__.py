"""Command line of the local cluster: start and end it, look into it, push bundles to it."""

from __future__ import annotations

import argparse
import shlex
import sys
import urllib.error
import urllib.request
from pathlib import Path

from rich.markup import escape

from localcluster import lifecycle, machine, programs
from localcluster.build import Builder
from localcluster.bundles import push_folder
from localcluster.cluster import Cluster
from localcluster.errors import ClusterError
from localcluster.programs import Tier
from localcluster.progress import console
from localcluster.state import is_held

ASKABLE = [Tier.API, Tier.TEKTON, Tier.NODE]


def main() -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args()
    try:
        COMMANDS[options.command](options)
    except ClusterError as error:
        console.print(f"[bold red]{escape(error.message)}[/]")
        for part in (error.detail, error.hint):
            if part:
                console.print(part, markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; nothing was left running")
        return 130
    return 0


def up(options: argparse.Namespace) -> None:
    """Start a cluster; the kubeconfig's path is the only line on standard output."""
    cluster = lifecycle.start(options.tier, options.state, options.owner)
    _describe(cluster)
    print(cluster.kubeconfig)


def down(options: argparse.Namespace) -> None:
    """End the cluster."""
    was_there = lifecycle.stop(options.state)
    console.print("the cluster has ended" if was_there else "no cluster was running")


def status(options: argparse.Namespace) -> None:
    """Tell what runs."""
    _describe(_found(options.state))


def kubeconfig(options: argparse.Namespace) -> None:
    """Print the kubeconfig's path."""
    print(_found(options.state).kubeconfig)


def environment(options: argparse.Namespace) -> None:
    """Print what a shell needs to use the cluster: eval "$(make -s cluster-env)"."""
    cluster = _found(options.state)
    folders = [str(cluster.kubectl.parent), str(Path(sys.executable).parent)]
    print(f"export KUBECONFIG={shlex.quote(str(cluster.kubeconfig))}")
    print(f"export PATH={shlex.quote(':'.join(folders))}:$PATH")
    if cluster.registry:
        print(f"export REGISTRY={cluster.registry}")
        # Only tier node has images for steps.
        if digest := digest_of(cluster.registry, "toolbox"):
            print(f"export TOOLBOX={cluster.registry}/toolbox@{digest}")


def digest_of(registry: str, image: str) -> str:
    """The digest of an image in the cluster's own registry; empty where there is none."""
    url = f"http://{registry}/v2/{image}/manifests/latest"
    asked = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return str(answer.headers["Docker-Content-Digest"])
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return ""


def logs(options: argparse.Namespace) -> None:
    """Print the log of one program."""
    folder = options.state / "logs"
    path = folder / f"{options.name}.log"
    if not path.exists():
        names = " ".join(sorted(log.stem for log in folder.glob("*.log")))
        raise ClusterError(f"no log named {options.name}", hint=f"there are: {names or 'none'}")
    with path.open(errors="replace") as log:
        sys.stdout.writelines(log)


def build(options: argparse.Namespace) -> None:
    """Build the programs of a tier, as far as the machine can run it, into the cache."""
    builder = Builder()
    builder.build(programs.needed(machine.tier_to_test(options.tier)))
    builder.tekton_config()


def install_packages(options: argparse.Namespace) -> None:
    """Install the Debian packages that tier node needs, and those of single tests."""
    machine.install_packages(with_tests=options.with_tests)


def push(options: argparse.Namespace) -> None:
    """Push a folder of Tekton objects as a bundle and print its reference."""
    cluster = _found(options.state)
    if not cluster.registry:
        raise ClusterError(f"a cluster of tier {cluster.tier} has no registry")
    folder = options.folder
    print(push_folder(cluster.registry, f"workflows/{folder.resolve().name}", folder))


COMMANDS = {
    "up": up,
    "down": down,
    "status": status,
    "kubeconfig": kubeconfig,
    "env": environment,
    "logs": logs,
    "build": build,
    "push-bundle": push,
    "install-packages": install_packages,
}


def _found(state: Path) -> Cluster:
    cluster = lifecycle.find(state)
    if cluster is None:
        starting = is_held(state)
        raise ClusterError("a cluster is still starting" if starting else "no cluster is running")
    return cluster


def _describe(cluster: Cluster) -> None:
    lines = {
        "tier": cluster.tier,
        "server": cluster.server,
        "registry": cluster.registry or "none",
        "kubeconfig": cluster.kubeconfig,
        "logs": cluster.logs,
    }
    for name, value in lines.items():
        console.print(f"{name:>10}  {value}", markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="localcluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__)
        if name not in ("build", "install-packages"):
            command.add_argument("--state", type=Path, default=lifecycle.default_state())
        if name in ("up", "build"):
            command.add_argument("--tier", type=Tier, choices=ASKABLE, default=Tier.API)
        if name == "up":
            command.add_argument("--owner", type=int, help="process whose end ends the cluster")
        if name == "install-packages":
            command.add_argument("--with-tests", action="store_true")
        if name == "logs":
            command.add_argument("name")
        if name == "push-bundle":
            command.add_argument("folder", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
