"""All names, labels and annotations that the operator gives, and the keys of targets; no I/O."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MANAGED_BY: Final = "workflowexecution-operator"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
KEY_EXECUTION: Final = "kubernaut.ai/workflow-execution"
KEY_EXECUTION_UID: Final = "kubernaut.ai/workflow-execution-uid"
KEY_SOURCE_NAMESPACE: Final = "kubernaut.ai/source-namespace"
KEY_WORKFLOW_ID: Final = "kubernaut.ai/workflow-id"
KEY_TARGET: Final = "kubernaut.ai/target-resource"
KEY_TARGET_HASH: Final = "kubernaut.ai/target-hash"
KEY_REQUEST: Final = "kubernaut.ai/remediation-request"
KEY_REQUEST_NAMESPACE: Final = "kubernaut.ai/remediation-request-namespace"
KEY_REQUEST_UID: Final = "kubernaut.ai/remediation-request-uid"
# On an execution, set by its creator: the parent span, in the format of W3C.
TRACEPARENT: Final = "kubernaut.ai/traceparent"
# On a run: the parent of Tekton's spans.
TEKTON_SPAN: Final = "tekton.dev/pipelinerunSpanContext"

# In the execution namespace: the settings and the state of each operator, by shard.
SETTINGS_CONFIG_MAP: Final = "workflowexecution-settings"

# As many digits as fit into a run's name: no number may hide a run.
_RUN_NAME: Final = re.compile(r"(wfe-[0-9a-f]{16})(?:-([0-9]{1,42}))?")
# No target has so many runs: a person gave such a number, and the next one does not follow it.
RUN_NUMBER_LIMIT: Final = 10**9
_HASH: Final = re.compile(r"[0-9a-f]{16}")
_LABEL_MAX: Final = 63
_LOOKS_HASHED: Final = re.compile(r"(^|-)sha256-[0-9a-f]{10}$")
_LABEL_OK: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_DIGITS: Final = 16
_TEXT: Final = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})")

# The form of a kind of several words in the lock: the one that people write, so that the key of the
# lock is a hash of the target exactly as they wrote it. A kind of one word has its form by a rule.
# Part of the lock: a change of this list changes the names of runs, and two operators of different
# versions could then launch two runs on one object. So nothing is ever added or removed. A kind
# that is not listed is locked just as well, under another form.
_OF_SEVERAL_WORDS: Final = """
APIService CSIDriver CSINode CSIStorageCapacity CertificateSigningRequest ClusterRole
ClusterRoleBinding ClusterTrustBundle ComponentStatus ConfigMap ControllerRevision CronJob
CustomResourceDefinition DaemonSet DeviceClass EndpointSlice FlowSchema HorizontalPodAutoscaler
IPAddress IngressClass LeaseCandidate LimitRange MutatingAdmissionPolicy
MutatingAdmissionPolicyBinding MutatingWebhookConfiguration NetworkPolicy PersistentVolume
PersistentVolumeClaim PodDisruptionBudget PodTemplate PriorityClass PriorityLevelConfiguration
ReplicaSet ReplicationController ResourceClaim ResourceClaimTemplate ResourceQuota ResourceSlice
RoleBinding RuntimeClass ServiceAccount ServiceCIDR StatefulSet StorageClass StorageVersion
ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration
VolumeAttachment VolumeAttributesClass

AnalysisRun AnalysisTemplate AppProject ApplicationSet AuthorizationPolicy BackendTLSPolicy
CephCluster CiliumNetworkPolicy ClusterAnalysisTemplate ClusterExternalSecret ClusterIssuer
ClusterSecretStore CronWorkflow CustomRun DNSEndpoint DestinationRule EnvoyFilter ExternalSecret
GRPCRoute GatewayClass GitRepository GlobalNetworkPolicy HTTPRoute HelmChart HelmRelease
HelmRepository ImagePolicy IngressRoute KafkaConnect KafkaTopic KafkaUser MachineDeployment
MachineHealthCheck MachineSet NodeClaim NodeClass NodePool OCIRepository PeerAuthentication
PipelineRun PodMonitor PrometheusRule ReferenceGrant RequestAuthentication ScaledJob ScaledObject
SealedSecret SecretStore ServiceEntry ServiceMonitor TCPRoute TLSRoute TaskRun UDPRoute
VerticalPodAutoscaler VirtualMachine VirtualMachineInstance VirtualService VolumeSnapshot
VolumeSnapshotClass VolumeSnapshotContent WorkflowTemplate WorkloadEntry
"""
# By the lower-case form.
KIND_FORMS: Final = {kind.lower(): kind for kind in _OF_SEVERAL_WORDS.split()}


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several equal parts of all targets: ``number``, from 1, ``of`` the total."""

    number: int = 1
    of: int = 1

    def holds(self, target_key: str) -> bool:
        """Whether a target is in this part; its key ends in 16 hex digits of a hash."""
        return self.of == 1 or int(target_key[-_DIGITS:], 16) % self.of == self.number - 1

    def __str__(self) -> str:
        """The form in the settings."""
        return f"{self.number}/{self.of}"


def parts_of(count: int) -> list[Shard]:
    """All parts, for a total of this many."""
    return [Shard(number, count) for number in range(1, count + 1)]


def parse_shard(text: str) -> Shard:
    """Read ``2/5``; raises ValueError with the problem."""
    match = _TEXT.fullmatch(text)
    shard = Shard(int(match[1]), int(match[2])) if match else None
    if shard is None or shard.number > shard.of:
        raise ValueError(f"{text!r} is no part of a whole; write 2/5 for the second of five")
    return shard


def lock_text(target: str) -> str:
    """The text that is locked for a target: the same one for all spellings of its kind's case.

    Everything else counts unchanged, as does a text that is not a target.
    """
    *namespace, kind, name = target.split("/") if "/" in target else ("", target)
    if len(namespace) > 1 or not (kind.isascii() and kind.isalnum()):
        return target
    return "/".join((*namespace, KIND_FORMS.get(kind.lower()) or kind.capitalize(), name))


def is_same_target(one: str, other: str) -> bool:
    """Whether two texts name one target: they differ at most in the case of the kind."""
    return one == other or lock_text(one) == lock_text(other)


def is_on_target(target: str, wanted: str) -> bool:
    """Whether a filter matches a target; an empty filter matches all."""
    return wanted in ("", target) or is_same_target(wanted, target)


def common_spellings(target: str) -> list[str]:
    """The spellings that people use for a target: this one, the usual one, and lower case."""
    usual = lock_text(target)
    *namespace, kind, name = usual.split("/") if "/" in usual else ("", usual)
    return sorted({target, usual, "/".join(filter(None, (*namespace, kind.lower(), name)))})


@lru_cache(maxsize=4096)
def target_hash(target: str) -> str:
    """First 16 hex digits of the SHA-256 of the target; the case of its kind does not matter."""
    return _hash_of(lock_text(target))


def target_key(target: str) -> str:
    """The key of a target: the common part of all its runs' names, before the run number."""
    return f"wfe-{target_hash(target)}"


def former_target_key(target: str) -> str:
    """The key of a target in earlier versions, which hashed the text exactly as it was written.

    It differs only where the kind is not written in its usual case.
    """
    return f"wfe-{_hash_of(target)}"


def target_keys(target: str) -> tuple[str, str]:
    """The key of a target, and its key in earlier versions."""
    return target_key(target), former_target_key(target)


def is_key_of(key: str, target: str) -> bool:
    """Whether the runs of a target may have this key in their names."""
    return key in target_keys(target)


@lru_cache(maxsize=4096)
def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def target_key_of_hash(digest: str) -> str:
    """The key of a target by its hash; empty where the text is no such hash."""
    return f"wfe-{digest}" if _HASH.fullmatch(digest) else ""


def run_name(target: str, number: int) -> str:
    """Name of run ``number`` (from 1) of a target; at most 31 characters."""
    return numbered(target_key(target), number)


def numbered(key: str, number: int) -> str:
    """Name of run ``number`` (from 1) under a target key."""
    return f"{key}-{number}"


def parse_run_name(name: str) -> tuple[str, int] | None:
    """Target key and number in a run's name; number 0 if it has none; None for a foreign name."""
    match = _RUN_NAME.fullmatch(name)
    return (match[1], int(match[2] or 0)) if match else None


def label_value(text: str) -> str:
    """A valid label value for any text: the text itself if valid, else a readable part and a hash.

    Two different texts give two different values: the hash covers removed characters.
    """
    is_valid = len(text) <= _LABEL_MAX and _LABEL_OK.fullmatch(text)
    # A text that looks hashed is hashed too, or it could equal the value of another text.
    if is_valid and not _LOOKS_HASHED.search(text):
        return text
    digest = f"sha256-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-_.")
    readable = readable[: _LABEL_MAX - len(digest) - 1].rstrip("-_.")
    return f"{readable}-{digest}" if readable else digest


def text_of_label(value: str) -> str:
    """The text behind a label value; empty where the value shows only a part of it."""
    return value if value and label_value(value) == value else ""


def lease_name(shard: Shard) -> str:
    """Name of the Lease of a shard's leader."""
    parts = "" if shard.of == 1 else f"-{shard.number}-of-{shard.of}"
    return f"workflowexecution-controller{parts}"


def settings_key(shard: Shard) -> str:
    """Key of a shard's operator in the ConfigMap of settings."""
    return f"shard-{shard.number}-of-{shard.of}"


def mark_key(shard: Shard) -> str:
    """Key of the annotation there with the time before which every CloudEvent was taken."""
    return f"kubernaut.ai/cloudevents-{settings_key(shard)}"


def field_manager(shard: Shard) -> str:
    """Name under which a shard's operator owns its key in the ConfigMap of settings."""
    return f"{MANAGED_BY}-{settings_key(shard)}"


def event_name(execution_name: str, execution_uid: str, reason: str) -> str:
    """Name of the one Event of an execution for a reason: a second write makes no second Event."""
    digest = hashlib.sha256(f"{execution_uid}/{reason}".encode()).hexdigest()[:16]
    return f"{execution_name[:200].rstrip('-.')}.{digest}"
