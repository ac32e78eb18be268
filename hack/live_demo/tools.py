"""Small means of the demo: kubectl, the operator's process, an error shown in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster.ports import free

REPOSITORY = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0


class DemoError(RuntimeError):
    """The story cannot go on; the message says why and what to do."""


def kubectl(program: Path, kubeconfig: Path, *arguments: str) -> str:
    """Run kubectl and return what it printed. Raises DemoError with its complaint."""
    done = subprocess.run(
        [str(program), "--kubeconfig", str(kubeconfig), *arguments],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DemoError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def operator(kubeconfig: Path, log: Path) -> Iterator[None]:
    """The operator, run as a user would, ready when the block begins and ended with it."""
    probes = free(1)[0]
    command = [
        *(sys.executable, "-m", "workflowexecution", "run"),
        *("--bind-address", "127.0.0.1", "--probes-port", str(probes), "--metrics-port", "0"),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stdout=output,
            stderr=output,
        )
        try:
            _wait_until_ready(f"http://127.0.0.1:{probes}/readyz", process, log)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    problem = "it does not answer"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2)
        except urllib.error.HTTPError as error:
            problem = error.read().decode()
        except OSError as error:
            problem = str(error)
        else:
            return
        time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise DemoError(f"the operator did not become ready: {problem}\n{tail}")
