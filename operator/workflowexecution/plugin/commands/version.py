"""``version``: of the plugin, and of what is in the cluster."""

from workflowexecution import __version__
from workflowexecution.core import requirements
from workflowexecution.kube import errors
from workflowexecution.plugin.exits import Exit
from workflowexecution.plugin.gather import cluster_of
from workflowexecution.plugin.rendering import Output
from workflowexecution.plugin.session import Session


async def version(session: Session) -> Exit | None:
    """Print the versions of the plugin, of Kubernetes and of Tekton."""
    found = {"plugin": __version__, "kubernetes": "", "tekton": ""}
    try:
        found["kubernetes"], found["tekton"] = await cluster_of(session).versions()
    except errors.ApiError as error:
        session.printer.note(f"warning: the cluster does not tell its versions: {error}")
    told = {key: value or "unknown" for key, value in found.items()}
    if session.printer.output in (Output.TABLE, Output.WIDE):
        session.printer.print_fields(told)
    else:
        names = "\n".join(f"{key}/{value}" for key, value in told.items())
        session.printer.print_answer(found, names, "")
    if problem := requirements.problem_of(found["kubernetes"], found["tekton"]):
        session.printer.note(f"warning: {problem}")
    return None
