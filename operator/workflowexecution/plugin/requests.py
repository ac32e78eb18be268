"""Requests that several commands make: executions, their runs, and holds."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from workflowexecution.api import identity, reading
from workflowexecution.api.status import Phase
from workflowexecution.client.cluster import Raw
from workflowexecution.client.kube_cluster import KubeCluster
from workflowexecution.client.paths import execution_paths, holds_path
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, parse_hold
from workflowexecution.core.facts.leftovers import is_of_run
from workflowexecution.core.facts.run import Run, RunKey
from workflowexecution.kube import errors
from workflowexecution.plugin.session import Session
from workflowexecution.views.executions import Wanted
from workflowexecution.views.wording import missing_right

# What `-o name` prints before the slash.
_KIND: Final = f"{identity.SINGULAR}.{identity.GROUP}"
_WHO: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def cluster_of(session: Session, namespaces: Sequence[str] = ()) -> KubeCluster:
    """The requests that the operator makes, made by whoever runs the command.

    Executions are listed in ``namespaces``; in all, where none is named.
    """
    return KubeCluster(
        session.client,
        execution_namespace=session.execution_namespace,
        watch_namespaces=tuple(namespaces),
    )


async def all_executions(session: Session, wanted: Wanted) -> list[Raw]:
    """Every execution of the namespaces that are meant, at least those that are wanted."""
    return [item async for item in executions_in(session, session.namespaces, wanted)]


def executions_in(
    session: Session, namespaces: Sequence[str], wanted: Wanted
) -> AsyncIterator[Raw]:
    """The same of any namespaces; of all, where none is named."""
    query = {"fieldSelector": selector} if (selector := selector_of(wanted)) else {}
    (path,) = execution_paths(namespaces)
    return session.client.list_pages(path, query)


def selector_of(wanted: Wanted) -> str:
    """As much of what is wanted as the API server can select; empty where it can select nothing."""
    others = [phase for phase in Phase if wanted.phases and phase not in wanted.phases]
    terms = [
        f"spec.targetResource={escaped(wanted.target)}" if wanted.target else "",
        f"spec.workflowRef.workflowId={escaped(wanted.workflow_id)}" if wanted.workflow_id else "",
        *(f"status.phase!={phase}" for phase in others),
    ]
    return ",".join(filter(None, terms))


def escaped(value: str) -> str:
    """A value as it is written in a field selector."""
    return "".join(f"\\{char}" if char in "\\,=" else char for char in value)


def run_key(session: Session, execution: Execution) -> RunKey:
    """Namespace and name of an execution's run; the name is empty where it has none."""
    return execution.run_namespace or session.execution_namespace, execution.run_name or ""


async def read_run(session: Session, execution: Execution) -> tuple[Run | None, list[Raw]]:
    """An execution's run and its TaskRuns; None where it has none.

    Raises: NotFoundError where the run is gone or is another one's; other ApiErrors.
    """
    namespace, name = run_key(session, execution)
    if not name:
        return None, []
    where = f"PipelineRun {namespace}/{name}"
    try:
        run = parse_run(await cluster_of(session).get_run(namespace, name))
    except errors.NotFoundError as error:
        raise errors.NotFoundError(f"{where} is gone, and its tasks with it") from error
    if run is None or run.owner is None or run.owner.uid != execution.uid:
        raise errors.NotFoundError(f"{where} is not this execution's any more")
    found = await cluster_of(session).list_task_runs(namespace, [name])
    return run, [item for item in found if is_of_run(item, run.uid)]


def name_of_kind(name: str) -> str:
    """An execution's name as `kubectl` and `-o name` write it."""
    return f"{_KIND}/{name}"


def split_key(text: str) -> tuple[str, str]:
    """Namespace and name in `NAMESPACE/NAME`; the namespace is empty where none is named."""
    namespace, _, name = text.rpartition("/")
    return ("" if namespace == _KIND else namespace), name


async def read_execution(session: Session, text: str) -> Raw:
    """Read the execution that is meant; with -A in whatever namespace it is.

    Args:
        session: of the command.
        text: `NAME`, `NAMESPACE/NAME`, or what `-o name` prints.
    Raises: NotFoundError, ValueError where several bear the name, or another ApiError.
    """
    namespace, name = split_key(text)
    if session.all_namespaces and not namespace:
        return await _read_anywhere(session, name)
    where = namespace or session.namespace
    try:
        return await cluster_of(session).get_execution(where, name)
    except errors.NotFoundError as error:
        if is_kind_unknown(error):
            raise
        hint = "" if namespace else "; -A looks in all namespaces"
        raise _no_such(name, f"in namespace {where}{hint}") from error


async def _read_anywhere(session: Session, name: str) -> Raw:
    (path,) = execution_paths(())
    query = {"fieldSelector": f"metadata.name={escaped(name)}"}
    found = [item async for item in session.client.list_pages(path, query)]
    if not found:
        raise _no_such(name, "in any namespace")
    if len(found) > 1:
        namespaces = sorted(reading.text(item["metadata"], "namespace") for item in found)
        keys = ", ".join(f"{namespace}/{name}" for namespace in namespaces)
        raise ValueError(f"{name!r} is in several namespaces; name one of {keys}")
    return found[0]


def _no_such(name: str, where: str) -> errors.NotFoundError:
    return errors.NotFoundError(f"there is no WorkflowExecution {name!r} {where}", status=404)


def is_kind_unknown(error: errors.ApiError) -> bool:
    """Whether the API server knows no such kind of object, rather than no such object."""
    return isinstance(error, errors.NotFoundError) and "page not found" in str(error)


async def who_asks(session: Session) -> str:
    """The name by which the cluster knows whoever runs the command."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = await session.client.request("POST", _WHO, body=body)
    user = reading.mapping(reading.mapping(answer, "status"), "userInfo")
    return reading.text(user, "username")


async def list_holds(session: Session) -> list[Raw]:
    """Every hold of launches into the execution namespace."""
    return [raw async for raw in cluster_of(session).list_holds()]


async def read_holds(session: Session, unread: list[str]) -> tuple[Hold, ...]:
    """Every hold; where the right to read them is missing, that is added to ``unread``."""
    try:
        return tuple(parse_hold(raw) for raw in await list_holds(session))
    except errors.MissingRightError as error:
        unread.append(missing_right(str(error)))
        return ()


async def create_hold(session: Session, name: str, spec: dict[str, Any]) -> Hold:
    """Create a hold; where no name is given, the API server gives one."""
    meta = {"name": name} if name else {"generateName": "hold-"}
    body = {
        "apiVersion": identity.API_VERSION,
        "kind": identity.HOLD_KIND,
        "metadata": {**meta, "namespace": session.execution_namespace},
        "spec": spec,
    }
    path = holds_path(session.execution_namespace)
    return parse_hold(await session.client.request("POST", path, body=body))


async def delete_hold(session: Session, name: str) -> None:
    """Delete a hold; NotFoundError where there is none of this name."""
    path = f"{holds_path(session.execution_namespace)}/{quote(name, safe='')}"
    await session.client.request("DELETE", path)
