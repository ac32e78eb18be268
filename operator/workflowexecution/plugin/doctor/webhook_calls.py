"""Calls of admission webhooks: whether one is called for what an execution consists of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.core import names

# The value is None where it is not the same for all objects.
Labels = Mapping[str, str | None]
_WRITES: Final = {"*", "CREATE", "UPDATE", "DELETE"}
_OF_RUNS: Final[Labels] = {
    names.LABEL_MANAGED_BY: names.MANAGED_BY,
    **dict.fromkeys(
        (
            *(names.KEY_EXECUTION, names.KEY_EXECUTION_UID, names.KEY_SOURCE_NAMESPACE),
            *(names.KEY_WORKFLOW_ID, names.KEY_TARGET, names.KEY_TARGET_HASH),
            "tekton.dev/pipeline",
        )
    ),
}
_OF_TASKS: Final[Labels] = {
    **dict.fromkeys(_OF_RUNS),
    **dict.fromkeys(
        f"tekton.dev/{name}"
        for name in ("memberOf", "pipelineRun", "pipelineRunUID", "pipelineTask")
    ),
}
_OF_PODS: Final[Labels] = {**_OF_TASKS, "tekton.dev/taskRun": None}


class Match(IntEnum):
    """Whether a rule applies: all of several have the smallest answer, any of them the largest."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object that the operator or Tekton writes for an execution.

    is_of_run: whether it is in the execution namespace, and not in that of the execution.
    labels: that each object has; the bundle, or the creator of an execution, may add others.
    """

    group: str
    resource: str
    version: str
    is_of_run: bool
    labels: Labels


KINDS: Final = (
    Kind("tekton.dev", "pipelineruns", "v1", True, _OF_RUNS),
    Kind("tekton.dev", "taskruns", "v1", True, _OF_TASKS),
    Kind("", "pods", "v1", True, _OF_PODS),
    Kind(identity.GROUP, identity.PLURAL, identity.VERSION, False, {}),
    Kind(identity.GROUP, f"{identity.PLURAL}/status", identity.VERSION, False, {}),
)


@dataclass(frozen=True, slots=True)
class Places:
    """The labels of the namespaces of executions and of runs; none where it may be any."""

    of_executions: Sequence[Labels] = ()
    of_runs: Sequence[Labels] = ()


def call_of(webhook: Raw, places: Places) -> Match:
    """Whether nothing can run while this webhook is down, because it is called for a part of it."""
    if webhook.get("failurePolicy") == "Ignore":
        return Match.NO
    # The condition is a program, which is not run here.
    condition = Match.MAYBE if webhook.get("matchConditions") else Match.YES
    return min(condition, max(_call_for(kind, webhook, places) for kind in KINDS))


def _call_for(kind: Kind, webhook: Raw, places: Places) -> Match:
    is_exact = webhook.get("matchPolicy") == "Exact"
    if not any(_covers(rule, kind, is_exact) for rule in reading.mappings(webhook, "rules")):
        return Match.NO
    where = places.of_runs if kind.is_of_run else places.of_executions
    terms = terms_of(webhook, "namespaceSelector")
    anywhere = Match.MAYBE if terms else Match.YES
    of_namespace = max((match_of(terms, labels) for labels in where), default=anywhere)
    of_object = match_of(terms_of(webhook, "objectSelector"), kind.labels, may_have_more=True)
    return min(of_namespace, of_object)


def _covers(rule: Raw, kind: Kind, is_exact: bool) -> bool:
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    versions, operations = rule.get("apiVersions") or ("*",), rule.get("operations") or ("*",)
    name, slash, sub = kind.resource.partition("/")
    # An asterisk alone means no subresource.
    wanted = (kind.resource, "*/*", *((f"{name}/*", f"*/{sub}") if slash else ("*",)))
    return (
        ("*" in groups or kind.group in groups)
        and any(one in resources for one in wanted)
        and not (is_exact and "*" not in versions and kind.version not in versions)
        and not _WRITES.isdisjoint(operations)
        and rule.get("scope") != "Cluster"
    )


def terms_of(webhook: Raw, field: str) -> list[Raw]:
    """The requirements of a label selector, each in the form of its `matchExpressions`."""
    exact = [
        {"key": key, "operator": "In", "values": [value]}
        for key, value in reading.mapping(webhook, field, "matchLabels").items()
    ]
    return [*exact, *reading.mappings(webhook, field, "matchExpressions")]


def match_of(terms: Iterable[Raw], labels: Labels, *, may_have_more: bool = False) -> Match:
    """Whether the requirements of a selector select an object; without any, all are selected.

    ``may_have_more``: whether the object may have other labels as well; of these, one that a
    selector excludes is taken to be absent.
    """
    return min((_meets(term, labels, may_have_more) for term in terms), default=Match.YES)


def _meets(term: Raw, labels: Labels, may_have_more: bool) -> Match:
    key, operator = reading.text(term, "key"), reading.text(term, "operator")
    excludes = operator in ("NotIn", "DoesNotExist")
    if key not in labels:
        absent = Match.MAYBE if may_have_more else Match.NO
        return Match.YES if excludes else absent
    found = _has_value(labels[key], operator, term.get("values") or ())
    return Match(Match.YES - found) if excludes else found


def _has_value(value: str | None, operator: str, values: Sequence[str]) -> Match:
    if operator in ("Exists", "DoesNotExist"):
        return Match.YES
    if value is None:
        return Match.MAYBE
    return Match.YES if value in values else Match.NO
