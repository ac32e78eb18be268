"""Checks of an execution before it is created: its spec, and the kind of its target."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from workflowexecution.api.discovery import TargetFit, check_against, parse_kinds
from workflowexecution.api.spec import parse_spec
from workflowexecution.client.cluster import Raw
from workflowexecution.core import pipelinerun
from workflowexecution.kube import errors
from workflowexecution.plugin.session import Session
from workflowexecution.views.wording import in_words

# All groups in one answer, in the newest form that the server has.
_AGGREGATED: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
)
_PATHS: Final = ("/api", "/apis")
# What is unknown where the kinds cannot be read.
IS_KIND_SERVED: Final = "whether the cluster serves the kind of the target"


async def fit_of_target(session: Session, target: str, unread: list[str]) -> TargetFit:
    """Compare a target with the kinds of the cluster; says so where they cannot be read.

    A missing right to read them is added to ``unread``.
    Raises: ValueError where the text is not a target.
    """
    try:
        documents = [await _discover(session, path) for path in _PATHS]
    except errors.ForbiddenError as error:
        unread.append(in_words(error))
        return TargetFit()
    except errors.ApiError as error:
        return TargetFit(unchecked=in_words(error))
    served = parse_kinds(documents)
    if not served.kinds:
        return TargetFit(unchecked="the API server lists its kinds in a form that is not known")
    return check_against(target, served)


async def _discover(session: Session, path: str) -> Raw:
    return await session.client.request("GET", path, accept=_AGGREGATED)


def spec_problem(raw: Mapping[str, Any], allowed_service_accounts: Collection[str] = ()) -> str:
    """The error in the spec of an execution; without allowed ServiceAccounts, any is allowed."""
    spec, problem = parse_spec(raw)
    return pipelinerun.problem_of(spec, allowed_service_accounts) if spec else problem
