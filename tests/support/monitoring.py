"""The expressions of the dashboard and the rules that are shipped for Grafana and Prometheus."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from localcluster.request import REPOSITORY

FOLDER = REPOSITORY / "manifests" / "components" / "monitoring"
# What Grafana puts in for its variables.
VARIABLES = {"$__rate_interval": "1m", "$job": ".+"}
NAME = re.compile(r"\b(?:workflowexecution|process)_[a-z_]+\b")


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    return found


def panels() -> list[dict[str, Any]]:
    """All panels that show something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def dashboard_expressions() -> list[str]:
    """Every expression of the dashboard, as Grafana sends it to Prometheus."""
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    for variable, value in VARIABLES.items():
        found = [expression.replace(variable, value) for expression in found]
    return found


def groups() -> dict[str, Any]:
    """The rules as Prometheus itself reads them: what the Prometheus Operator would write."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["spec"]
    return found


def rules() -> list[dict[str, Any]]:
    """All alert rules."""
    return [rule for group in groups()["groups"] for rule in group["rules"]]


def names_in(expression: str) -> set[str]:
    """Names of the series that an expression uses."""
    return set(NAME.findall(expression))
