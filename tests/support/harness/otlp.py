"""The spans that arrive at a receiver of traces, decoded from OTLP's protobuf."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from harness.receiver import Receiver


def spans_at(receiver: Receiver) -> Iterator[tuple[str, Span]]:
    """Every span that has come, with the name of the service that sent it."""
    for headers, body in receiver.taken:
        assert headers["Content-Type"] == "application/x-protobuf"
        plain = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        for resource in ExportTraceServiceRequest.FromString(plain).resource_spans:
            told = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                yield from ((told["service.name"], span) for span in scope.spans)
