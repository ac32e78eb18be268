"""The meaning of each reason and the advice for it, for summaries and for the reference page.

Both use the same tables, so the operator and its documentation cannot differ.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workflowexecution.api.status import FailureReason, SkipReason
from workflowexecution.core.text import clear_command


class Cause(StrEnum):
    """The causes of a reason that has several causes, each with its own advice.

    A cause is never written into a status; it selects the text of the failure's summary.
    """

    REGISTRY_SILENT = "the registry did not answer"
    REGISTRY_REFUSES = "the registry wants other credentials"
    LOGIN_WRONG = "the registry does not know the name or password"
    LOGIN_EXPIRED = "the registry's token has expired"
    RESOLVER_SILENT = "the bundle was not resolved"
    POLICY_REFUSES = "a policy refused it"
    NEVER_AT_WORK = "no step had started"
    RESULT_NOT_WRITTEN = "a result was not written"
    POD_NOT_PREPARED = "a container before the steps failed"
    POD_DEADLINE = "its pod had a time limit of its own"
    POD_ENDED = "Kubernetes ended its pod"
    LOG_LOST = "its log is lost"
    CANCELLED = "a person cancelled it"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason in three plain sentences; each can be used alone."""

    set_when: str
    means: str
    to_do: str


FAILURES: Final = {
    FailureReason.OOM_KILLED: Explanation(
        "The kernel killed a step, or a sidecar beside it, because it used more memory than its "
        "limit.",
        "It was cut off in the middle of its work.",
        "Raise the memory limit of what the message names, or have it do less at once.",
    ),
    FailureReason.DEADLINE_EXCEEDED: Explanation(
        "The run, a task or a step took longer than its time limit.",
        "The work was cut off before it was done.",
        "Look at what it waited for; raise the time limit of the execution only if it was working.",
    ),
    FailureReason.FORBIDDEN: Explanation(
        "The cluster refused to let the run or one of its pods be created, or a step says in its "
        "result failure-reason that its ServiceAccount was refused what it asked for.",
        "The rules of the cluster do not allow this workflow as it is.",
        "Compare the message with the rights of the operator, with those of the run's "
        "ServiceAccount, and with the execution namespace's Pod Security level.",
    ),
    FailureReason.RESOURCE_EXHAUSTED: Explanation(
        "A quota or the nodes had no room for a pod, or a pod was evicted because its node had "
        "none left.",
        "The cluster had no resources for the work.",
        "Free resources or raise the execution namespace's quota, then create a new execution.",
    ),
    FailureReason.CONFIGURATION_ERROR: Explanation(
        "The execution, its bundle or its pipeline has an error, so that it cannot run.",
        "The same request will fail again.",
        "Correct what the message names, then create a new execution.",
    ),
    FailureReason.IMAGE_PULL_BACK_OFF: Explanation(
        "The image of a step or a sidecar could not be pulled, or the bundle's registry did not "
        "answer.",
        "What should have run could not be fetched.",
        "Check that the registry answers, that the image exists and that the run's ServiceAccount "
        "may pull it.",
    ),
    FailureReason.TASK_FAILED: Explanation(
        "A step ended with an exit code other than 0, or a custom task said that it failed.",
        "The step did not do its work, or not all of it.",
        "Read the step's log, and look its exit code up where the workflow is described.",
    ),
    FailureReason.UNKNOWN: Explanation(
        "The run or a pod of it was ended from outside, or Tekton gives no reason that is known.",
        "It is not known whether the workflow would have succeeded.",
        "Find out who ended the run, from the message and the cluster's audit log.",
    ),
}
CAUSES: Final = {
    Cause.REGISTRY_SILENT: Explanation(
        "The bundle's registry did not answer Tekton's resolver, or answered that it cannot now.",
        "What should have run could not be fetched; this may pass by itself.",
        "See that the registry answers Tekton's resolver, which must trust its certificate; then "
        "create a new execution.",
    ),
    Cause.REGISTRY_REFUSES: Explanation(
        "The bundle's registry answered that the credentials it was shown, or none, are not "
        "enough.",
        "What should have run could not be fetched; many registries answer this also for a wrong "
        "password, and for what is not there.",
        "Give the run's ServiceAccount an imagePullSecret for that registry, in the execution "
        "namespace; if it has one, check that the secret exists, its password, and the bundle's "
        "name; then create a new execution.",
    ),
    Cause.LOGIN_WRONG: Explanation(
        "The bundle's registry answered that name or password in the pull secret are wrong.",
        "What should have run could not be fetched.",
        "Correct name and password for that registry in the imagePullSecret of the run's "
        "ServiceAccount; then create a new execution.",
    ),
    Cause.LOGIN_EXPIRED: Explanation(
        "The bundle's registry answered that the password or token in the pull secret has expired.",
        "What should have run could not be fetched.",
        "Renew the token in the imagePullSecret of the run's ServiceAccount, and have something "
        "renew it in time; then create a new execution.",
    ),
    Cause.RESOLVER_SILENT: Explanation(
        "Tekton's resolver did not answer in time, or could not be asked.",
        "What should have run could not be fetched; this may pass by itself.",
        "See that Tekton's resolver runs and that the registry answers it; then create a new "
        "execution.",
    ),
    Cause.POLICY_REFUSES: Explanation(
        "An admission policy or webhook of the cluster refused the run, a part of it, or a pod.",
        "The rules of the cluster do not allow this workflow as it is.",
        "Change what the policy's message names, or ask those who keep the policy.",
    ),
    Cause.NEVER_AT_WORK: Explanation(
        "The time limit was over before any step had started.",
        "The work was never begun.",
        "Remove what it waited for, then create a new execution; a longer time limit alone does "
        "not help.",
    ),
    Cause.RESULT_NOT_WRITTEN: Explanation(
        "All tasks ended well, and none of them wrote a result that the pipeline names.",
        "The work was done; only the report about it is missing.",
        "Have the workflow write the result, or take it out of the pipeline's results; look at the "
        "target before the workflow runs on it again.",
    ),
    Cause.POD_NOT_PREPARED: Explanation(
        "A container that makes a pod ready for its steps failed.",
        "No step of the task could begin.",
        "Read that container's log. In place-scripts, 'argument list too long' means that the "
        "scripts of the task are larger than 96 KiB together: make them smaller.",
    ),
    Cause.POD_DEADLINE: Explanation(
        "A pod was active longer than its activeDeadlineSeconds.",
        "The work was cut off before it was done.",
        "Find what gives the pods of the execution namespace activeDeadlineSeconds, an admission "
        "policy or webhook, and have it allow the time that the work takes.",
    ),
    Cause.POD_ENDED: Explanation(
        "Kubernetes ended a pod: for a taint or a drain of its node, or because the node went "
        "away.",
        "The work was cut off in the middle.",
        "See from the message what took the pod off its node; once that is over, look at the "
        "target and create a new execution.",
    ),
    Cause.LOG_LOST: Explanation(
        "A step ended with an exit code other than 0, and its pod was deleted before its end was "
        "read.",
        "The step did not do its work, or was cut off in the middle.",
        "Look its exit code up where the workflow is described, and for its log where the cluster "
        "collects logs.",
    ),
    Cause.CANCELLED: Explanation(
        "A person cancelled the run with kubectl wfe cancel, which notes on it who did so and why.",
        "A person has stopped the work on purpose.",
        "Ask who cancelled it before you have the same run again; look at the target first if a "
        "step had started.",
    ),
}
SKIPS: Final = {
    SkipReason.RESOURCE_BUSY: Explanation(
        "Another run on the same target had not finished, of any workflow.",
        "Nothing was run, and nothing will be.",
        "Treat it as a duplicate of the holder, and decide again when that has ended.",
    ),
    SkipReason.RECENTLY_REMEDIATED: Explanation(
        "The same workflow ended on the same target less than the cooldown ago.",
        "Nothing was run, and nothing will be.",
        "Wait until the cooldown is over, or choose a different workflow; after a failure, a "
        f"person who has looked can lift it: {clear_command()}.",
    ),
    SkipReason.EXHAUSTED_RETRIES: Explanation(
        "With WFE_GUARD_RETRIES: the same workflow failed on the same target as often in a row as "
        "WFE_RETRY_LIMIT allows, each time before a step had begun.",
        "Nothing was run, and nothing will be. The next execution is skipped, too, until a person "
        "has cleared the last failure.",
        f"Remove the cause of the failures, then clear it: {clear_command()}.",
    ),
    SkipReason.PREVIOUS_EXECUTION_FAILED: Explanation(
        "With WFE_GUARD_FAILED: the same workflow failed on the same target after a step had "
        "begun, and nobody has cleared that.",
        "Nothing was run, and nothing will be. The next execution is skipped, too, until a person "
        "has cleared the failure: the target may be half changed.",
        f"Look at the target and bring it into a good state, then clear it: {clear_command()}.",
    ),
}


def is_cancelled(reason: str, summary: str) -> bool:
    """Whether a failure with this reason and summary is the cancel of a person.

    The API has no reason of its own for it, so its advice in the summary shows it.
    """
    return reason == FailureReason.UNKNOWN and CAUSES[Cause.CANCELLED].to_do in summary
