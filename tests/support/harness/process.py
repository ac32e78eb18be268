"""The operator as users run it: a process of its own, with a log, probes and an exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.waiting import eventually

START_S = 90.0
STOP_S = 30.0
NEVER = ("event not understood",)
ALARM = "two runs on one target"


class OperatorProcess:
    """One operator; can be killed and started again, its log is kept throughout.

    `prefix` is a command that runs the operator, with `environment` beside what it needs;
    `program` is another operator than that of this checkout.
    """

    def __init__(
        self,
        kubeconfig: Path,
        log: Path,
        flags: list[str],
        *,
        program: Sequence[str] = (sys.executable, "-m", "workflowexecution"),
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.kubeconfig = kubeconfig
        self._log = log
        self._command = [*prefix, *program, "run"]
        self._flags = [
            "--bind-address=127.0.0.1",
            "--probes-port=0",
            "--metrics-port=0",
            *flags,
        ]
        outside = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("WFE_", "KUBERNETES_"))
        }
        self._environment = {**outside, "KUBECONFIG": str(kubeconfig), **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._began_at = 0

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it says that it is ready."""
        self._began_at = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *self._flags],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if wait:
            self.until_ready()

    def until_ready(self) -> None:
        """Wait until it says that it is ready; before that, it may not even know how to stop."""
        eventually(self._assert_ready, START_S, dump=self.log_tail)

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def was_killed(self) -> bool:
        """Whether it has ended without being asked, by a signal."""
        return self._process is not None and self._process.poll() == -signal.SIGKILL

    @property
    def pid(self) -> int:
        """Number of the process; it must have been started."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it without warning, as a lost node would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Tell it to stop, and do not wait."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop it as kubelet does: it ends well, and in time."""
        self.terminate()
        assert self.wait() == 0, self.log_tail()

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        assert self._process is not None
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise AssertionError(f"it did not stop:\n{self.log_tail()}") from error

    def log_text(self) -> str:
        """All it has written, by all its lives."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def log_lines(self) -> list[dict[str, Any]]:
        """All log lines; each must be JSON."""
        return [json.loads(line) for line in self.log_text().splitlines()]

    def log_tail(self) -> str:
        """The end of its log, for messages."""
        return "operator's log:\n" + "\n".join(self.log_text().splitlines()[-25:])

    def assert_clean_log(self, *, trouble: bool = False, alarm: bool = False) -> None:
        """Nothing went wrong that was not foreseen; in trouble, errors may be told of.

        With `alarm`, two runs were put on one target, and that must have been told.
        """
        text = self.log_text()
        found = [word for word in NEVER + (() if trouble else ("Traceback",)) if word in text]
        assert not found, f"{found} in the {self.log_tail()}"
        assert (ALARM in text) == alarm, self.log_tail()
        if trouble or alarm:
            return
        errors = [line for line in self.log_lines() if line["level"] in ("error", "critical")]
        assert not errors, errors

    def ask(self, path: str) -> tuple[int, str]:
        """Ask a probe or the metrics; status 0 where nothing listens."""
        port = self._port("metrics_port" if path == "/metrics" else "probes_port")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    @property
    def metrics_port(self) -> int:
        """The port at which this process serves its metrics."""
        return self._port("metrics_port")

    @property
    def page_url(self) -> str:
        """The address of this process's status page, without a slash at its end."""
        return f"http://127.0.0.1:{self._port('page_port')}"

    def metric(self, series: str) -> float:
        """Value of one series, e.g. `name{label="value"}`."""
        _, text = self.ask("/metrics")
        values = [line.split(" ")[1] for line in text.splitlines() if line.startswith(f"{series} ")]
        assert values, f"{series} is not in:\n{text}"
        return float(values[0])

    def _assert_ready(self) -> None:
        if not self.is_running:
            raise RuntimeError(f"it ended while it started:\n{self.log_tail()}")
        status, text = self.ask("/readyz")
        assert status == 200, text

    def _port(self, name: str) -> int:
        """A port as this life's first line tells it; 0 before that."""
        for line in self.log_text()[self._began_at :].splitlines():
            if f'"{name}"' in line:
                return int(json.loads(line)[name])
        return 0
