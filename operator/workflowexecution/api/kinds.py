"""The form of a kind in the lock: one form for all spellings that differ only in case.

A kind of one word, such as ``Deployment``, has its form by a rule. A kind of several words, such as
``StatefulSet``, is listed here, so that the form is the one that people write: the key of the lock
is then a hash of the target exactly as they wrote it.
"""

from typing import Final

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
FORMS: Final = {kind.lower(): kind for kind in _OF_SEVERAL_WORDS.split()}
