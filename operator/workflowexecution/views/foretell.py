"""A preview by the settings that the operator publishes, or as far as it needs none of them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from workflowexecution.core.guards import Guards
from workflowexecution.core.published import Rules
from workflowexecution.views.preview import Facts, Preview, preview
from workflowexecution.views.published import Basis

# The settings that skip the fewest executions, and those that skip the most.
_MILDEST: Final = Rules(timedelta(0), Guards())
_STRICTEST: Final = Rules(timedelta(days=365 * 1000), Guards(failed=True, retry_limit=1))


def foretell(facts: Facts, basis: Basis, **asked: Any) -> Preview:
    """Decide for an execution that does not exist, by the published settings; see `preview`.

    Where these are not known, the decision is Unknown, unless it is the same for all settings.
    """
    if basis.rules is not None:
        return _by_rules(facts, basis.rules, asked)
    mildest, strictest = (_by_rules(facts, rules, asked) for rules in (_MILDEST, _STRICTEST))
    if mildest.decision == strictest.decision:
        return mildest
    held = f"{mildest.message}; " if mildest.decision == "Wait" else ""
    return Preview(
        target=mildest.target,
        workflow_id=mildest.workflow_id,
        decision="Unknown",
        reason="",
        message=f"{held}{_last_end(strictest)}whether it may run again depends on settings, and "
        f"{basis.unknown}",
    )


def _by_rules(facts: Facts, rules: Rules, asked: Mapping[str, Any]) -> Preview:
    return preview(facts, cooldown=rules.cooldown, guards=rules.guards, **asked)


def _last_end(strictest: Preview) -> str:
    last = strictest.skip.recent_remediation if strictest.skip else None
    if last is None:
        return ""
    return (
        f"workflow {last.workflow_id} ended last on target {last.target_resource} at "
        f"{last.completed_at:%Y-%m-%d %H:%M:%S} UTC ({last.outcome}, WorkflowExecution "
        f"{last.namespace}/{last.name}); "
    )
