"""The spec of a WorkflowExecution, written by an orchestrator and immutable once created."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from workflowexecution.api import identity
from workflowexecution.api.fields import Model, cel, parse_model
from workflowexecution.api.inputs import (
    TARGET_MAX,
    TARGET_RULE,
    check_parameters,
    check_target,
    parameters_schema,
)
from workflowexecution.api.reading import DURATION_PATTERN, format_duration, parse_duration

_NAME: Final = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_DIGEST: Final = r"sha256:[a-f0-9]{64}"
# Not ``\w``: it also matches letters of other scripts, which a tag may not have, and its tables
# take 12 MB.
_TAG: Final = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
_IMAGE: Final = (
    r"^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    rf"(:{_TAG})?(@{_DIGEST})?$"
)
_TAG_OR_DIGEST: Final = rf"(:{_TAG}|@{_DIGEST})$"
# Clients may write these fields in another spelling; they are compared by meaning.
DURATION_FIELDS: Final = ("timeout",)
_RATIONALE_MAX: Final = 64 * 1024
# A run locks its target until it ends: a longer limit would be a lock with no end in sight.
_TIMEOUT_MAX: Final = timedelta(hours=24)
_TIMEOUT_FORM: Final = (
    "must be a duration longer than zero and of at most 24h; write it like 30m or 1h30m"
)


def _cel_text(pattern: str) -> str:
    """A regular expression as a CEL string literal."""
    return "'" + pattern.replace("\\", "\\\\") + "'"


def _check_timeout(value: str) -> str:
    if not timedelta(0) < parse_duration(value) <= _TIMEOUT_MAX:
        raise ValueError(f"{value!r} {_TIMEOUT_FORM}")
    return value


class ObjectReference(Model):
    """A reference to another object (Kubernetes core/v1 ObjectReference)."""

    api_version: str | None = Field(
        default=None, max_length=317, description="API version of the object."
    )
    kind: str | None = Field(default=None, max_length=63, description="Kind of the object.")
    name: str = Field(min_length=1, max_length=253, description="Name of the object.")
    namespace: str | None = Field(
        default=None, max_length=63, description="Namespace of the object."
    )
    uid: str | None = Field(default=None, max_length=128, description="UID of the object.")
    resource_version: str | None = Field(
        default=None, max_length=128, description="Version of the object that is meant."
    )
    field_path: str | None = Field(
        default=None, max_length=1024, description="Part of the object that is meant."
    )


class WorkflowRef(Model):
    """The workflow to run, and the bundle that contains it."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            f"self.containerImage.matches({_cel_text(_TAG_OR_DIGEST)}) "
            "|| (has(self.containerDigest) && self.containerDigest != '')",
            "containerImage names no tag and no digest, which would mean latest; add a tag such "
            "as :v1 to it, or set containerDigest",
        )
    )

    workflow_id: str = Field(min_length=1, max_length=253, description="Identity of the workflow.")
    version: str = Field(min_length=1, max_length=253, description="Version of the workflow.")
    container_image: str = Field(
        min_length=1,
        max_length=1024,
        pattern=_IMAGE,
        description="OCI reference of a Tekton bundle, by tag, digest or both.",
        json_schema_extra=cel(
            f"self.matches({_cel_text(_IMAGE)})",
            "must be an OCI image reference such as registry.example/workflows/restart:v1",
        ),
    )
    container_digest: str | None = Field(
        default=None,
        max_length=256,
        pattern=rf"^{_DIGEST}$",
        description="Digest the bundle was audited with; the run is pinned to it.",
        json_schema_extra=cel(
            f"self.matches({_cel_text(f'^{_DIGEST}$')})",
            "must be sha256: followed by 64 lower-case hexadecimal digits",
        ),
    )

    @model_validator(mode="after")
    def _is_pinned_by_something(self) -> Self:
        if not self.container_digest and not re.search(_TAG_OR_DIGEST, self.container_image):
            raise ValueError(
                f"containerImage {self.container_image!r} names no tag and no digest, which would "
                "mean latest; add a tag such as :v1 to it, or set containerDigest"
            )
        return self


class ExecutionConfig(Model):
    """Settings of the run."""

    timeout: Annotated[str, AfterValidator(_check_timeout)] | None = Field(
        default=None,
        description="Go duration after which the tasks of the run are ended, e.g. 30m; those in "
        "finally have a time of their own.",
        json_schema_extra={
            "default": identity.DEFAULT_TIMEOUT,
            "maxLength": 64,
            **cel(
                f"self.matches({_cel_text(DURATION_PATTERN)}) && duration(self) > duration('0s') "
                f"&& duration(self) <= duration('{format_duration(_TIMEOUT_MAX)}')",
                _TIMEOUT_FORM,
            ),
        },
    )
    service_account_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        pattern=rf"^{_NAME}$",
        description="ServiceAccount of the run, in the execution namespace.",
        json_schema_extra={
            "default": identity.DEFAULT_SERVICE_ACCOUNT,
            **cel(
                f"self.matches({_cel_text(f'^{_NAME}$')})",
                "must be the name of a ServiceAccount: lower-case letters, digits, '-' and '.'",
            ),
        },
    )


class WorkflowExecutionSpec(Model):
    """Run this workflow on this target."""

    remediation_request_ref: ObjectReference = Field(
        description="The RemediationRequest this execution belongs to."
    )
    workflow_ref: WorkflowRef = Field(description="The workflow to run.")
    target_resource: Annotated[str, AfterValidator(check_target)] = Field(
        min_length=1,
        max_length=TARGET_MAX,
        description="Object that the workflow changes: namespace/kind/name, or kind/name.",
        json_schema_extra=cel(*TARGET_RULE),
    )
    parameters: Annotated[dict[str, str], AfterValidator(check_parameters)] = Field(
        default_factory=dict,
        description="Parameters of the pipeline, by name.",
        json_schema_extra=parameters_schema,
    )
    confidence: float | None = Field(
        default=None, ge=0, le=1, description="Confidence of the choice; carried, not acted on."
    )
    rationale: str | None = Field(
        default=None,
        max_length=_RATIONALE_MAX,
        description="Why this workflow was chosen; carried, not acted on.",
    )
    execution_config: ExecutionConfig = Field(
        default_factory=ExecutionConfig,
        description="Settings of the run.",
        json_schema_extra={"default": {}},
    )


def parse_spec(raw: Mapping[str, Any]) -> tuple[WorkflowExecutionSpec | None, str]:
    """Read ``spec`` of a WorkflowExecution.

    Returns: the model and an empty text, or None and a text naming each field and its fix.
    """
    return parse_model(WorkflowExecutionSpec, raw)
