"""Which execution is meant by what somebody typed or pasted."""

from typing import Final

from workflowexecution.api import identity, reading
from workflowexecution.client.cluster import Raw
from workflowexecution.client.paths import execution_paths
from workflowexecution.kube import errors
from workflowexecution.plugin.gather import cluster_of, escaped
from workflowexecution.plugin.session import Session

# What `-o name` prints before the slash.
_KIND: Final = f"{identity.SINGULAR}.{identity.GROUP}"


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
