"""``version``: the versions of the plugin and of what it works with.

Apart from ``doctor``, which loads much more.
"""

from workflowexecution import __version__
from workflowexecution.client.kube_cluster import problem_of_versions
from workflowexecution.kube import errors
from workflowexecution.plugin.requests import cluster_of
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import Exit, explain


async def version(session: Session) -> Exit | None:
    """Print the versions of the plugin, of Kubernetes and of Tekton."""
    found, status = {"plugin": __version__, "kubernetes": "", "tekton": ""}, Exit.OK
    cluster = cluster_of(session)
    asked = {"kubernetes": cluster.kubernetes_version, "tekton": cluster.tekton_version}
    for name, ask in asked.items():
        try:
            found[name] = await ask()
        except errors.ApiError as error:
            status, said = explain(error)
            session.printer.note(f"unknown: the version of {name.title()}: {said}")
    shown = {key: value or "unknown" for key, value in found.items()}
    if session.printer.is_for_people:
        session.printer.print_fields(shown)
    else:
        names = "\n".join(f"{key}/{value}" for key, value in shown.items())
        session.printer.print_answer(found, names, "")
    if problem := problem_of_versions(found["kubernetes"], found["tekton"]):
        session.printer.note(f"warning: {problem}")
    return status
