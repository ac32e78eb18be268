"""A real Prometheus that reads an operator's metrics every second, with our rules."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

import monitoring
from harness.waiting import eventually
from localcluster import ports
from localcluster.build import Builder
from localcluster.programs import PROMETHEUS, PROMTOOL
from localcluster.services import dying_with_parent

START_S = 30.0


class Prometheus:
    """Asks a Prometheus on loopback."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The vector that an expression gives now; HTTPError where it cannot be evaluated."""
        query = urllib.parse.urlencode({"query": expression})
        found: list[dict[str, Any]] = self._ask(f"/api/v1/query?{query}")["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules with how their last evaluation went."""
        groups = self._ask("/api/v1/rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(self._url + path, timeout=10) as answer:
            return json.load(answer)["data"]

    def is_up(self) -> None:
        """Raises AssertionError as long as it has not read the operator's metrics."""
        try:
            found = self.query("up")
        except OSError as error:
            raise AssertionError(str(error)) from error
        assert [sample["value"][1] for sample in found] == ["1"], found


def write_rules(folder: Path) -> Path:
    """The shipped rules as a file that Prometheus reads."""
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump(monitoring.groups()))
    return path


@contextmanager
def open_prometheus(folder: Path, metrics_port: int) -> Iterator[Prometheus]:
    """A Prometheus for as long as the block lasts."""
    builder = Builder()
    builder.build([PROMETHEUS])
    (port,) = ports.free(1)
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(write_rules(folder))],
        "scrape_configs": [
            {
                "job_name": "operator",
                "static_configs": [{"targets": [f"127.0.0.1:{metrics_port}"]}],
            }
        ],
    }
    path, log = folder / "prometheus.yaml", folder / "prometheus.log"
    path.write_text(yaml.safe_dump(config))
    command = [
        str(builder.path_of(PROMETHEUS)),
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (
        log.open("wb") as output,
        subprocess.Popen(dying_with_parent(command), stdout=output, stderr=output) as process,
    ):
        try:
            prometheus = Prometheus(port)
            eventually(prometheus.is_up, START_S, dump=lambda: log.read_text()[-2000:])
            yield prometheus
        finally:
            process.kill()


def promtool(*arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
    """Run promtool; the caller looks at its exit status."""
    builder = Builder()
    builder.build([PROMTOOL])
    return subprocess.run(
        [builder.path_of(PROMTOOL), *arguments], input=feed, capture_output=True, text=True
    )
