"""Reads what is left of runs: their children of every kind, and their pods."""

from collections.abc import Sequence

from workflowexecution.client.cluster import Cluster
from workflowexecution.core.facts.families import Families
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run, RunKey
from workflowexecution.core.facts.taskrun import ChildKind


async def read_leftovers_of(cluster: Cluster, runs: Sequence[Run]) -> dict[RunKey, Leftovers]:
    """What is left of some runs of one namespace, by run; at most RUNS_AT_ONCE of them."""
    namespace, families = runs[0].namespace, Families(runs)
    asked = [run.name for run in runs if run.children.runs]
    while asked:
        asked = families.add_runs(await cluster.list_child_runs(namespace, asked))
    everything, plain = families.names(), [run.name for run in runs]
    custom = [run.name for run in runs if run.children.custom_runs]
    if everything != plain:
        custom = everything
    # Pods last: a task that begins between the reads is seen by its pod.
    if custom:
        families.add(ChildKind.CUSTOM_RUN, await cluster.list_custom_runs(namespace, custom))
    families.add(ChildKind.TASK_RUN, await cluster.list_task_runs(namespace, everything))
    families.add_pods(await cluster.list_pods(namespace, everything))
    return {(namespace, name): left for name, left in families.leftovers().items()}
