"""kubelet, played: the operator is restarted when it ends, or says that it is not alive."""

from __future__ import annotations

import threading
from pathlib import Path

import yaml

from harness.process import OperatorProcess

MANIFEST = Path(__file__).parents[3] / "manifests" / "operator" / "deployment.yaml"
# What ends is started again at once, and after ever longer pauses where it ends again.
BACKOFF_S, LONGEST_S = 10.0, 300.0


class Kubelet:
    """Watches over one operator, with the liveness probe of its manifest, until closed.

    `restarts` counts how often it had to be started anew, `reasons` says why; what a test killed
    is started again and not counted. A patient one does not pause before it starts anew what ends
    often.
    """

    def __init__(self, operator: OperatorProcess, *, is_patient: bool = False) -> None:
        self.reasons: list[str] = []
        self._longest_s = 0.0 if is_patient else LONGEST_S
        self._operator = operator
        probe = _liveness_probe()
        self._period_s = float(probe["periodSeconds"])
        self._threshold = int(probe["failureThreshold"])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubelet", daemon=True)
        self._thread.start()

    @property
    def restarts(self) -> int:
        """The number of restarts of the operator."""
        return len(self.reasons)

    def close(self) -> None:
        """Leave the operator to itself."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        failures, backoff = 0, 0.0
        while not self._stop.wait(self._period_s if self._operator.is_running else 0.1):
            if not self._operator.is_running:
                self._restart("" if self._operator.was_killed else "it ended", backoff)
                failures, backoff = 0, min(max(BACKOFF_S, backoff * 2), self._longest_s)
                continue
            status, said = self._operator.ask("/healthz")
            failures = failures + 1 if status != 200 else 0
            if failures >= self._threshold:
                self._operator.kill()
                self._restart(said, 0)
                failures = 0

    def _restart(self, why: str, backoff: float) -> None:
        if self._stop.wait(backoff):
            return
        self._operator.start(wait=False)
        if why:
            self.reasons.append(why)


def _liveness_probe() -> dict[str, int]:
    for item in yaml.safe_load_all(MANIFEST.read_text()):
        if item["kind"] == "Deployment":
            container = item["spec"]["template"]["spec"]["containers"][0]
            return dict(container["livenessProbe"])
    raise LookupError(f"no Deployment in {MANIFEST}")
