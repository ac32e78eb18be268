"""Parameters that several commands take."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from workflowexecution.api import validation
from workflowexecution.api.duration import format_duration, parse_duration
from workflowexecution.api.target import check_target
from workflowexecution.core import pipelinerun
from workflowexecution.core.guards import Guards
from workflowexecution.plugin.completion import (
    complete_name,
    complete_target,
    complete_workflow,
)
from workflowexecution.settings import Settings

DEFAULT_COOLDOWN: Final = format_duration(Settings.model_fields["cooldown"].default)
_ANY_ACCOUNT: Final = pipelinerun.RunTemplate(
    namespace="",
    allowed_service_accounts=frozenset(),
    security_context={},
    finally_timeout=Settings.model_fields["finally_timeout"].default,
)
CooldownText = Annotated[
    str, typer.Option("--cooldown", envvar="WFE_COOLDOWN", help="As in the operator's settings.")
]
ExecutionName = Annotated[
    str,
    typer.Argument(
        help="Name of the execution, or NAMESPACE/NAME as other commands print it.",
        autocompletion=complete_name,
    ),
]


def _target_or_none(given: str) -> str:
    """Nothing can be on what is no target: it is refused, and not answered with an empty list."""
    try:
        return check_target(given) if given else ""
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


OnlyTarget = Annotated[
    str,
    typer.Option(
        "--target",
        callback=_target_or_none,
        help="Only what is on exactly this target, e.g. shop/Deployment/cart.",
        autocompletion=complete_target,
    ),
]
OnlyWorkflow = Annotated[
    str,
    typer.Option(
        "--workflow", help="Only what is of this workflow id.", autocompletion=complete_workflow
    ),
]
ThisTarget = Annotated[
    str,
    typer.Option(
        "--target", help="Target, e.g. shop/Deployment/cart.", autocompletion=complete_target
    ),
]
ThisWorkflow = Annotated[
    str, typer.Option("--workflow", help="Workflow id.", autocompletion=complete_workflow)
]

GuardFailed = Annotated[
    bool,
    typer.Option(
        "--guard-failed", envvar="WFE_GUARD_FAILED", help="As in the operator's settings."
    ),
]
GuardRetries = Annotated[
    bool,
    typer.Option(
        "--guard-retries", envvar="WFE_GUARD_RETRIES", help="As in the operator's settings."
    ),
]


def guards_of(failed: bool, retries: bool) -> Guards:
    """What the operator guards against; limit and pauses are those of the environment."""
    return Settings(guard_failed=failed, guard_retries=retries).guards


def cooldown_of(text: str) -> timedelta:
    """Read a cooldown; ValueError where it is no duration."""
    return parse_duration(text)


def spec_problem(raw: Mapping[str, Any]) -> str:
    """What keeps an execution from being run, whatever accounts are allowed; else empty."""
    spec, problem = validation.parse_spec(raw)
    return pipelinerun.problem_of(spec, _ANY_ACCOUNT) if spec else problem
