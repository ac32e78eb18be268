"""The requests to the API server as metrics, made from their count when Prometheus asks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from workflowexecution.kube.access import NO_ANSWER, RequestTally


@dataclass(frozen=True, slots=True)
class Described:
    """One metric; ``labels`` gives for each label the values it can have."""

    name: str
    kind: str
    text: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def series(self) -> tuple[str, ...]:
        """Names of its series, as expressions use them."""
        return tuple(self.name + part for part in _PARTS.get(self.kind, ("",)))


_TIMED: Final = ("GET", "LIST", "POST", "PATCH", "PUT", "DELETE")
_REQUESTS: Final = Described(
    "workflowexecution_api_requests_total",
    "counter",
    "Requests to the API server, by verb and HTTP status.",
    {"verb": (*_TIMED, "WATCH"), "code": ("an HTTP status", "none where there was no answer")},
)
_DURATION: Final = Described(
    "workflowexecution_api_request_duration_seconds",
    "summary",
    "Time that requests to the API server took, by verb.",
    {"verb": _TIMED},
)
DESCRIBED: Final = (_REQUESTS, _DURATION)


class ApiRequests(Collector):
    """Reports the counters of a tally, which a request increments at almost no cost."""

    def __init__(self, tally: RequestTally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """Yield one family for how requests were answered, and one for how long that took."""
        requests = CounterMetricFamily(
            _REQUESTS.name, _REQUESTS.text, labels=list(_REQUESTS.labels)
        )
        numbers: dict[str, int] = {}
        for (verb, status), number in self._tally.answers.items():
            code = "none" if status == NO_ANSWER else str(status)
            requests.add_metric([verb, code], number)
            numbers[verb] = numbers.get(verb, 0) + number
        yield requests
        duration = SummaryMetricFamily(
            _DURATION.name, _DURATION.text, labels=list(_DURATION.labels)
        )
        for verb, seconds in self._tally.seconds.items():
            duration.add_metric([verb], count_value=numbers[verb], sum_value=seconds)
        yield duration


_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
