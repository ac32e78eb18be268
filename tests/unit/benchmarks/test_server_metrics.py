"""The API server's metrics are read by label, and only what is asked for is counted."""

from __future__ import annotations

from collections import Counter

from benchmarks import server_metrics

TEXT = """\
# HELP apiserver_request_total Counter of apiserver requests.
# TYPE apiserver_request_total counter
apiserver_request_total{code="201",component="apiserver",dry_run="",group="tekton.dev",\
resource="pipelineruns",scope="resource",subresource="",verb="POST",version="v1"} 12
apiserver_request_total{code="200",component="apiserver",dry_run="",group="x",\
resource="workflowexecutions",scope="resource",subresource="status",verb="PATCH",version="v1"} 24
apiserver_request_total{code="0",component="apiserver",dry_run="",group="x",\
resource="workflowexecutions",scope="namespace",subresource="",verb="WATCH",version="v1"} 3
apiserver_flowcontrol_rejected_requests_total{flow_schema="a",reason="time-out"} 2
apiserver_flowcontrol_rejected_requests_total{flow_schema="b",reason="queue-full"} 5
process_cpu_seconds_total 12.5 1700000000000
odd{text="with \\"quotes\\", and {brackets}"} 1
"""


def test_requests_are_counted_by_verb_resource_and_code() -> None:
    assert server_metrics.requests_by_kind(TEXT) == Counter(
        {
            "POST pipelineruns 201": 12,
            "PATCH workflowexecutions/status 200": 24,
            "WATCH workflowexecutions 0": 3,
        }
    )


def test_what_was_turned_away_is_summed_over_all_reasons() -> None:
    assert server_metrics.rejected(TEXT) == 7


def test_values_are_chosen_by_label() -> None:
    name = "apiserver_flowcontrol_rejected_requests_total"
    assert server_metrics.value_of(TEXT, name, reason="queue-full") == 5
    assert server_metrics.value_of(TEXT, name, reason="other") == 0


def test_a_series_may_have_no_labels_and_a_time() -> None:
    assert server_metrics.value_of(TEXT, "process_cpu_seconds_total") == 12.5


def test_only_writes_are_counted_as_writes() -> None:
    assert server_metrics.writes(server_metrics.requests_by_kind(TEXT)) == 36
