"""Settings of the operator: one validated object, read from flags and environment (``WFE_…``).

Only the command line reads them, once at start; it passes values on to the rest of the program.
"""

import json
import os
import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from workflowexecution.api import identity
from workflowexecution.api.fields import Duration
from workflowexecution.api.pod import RunPod, parse_run_pod
from workflowexecution.core.guards import Guards
from workflowexecution.core.names import Shard, parse_shard

# The level "restricted" of the Pod Security Standards, with a user that owns no files.
_RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "fsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_URL = re.compile(r"https?://[^\s/]+\S*")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _read_names(value: Any) -> Any:
    """Accept ``a,b`` as well as a list."""
    return (
        [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str)
        else value
    )


def _default_address() -> str:
    """All addresses in a pod, for kubelet and Prometheus; elsewhere loopback only."""
    return "" if "KUBERNETES_SERVICE_HOST" in os.environ else "127.0.0.1"


def _read_object(value: Any) -> Any:
    """Accept JSON text as well as a mapping."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(
            f"{value!r} is not a JSON object; write it like '{{\"runAsNonRoot\": true}}'"
        )
    return found


JsonObject = Annotated[dict[str, Any], NoDecode, BeforeValidator(_read_object)]
Names = Annotated[list[str], NoDecode, BeforeValidator(_read_names)]


def _read_shard(value: Any) -> Any:
    return parse_shard(value) if isinstance(value, str) else value


# A shard is text on the command line and in the environment.
ShardText = Annotated[Shard, NoDecode, BeforeValidator(_read_shard), PlainSerializer(str)]


class Settings(BaseSettings):
    """Settings of the operator. A flag overrides the environment."""

    model_config = SettingsConfigDict(env_prefix="WFE_", extra="ignore")

    execution_namespace: str = Field(
        default=identity.DEFAULT_EXECUTION_NAMESPACE,
        description="Namespace in which all PipelineRuns are created.",
    )
    watch_namespaces: Names = Field(
        default=[],
        description="Namespaces whose WorkflowExecutions are served, comma separated; empty: all.",
    )
    cooldown: Duration = Field(
        default=timedelta(minutes=5),
        description="Time until the same workflow may run on its target again; 0s turns it off.",
    )
    guard_failed: bool = Field(
        default=False,
        description="Whether a person has to clear a failure after a step had started on a target.",
    )
    guard_retries: bool = Field(
        default=False,
        description="Whether failures before a workflow begins are counted, with growing pauses.",
    )
    retry_limit: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Most such failures in a row on a target, where these are counted.",
    )
    first_retry_pause: Duration = Field(
        default=timedelta(minutes=1),
        description="Pause after the first such failure; doubled with each.",
    )
    longest_retry_pause: Duration = Field(
        default=timedelta(minutes=10),
        description="Longest pause after such a failure.",
    )
    allowed_service_accounts: Names = Field(
        default=[],
        description="ServiceAccounts that executions may name, comma separated; empty: any.",
    )
    run_security_context: JsonObject = Field(
        default=_RESTRICTED,
        description="Security context of the runs' pods, as JSON; {} leaves it to the cluster.",
    )
    run_pod: JsonObject = Field(
        default={},
        description="Part of the pods of all runs, as JSON: priorityClassName, tolerations, "
        "nodeSelector, imagePullSecrets, annotations, securityContext.",
    )
    finally_timeout: Duration = Field(
        default=timedelta(minutes=10),
        description="Time for the finally tasks of a workflow, beside its time limit.",
    )
    cancel_grace: Duration = Field(
        default=timedelta(minutes=2),
        description="Time for each way to end a run before the next one is tried: "
        "cancelling its tasks and running those in finally, cancelling all, deleting it.",
    )
    deadline_grace: Duration = Field(
        default=timedelta(minutes=5),
        description="Time after its time limit until a run that Tekton does not end is given up.",
    )
    leftover_grace: Duration = Field(
        default=timedelta(seconds=30),
        description="Time for pods of an ended run to stop before they are deleted.",
    )
    run_retention: Duration = Field(
        default=timedelta(hours=168),
        description="Time that runs that succeeded are kept, at least the cooldown; 0s: for ever.",
    )
    failed_run_retention: Duration = Field(
        default=timedelta(hours=720),
        description="Time that runs that failed are kept, at least the cooldown; 0s: for ever.",
    )
    execution_retention: Duration = Field(
        default=timedelta(0),
        description="Time that ended executions are kept, at least the cooldown; 0s: for ever.",
    )
    progress_interval: Duration = Field(
        default=timedelta(seconds=5),
        description="Shortest time between two writes of the progress of one run to its status.",
    )
    resync_interval: Duration = Field(
        default=timedelta(minutes=10),
        description="Time between two lists of everything, as a safeguard against lost events.",
    )
    concurrency: int = Field(default=32, ge=1, le=500, description="Executions worked on at once.")
    shard: ShardText = Field(
        default=Shard(),
        description="Which targets are served: 2/5 is the second of five parts, 1/1 all.",
    )
    leader_election: bool = Field(
        default=False,
        description="Whether only one of several operators works at a time; needed for replicas.",
    )
    lease_namespace: str = Field(
        default=identity.DEFAULT_OPERATOR_NAMESPACE,
        description="Namespace of the Lease by which the leader is known.",
    )
    metrics_port: int = Field(
        default=9090, ge=0, le=65535, description="Port of /metrics; 0 picks a free one."
    )
    probes_port: int = Field(
        default=8081,
        ge=0,
        le=65535,
        description="Port of /healthz and /readyz; 0 picks a free one.",
    )
    page: Literal["off", "loopback", "cluster"] = Field(
        default="off",
        description="Status page: loopback serves all who can reach this machine's own address, "
        "as by kubectl port-forward; cluster has the API server review each visitor's token.",
    )
    page_port: int = Field(
        default=8080, ge=0, le=65535, description="Port of the status page; 0 picks a free one."
    )
    page_audience: str = Field(
        default="",
        description="Audience that visitors' tokens must be made for, so that no other service "
        "accepts them; empty: that of the API server.",
    )
    bind_address: str = Field(
        default_factory=_default_address,
        description="Address of both ports; empty, as in a pod: every one.",
    )
    traces_endpoint: str = Field(
        default="",
        description="Where traces go by OTLP/HTTP, e.g. http://collector:4318/v1/traces; "
        "empty: nowhere.",
    )
    cloudevents_sink: str = Field(
        default="",
        description="URL that a CloudEvent is posted to for each phase; empty: none is.",
    )
    cloudevents_window: Duration = Field(
        default=timedelta(hours=24),
        description="Time that a CloudEvent is sent again until the sink takes it.",
    )
    log_format: Literal["json", "text"] = Field(
        default="json", description="json for machines, text for people."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )

    @property
    def guards(self) -> Guards:
        """The guards that are turned on."""
        return Guards(
            failed=self.guard_failed,
            retry_limit=self.retry_limit if self.guard_retries else 0,
            first_pause=self.first_retry_pause,
            longest_pause=self.longest_retry_pause,
        )

    @property
    def pod(self) -> RunPod:
        """The settings that all pods of runs have."""
        return parse_run_pod(self.run_pod)

    @field_validator("run_pod")
    @classmethod
    def _is_run_pod(cls, value: dict[str, Any]) -> dict[str, Any]:
        parse_run_pod(value)
        return value

    @field_validator("execution_namespace", "lease_namespace")
    @classmethod
    def _is_namespace(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(
                f"{value!r} is not a namespace; use lower-case letters, digits and '-'"
            )
        return value

    @field_validator("traces_endpoint", "cloudevents_sink")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not _URL.fullmatch(value):
            raise ValueError(f"{value!r} is not a URL; write it like http://host:4318/path")
        return value

    @field_validator("watch_namespaces")
    @classmethod
    def _are_namespaces(cls, value: list[str]) -> list[str]:
        return [cls._is_namespace(name) for name in value]

    @field_validator("cooldown", "run_retention", "failed_run_retention", "execution_retention")
    @classmethod
    def _is_not_negative(cls, value: timedelta) -> timedelta:
        if value < timedelta(0):
            raise ValueError("must be 0s or longer, e.g. 5m")
        return value

    @field_validator(
        "first_retry_pause",
        "longest_retry_pause",
        "finally_timeout",
        "cancel_grace",
        "deadline_grace",
        "leftover_grace",
        "progress_interval",
        "resync_interval",
        "cloudevents_window",
    )
    @classmethod
    def _is_positive(cls, value: timedelta) -> timedelta:
        if value <= timedelta(0):
            raise ValueError("must be longer than zero, e.g. 10m")
        return value
