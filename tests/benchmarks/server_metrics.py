"""Reads those metrics of the API server that the benchmarks need."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_SERIES = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_REQUESTS = "apiserver_request_total"
_REJECTED = "apiserver_flowcontrol_rejected_requests_total"
_READS = ("GET", "LIST", "WATCH", "CONNECT")


@dataclass(frozen=True, slots=True)
class Sample:
    """One series: its name, its labels, its value."""

    name: str
    labels: dict[str, str]
    value: float


def parse(text: str) -> list[Sample]:
    """Read the text format of Prometheus; comments are left out."""
    matches = (_SERIES.fullmatch(line) for line in text.splitlines() if not line.startswith("#"))
    return [
        Sample(match[1], dict(_LABEL.findall(match[2] or "")), float(match[3]))
        for match in matches
        if match
    ]


def value_of(text: str, name: str, **labels: str) -> float:
    """Sum of all series of this name that carry these labels; 0 where there are none."""
    return sum(
        sample.value
        for sample in parse(text)
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def requests_by_kind(text: str) -> Counter[str]:
    """Requests served so far, by `VERB resource/subresource code`."""
    counted: Counter[str] = Counter()
    for sample in parse(text):
        if sample.name == _REQUESTS:
            labels = sample.labels
            what = "/".join(filter(None, (labels["resource"], labels["subresource"])))
            counted[f"{labels['verb']} {what} {labels['code']}"] += int(sample.value)
    return counted


def writes(counted: Counter[str]) -> int:
    """The number of writes among the requests."""
    return sum(number for kind, number in counted.items() if kind.split()[0] not in _READS)


def rejected(text: str) -> int:
    """Requests that priority and fairness has turned away so far."""
    return int(value_of(text, _REJECTED))
