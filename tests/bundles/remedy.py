"""Runs remediation bundles as an orchestrator would, each under an account with its own rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.watching import END_S
from harness.audit import Right, events_of, granted, used
from harness.executions import condition_of
from harness.world import World
from localcluster.cluster import Cluster, Object
from localcluster.objects import apply, read

TEKTON = Path(__file__).parents[2] / "tekton"
POWERLESS = "powerless"
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Remedy:
    """The bundles of a world, by the references under which they were pushed."""

    world: World
    references: Mapping[str, str]

    @property
    def cluster(self) -> Cluster:
        """The cluster they run in."""
        return self.world.cluster

    def allow(self, bundle: str, namespace: str = "") -> None:
        """Make the bundle's account and bind its role: in a namespace, or in all of them."""
        account = {"namespace": self.world.execution_namespace, "name": bundle}
        apply(self.cluster, _object("v1", "ServiceAccount", account))
        for role in read(TEKTON / bundle / "role.yaml"):
            apply(self.cluster, role)
            apply(self.cluster, _binding(role["metadata"]["name"], account, namespace))

    def launch(
        self, bundle: str, target: str, account: str | None = None, **parameters: str
    ) -> Object:
        """Create an execution of a bundle, by default under the bundle's own account."""
        ref = {"workflowId": bundle, "version": "1", "containerImage": self.references[bundle]}
        return self.world.create(
            target,
            workflow=bundle,
            workflowRef=ref,
            parameters=parameters,
            executionConfig={"serviceAccountName": account or bundle},
        )

    def told(self, item: Object, seconds: float = END_S) -> str:
        """Wait until an execution is Completed; returns what its status says was done."""
        status = self.world.ended(item, "Completed", seconds)["status"]
        return str(condition_of({"status": status}, "Succeeded")["message"])

    def completed(self, bundle: str, target: str, **parameters: str) -> str:
        """Run a bundle to a good end; returns what the execution's status says was done."""
        return self.told(self.launch(bundle, target, **parameters))

    def failed(self, bundle: str, target: str, **parameters: str) -> tuple[int, str]:
        """Run a bundle to a bad end; returns the step's exit code and what the status says."""
        failure = self.failure(self.launch(bundle, target, **parameters))
        return failure["exitCode"], failure["message"]

    def failure(self, item: Object) -> Object:
        """Wait until an execution is Failed; returns its failureDetails."""
        found: Object = self.world.ended(item, "Failed", END_S)["status"]["failureDetails"]
        return found

    def unused_rights(self, bundle: str, since: int = 0) -> set[Right]:
        """The rights that the bundle's role grants and its account has never used."""
        user = f"system:serviceaccount:{self.world.execution_namespace}:{bundle}"
        return granted(read(TEKTON / bundle / "role.yaml")) - used(
            events_of(self.cluster, user, since)
        )


def _binding(role: str, account: Mapping[str, str], namespace: str) -> Object:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    meta = {"name": f"{role}-{account['namespace']}"} | (
        {"namespace": namespace} if namespace else {}
    )
    return {
        **_object(f"{RBAC}/v1", kind, meta),
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }


def _object(api_version: str, kind: str, meta: Mapping[str, str]) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": dict(meta)}
