"""The pods of runs: where they may run, how important they are, and by which secrets they pull.

The fields are those of a Kubernetes pod, so people can copy them. A field that is not listed here
is refused, because it would otherwise be dropped in silence.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from workflowexecution.api.fields import Model, message_of_field

_SUBDOMAIN: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_NAME: Final = re.compile(_SUBDOMAIN)
_WORD: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY: Final = re.compile(rf"({_SUBDOMAIN}/)?{_WORD}")
_VALUE: Final = re.compile(rf"({_WORD})?")
# What these say of a run, the operator and Tekton rely on.
_TAKEN: Final = re.compile(r"([^/]+\.)?(kubernaut\.ai|tekton\.dev)/")
_NAME_MAX: Final = 253


def _check_name(value: str) -> str:
    if len(value) > _NAME_MAX or not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name of an object; use lower-case letters, digits, '-'")
    return value


def _check_key(value: str) -> str:
    if len(value.rpartition("/")[0]) > _NAME_MAX or not _KEY.fullmatch(value):
        raise ValueError(f"{value!r} is no key; write it like example.com/pool")
    return value


def _check_labels(given: dict[str, str]) -> dict[str, str]:
    for key, value in given.items():
        _check_key(key)
        if not _VALUE.fullmatch(value):
            raise ValueError(
                f"{key}: {value!r} is no value of a label; use at most 63 letters, digits, '-', "
                "'_' and '.'"
            )
    return given


def _check_annotations(given: dict[str, str]) -> dict[str, str]:
    for key in given:
        _check_key(key)
        if _TAKEN.match(key):
            raise ValueError(f"{key!r} is a key of the operator or of Tekton; take another one")
    return given


Name = Annotated[str, AfterValidator(_check_name)]
Key = Annotated[str, AfterValidator(_check_key)]


class _Strict(Model):
    """A model that refuses fields which it does not know."""

    model_config = ConfigDict(extra="forbid")


class Toleration(_Strict):
    """A taint of nodes that keeps these pods not away (core/v1 Toleration)."""

    key: Key | None = Field(default=None, description="Key of the taint; absent: every key.")
    operator: Literal["Exists", "Equal"] | None = Field(
        default=None, description="Equal compares the value, Exists does not. Default Equal."
    )
    value: str | None = Field(default=None, description="Value of the taint.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint; absent: every effect."
    )
    toleration_seconds: int | None = Field(
        default=None,
        description="Seconds for which a taint with the effect NoExecute is borne; absent: always.",
        json_schema_extra={"format": "int64"},
    )

    @model_validator(mode="after")
    def _is_one_that_kubernetes_takes(self) -> Self:
        if self.operator == "Exists" and self.value:
            raise ValueError("value: with operator Exists there is none; take it out")
        if not self.key and self.operator != "Exists":
            raise ValueError("operator: must be Exists where no key is given")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError("effect: must be NoExecute where tolerationSeconds are given")
        if self.value and not _VALUE.fullmatch(self.value):
            raise ValueError(f"value: {self.value!r} is no value of a taint")
        return self


class SecretReference(_Strict):
    """A secret in the execution namespace."""

    name: Name = Field(description="Name of the secret.")


class PodSecurityContext(_Strict):
    """The security context of a whole pod (core/v1 PodSecurityContext)."""

    run_as_non_root: bool | None = Field(default=None, description="Whether root is refused.")
    run_as_user: int | None = Field(default=None, ge=0, description="User of the processes.")
    run_as_group: int | None = Field(default=None, ge=0, description="Group of the processes.")
    fs_group: int | None = Field(default=None, ge=0, description="Group of the volumes.")
    fs_group_change_policy: Literal["OnRootMismatch", "Always"] | None = Field(
        default=None, description="When the group of a volume is changed."
    )
    supplemental_groups: list[int] | None = Field(default=None, description="More groups.")
    supplemental_groups_policy: Literal["Merge", "Strict"] | None = Field(
        default=None, description="Whether groups of the image count, too."
    )
    seccomp_profile: dict[str, str] | None = Field(default=None, description="Seccomp profile.")
    app_armor_profile: dict[str, str] | None = Field(default=None, description="AppArmor profile.")
    se_linux_options: dict[str, str] | None = Field(default=None, description="SELinux labels.")
    se_linux_change_policy: Literal["MountOption", "Recursive"] | None = Field(
        default=None, description="How volumes get their SELinux label."
    )
    sysctls: list[dict[str, str]] | None = Field(default=None, description="Kernel parameters.")


class RunPod(_Strict):
    """The settings that all pods of a run have."""

    priority_class_name: Name | None = Field(
        default=None, description="PriorityClass of the pods; it must exist."
    )
    tolerations: list[Toleration] | None = Field(
        default=None, description="Taints of nodes that keep these pods not away."
    )
    node_selector: Annotated[dict[str, str], AfterValidator(_check_labels)] | None = Field(
        default=None, description="Labels of the nodes on which the pods may run."
    )
    image_pull_secrets: list[SecretReference] | None = Field(
        default=None,
        description="Secrets in the execution namespace for the images of steps, in place of those "
        "of the run's ServiceAccount. The first is for the bundle, too, beside the account's.",
    )
    annotations: Annotated[dict[str, str], AfterValidator(_check_annotations)] | None = Field(
        default=None, description="Annotations of the run, which Tekton copies to its pods."
    )
    security_context: PodSecurityContext | None = Field(
        default=None,
        description="Fields of the pods' security context that differ from the usual ones.",
    )

    def to_template(self) -> dict[str, Any]:
        """The fields that are given, in the form of Tekton's pod template; without annotations."""
        return self.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude={"annotations"}
        )


def parse_run_pod(raw: Mapping[str, Any]) -> RunPod:
    """Read the pods of runs; raises ValueError with each wrong field, its value and the fix."""
    try:
        return RunPod.model_validate(raw)
    except ValidationError as error:
        raise ValueError("; ".join(map(_problem, error.errors()))) from error


def _problem(item: ErrorDetails) -> str:
    field = ".".join(map(str, item["loc"]))
    if item["type"] == "extra_forbidden":
        known = ", ".join(sorted(one.alias or "" for one in RunPod.model_fields.values()))
        fix = f"there are {known}" if len(item["loc"]) == 1 else "correct its name, or take it out"
        return f"{field}: no such field; {fix}"
    # A check of ours names the value in its message.
    given = "" if item["type"] in ("missing", "value_error") else f"{item['input']!r:.200}: "
    return f"{field}: {given}{message_of_field(item)}"
