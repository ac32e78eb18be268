"""Requests that several commands make: executions and their runs; few modules, so it loads fast."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from workflowexecution.api import identity, reading
from workflowexecution.api.status import Phase
from workflowexecution.client.cluster import Raw
from workflowexecution.client.kube_cluster import KubeCluster
from workflowexecution.client.paths import OF_SCHEDULING, events_path, execution_paths
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import is_of_run
from workflowexecution.core.facts.run import Run, RunKey
from workflowexecution.kube import errors
from workflowexecution.plugin.session import Session
from workflowexecution.views.executions import Wanted
from workflowexecution.views.wording import in_words

# The part before the slash in the output of `-o name`.
_KIND: Final = f"{identity.SINGULAR}.{identity.GROUP}"
# What kubectl takes as the type in TYPE/NAME, in any case of letters, alone or with the group.
_EXECUTION_TYPES: Final = (identity.SHORT_NAME, identity.SINGULAR, identity.PLURAL)
_HOLD_TYPES: Final = (identity.HOLD_SHORT_NAME, identity.HOLD_SINGULAR, identity.HOLD_PLURAL)
_GROUPS: Final = ("", f".{identity.GROUP}", f".{identity.VERSION}.{identity.GROUP}")
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
    """A field selector for the parts of a filter that the API server supports; may be empty.

    It cannot select a target, whose kind may be written in several ways.
    """
    others = [phase for phase in Phase if wanted.phases and phase not in wanted.phases]
    terms = [
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


async def read_scheduled(session: Session, namespace: str, unread: list[str]) -> list[Raw]:
    """The Events about pods that were put on a node, which the server keeps for an hour.

    None where they cannot be read; ``unread`` then says why.
    """
    path = events_path(namespace)
    try:
        return [item async for item in session.client.list_pages(path, OF_SCHEDULING)]
    except errors.ApiError as error:
        unread.append(in_words(error))
        return []


def name_of_kind(name: str) -> str:
    """The name of an execution as `-o name` prints it."""
    return f"{_KIND}/{name}"


def split_key(text: str) -> tuple[str, str]:
    """Namespace and name in `NAMESPACE/NAME`; the namespace is empty in `NAME` and `TYPE/NAME`.

    The types of executions are never namespaces here; `-n` names a namespace that is called so.
    """
    before, _, name = text.rpartition("/")
    return ("" if _is_type(before, _EXECUTION_TYPES) else before), name


def name_of_hold(text: str) -> str:
    """The name of a hold in `NAME` and `TYPE/NAME`."""
    before, _, name = text.rpartition("/")
    return name if _is_type(before, _HOLD_TYPES) else text


def _is_type(text: str, types: Sequence[str]) -> bool:
    return text.lower() in [f"{name}{group}" for name in types for group in _GROUPS]


async def read_execution(session: Session, text: str) -> Raw:
    """Read one execution; with -A, search for it in all namespaces.

    Args:
        session: of the command.
        text: `NAME`, `TYPE/NAME` or `NAMESPACE/NAME`.
    Raises: NotFoundError, ValueError where several have this name or two namespaces are named, or
        another ApiError.
    """
    namespace, name = split_key(text)
    if namespace and session.all_namespaces:
        raise ValueError(f"{text!r} names its namespace, so -A does nothing: leave it out")
    if session.all_namespaces:
        return await _read_anywhere(session, name)
    if namespace and session.asked_namespace not in ("", namespace):
        raise ValueError(
            f"{text!r} is in namespace {namespace}, and -n names {session.asked_namespace}: "
            "name one namespace"
        )
    where = namespace or session.namespace
    try:
        return await cluster_of(session).get_execution(where, name)
    except errors.NotFoundError as error:
        if is_kind_unknown(error):
            raise
        raise _no_such(name, f"in namespace {where}{_hint(text, namespace)}") from error


def _hint(text: str, namespace: str) -> str:
    """Other places in which an execution may be that was not found."""
    before = text.rpartition("/")[0]
    if namespace:
        return ""
    is_label = before and "." not in before
    other = f"; {before}/ is its type here: -n {before} looks in that namespace" if is_label else ""
    return f"{other}; -A looks in all namespaces"


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
    return isinstance(error, errors.NotFoundError) and errors.KIND_UNKNOWN in str(error)


async def user_name(session: Session) -> str:
    """The name of the user, as the cluster knows them."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = await session.client.request("POST", _WHO, body=body)
    user = reading.mapping(answer, "status", "userInfo")
    return reading.text(user, "username")
