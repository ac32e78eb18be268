"""WorkflowExecutions of one namespace at the API server: created exactly once, then followed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import urllib3
from kubernetes import client, config, watch

from workflowexecution.orchestrator import Request, is_for_request

GROUP, VERSION, PLURAL = "workflowexecution.kubernaut.ai", "v1alpha1", "workflowexecutions"
RETRY_S = 0.5
Object = Mapping[str, Any]
NO_ANSWER = (urllib3.exceptions.HTTPError, client.ApiException)


class Executions:
    """Executions of a namespace; needs the ClusterRole `workflowexecution-orchestrator` there."""

    def __init__(self, namespace: str) -> None:
        config.load_config()
        self._api: Any = client.CustomObjectsApi()
        self._where = (GROUP, VERSION, namespace, PLURAL)

    def ensure(self, execution: Object, request: Request, deadline: float) -> Object:
        """Create an execution, or find the one that was created before for the same request.

        An error proves nothing: the reply of a successful create may be lost. So after each error,
        the name is looked up.

        Raises: ApiException where it is refused, or taken by another request.
        """
        while True:
            try:
                created: Object = self._api.create_namespaced_custom_object(*self._where, execution)
                return created
            except NO_ANSWER as error:
                found = self._find(execution["metadata"]["name"])
                if found is not None and is_for_request(found, request):
                    return found
                if found is not None or _is_final(error) or time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_S)

    def follow(self, deadline: float) -> Iterator[Object]:
        """Give every execution as it is, and again whenever it changes, until the deadline.

        `deadline` is a reading of the monotonic clock. A watch that breaks is begun again from a
        new list, so that nothing is missed.
        """
        while time.monotonic() < deadline:
            try:
                seen = self._api.list_namespaced_custom_object(*self._where)
                yield from seen["items"]
                yield from self._changes(seen["metadata"]["resourceVersion"], deadline)
            except NO_ANSWER:
                time.sleep(RETRY_S)

    def _changes(self, version: str, deadline: float) -> Iterator[Object]:
        left = max(1, int(deadline - time.monotonic()))
        events = watch.Watch().stream(
            self._api.list_namespaced_custom_object,
            *self._where,
            resource_version=version,
            timeout_seconds=left,
            _request_timeout=left + 5,
        )
        for event in events:
            yield event["object"]

    def _find(self, name: str) -> Object | None:
        try:
            found: Object = self._api.get_namespaced_custom_object(*self._where, name)
        except NO_ANSWER:
            return None
        return found


def _is_final(error: Exception) -> bool:
    """Whether the same create would be answered in the same way again."""
    code = (error.status or 0) if isinstance(error, client.ApiException) else 0
    return 400 <= code < 500 and code not in (409, 429)
