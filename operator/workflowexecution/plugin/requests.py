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

# The part before the slash in the output of `-o name`.
_KIND: Final = f"{identity.SINGULAR}.{identity.GROUP}"
_WHO: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def cluster_of(session: Session, namespaces: Sequence[str] = ()) -> KubeCluster:
    """The operator's requests to the cluster, with the rights of the user.

    Executions are listed in ``namespaces``; in all, if it is empty.
    """
    return KubeCluster(
        session.client,
        execution_namespace=session.execution_namespace,
        watch_namespaces=tuple(namespaces),
    )


async def all_executions(session: Session, wanted: Wanted, labels: str = "") -> list[Raw]:
    """The executions in the namespaces of the command that match, and perhaps others.

    Args:
        session: of the command.
        wanted: a filter.
        labels: a label selector; empty for all.
    """
    return [item async for item in executions_in(session, session.namespaces, wanted, labels)]


def executions_in(
    session: Session, namespaces: Sequence[str], wanted: Wanted, labels: str = ""
) -> AsyncIterator[Raw]:
    """The same in these namespaces; in all, if it is empty."""
    query = query_of(selector_of(wanted), labels)
    (path,) = execution_paths(namespaces)
    return session.client.list_pages(path, query)


def query_of(fields: str, labels: str) -> dict[str, str]:
    """The query for a field selector and a label selector; either may be empty."""
    selectors = {"fieldSelector": fields, "labelSelector": labels}
    return {name: selector for name, selector in selectors.items() if selector}


def selector_of(wanted: Wanted) -> str:
    """A field selector for the parts of a filter that the API server supports; may be empty."""
    others = [phase for phase in Phase if wanted.phases and phase not in wanted.phases]
    terms = [
        f"spec.targetResource={escaped(wanted.target)}" if wanted.target else "",
        f"spec.workflowRef.workflowId={escaped(wanted.workflow_id)}" if wanted.workflow_id else "",
        *(f"status.phase!={phase}" for phase in others),
    ]
    return ",".join(filter(None, terms))


def escaped(value: str) -> str:
    """A value, escaped for a field selector."""
    return "".join(f"\\{char}" if char in "\\,=" else char for char in value)


def run_key(session: Session, execution: Execution) -> RunKey:
    """Namespace and name of an execution's run; the name is empty if it has none."""
    return execution.run_namespace or session.execution_namespace, execution.run_name or ""


async def read_run(session: Session, execution: Execution) -> tuple[Run | None, list[Raw]]:
    """An execution's run and its TaskRuns; None where it has none.

    Raises: NotFoundError where the run is gone or belongs to another execution; other ApiErrors.
    """
    namespace, name = run_key(session, execution)
    if not name:
        return None, []
    where = f"PipelineRun {namespace}/{name}"
    try:
        run = parse_run(await cluster_of(session).get_run(namespace, name))
    except errors.NotFoundError as error:
        if is_kind_unknown(error):
            raise
        raise errors.NotFoundError(f"{where} is gone, and its tasks with it") from error
    if run is None or run.owner is None or run.owner.uid != execution.uid:
        raise errors.NotFoundError(f"{where} is not this execution's any more")
    found = await cluster_of(session).list_task_runs(namespace, [name])
    return run, [item for item in found if is_of_run(item, run.uid)]


def name_of_kind(name: str) -> str:
    """The name of an execution as `-o name` prints it."""
    return f"{_KIND}/{name}"


def split_key(text: str) -> tuple[str, str]:
    """Namespace and name in `NAMESPACE/NAME`; the namespace is empty in `NAME`."""
    namespace, _, name = text.rpartition("/")
    return ("" if namespace == _KIND else namespace), name


async def read_execution(session: Session, text: str) -> Raw:
    """Read one execution; with -A, search for it in all namespaces.

    Args:
        session: of the command.
        text: `NAME`, `NAMESPACE/NAME`, or an output of `-o name`.
    Raises: NotFoundError, ValueError where several have this name, or another ApiError.
    """
    namespace, name = split_key(text)
    if namespace and (session.all_namespaces or session.is_namespace_given):
        flag = "-A" if session.all_namespaces else "-n"
        raise ValueError(f"{text!r} names its namespace, so {flag} does nothing: leave it out")
    if session.all_namespaces:
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
    """Whether the kind of object is not served, rather than the object missing."""
    return isinstance(error, errors.NotFoundError) and "page not found" in str(error)


async def user_name(session: Session) -> str:
    """The name of the user, as the cluster knows them."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = await session.client.request("POST", _WHO, body=body)
    user = reading.mapping(answer, "status", "userInfo")
    return reading.text(user, "username")


async def list_holds(session: Session) -> list[Raw]:
    """All holds in the execution namespace."""
    return [raw async for raw in cluster_of(session).list_holds()]


async def read_holds(session: Session, unread: list[str]) -> tuple[Hold, ...]:
    """All holds; a missing right to read them is added to ``unread``."""
    try:
        return tuple(parse_hold(raw) for raw in await list_holds(session))
    except errors.MissingRightError as error:
        unread.append(missing_right(str(error)))
        return ()


async def create_hold(session: Session, name: str, spec: dict[str, Any]) -> Raw:
    """Create a hold; without a name, the API server makes one."""
    meta = {"name": name} if name else {"generateName": "hold-"}
    body = {
        "apiVersion": identity.API_VERSION,
        "kind": identity.HOLD_KIND,
        "metadata": {**meta, "namespace": session.execution_namespace},
        "spec": spec,
    }
    path = holds_path(session.execution_namespace)
    return await session.client.request("POST", path, body=body)


async def delete_hold(session: Session, name: str) -> None:
    """Delete a hold. Raises: NotFoundError where there is none of this name."""
    path = f"{holds_path(session.execution_namespace)}/{quote(name, safe='')}"
    await session.client.request("DELETE", path)
