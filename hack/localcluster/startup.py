"""The order in which the programs of a cluster start, and what is put into it on the way."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from localcluster import (
    cgroups,
    controlplane,
    forward,
    images,
    kwok,
    node,
    objects,
    ports,
    sandbox,
    tekton,
)
from localcluster.cluster import Cluster
from localcluster.controlplane import ControlPlane, Endpoint
from localcluster.programs import Tier
from localcluster.report import Reporter
from localcluster.request import Request
from localcluster.services import Service, Services


@dataclass
class Startup:
    """Starts one cluster as ordered; `services` keeps what it started."""

    order: Request
    services: Services
    news: Reporter

    async def run(self) -> None:
        """Start everything and write the cluster's record. Raises ClusterError."""
        endpoint, registry = await self._open_network()
        with_tekton = self.order.tier.serves(Tier.TEKTON)
        cluster = Cluster(
            tier=self.order.tier,
            state=self.order.state,
            server=endpoint.inner,
            token=secrets.token_hex(16),
            registry=f"127.0.0.1:{registry}" if with_tekton else None,
            programs=self.order.programs,
        )
        plane = ControlPlane(cluster, endpoint, self.order.server_flags)
        if with_tekton:
            await self._start_with_tekton(cluster, plane, registry)
        else:
            await self._start_control_plane(cluster, plane, None)
        replace(cluster, server=endpoint.public).save()

    async def _open_network(self) -> tuple[Endpoint, int]:
        """The API server's endpoint and the registry's port, both reachable from this machine."""
        server, registry = ports.listen(), ports.listen()
        number, registry_number = ports.port_of(server), ports.port_of(registry)
        public = f"https://127.0.0.1:{number}"
        if not self.order.isolated:
            server.close()
            registry.close()
            return Endpoint("127.0.0.1", number, public), registry_number
        sandbox.enter(controlplane.NAMESPACE_ADDRESSES)
        if self.order.tier is Tier.NODE:
            cgroups.enter(cgroups.name_for(self.order.state))
            node.hide_the_machine(self.order.state)
        await forward.forward(server, controlplane.HTTPS)
        await forward.forward(registry, registry_number)
        return Endpoint("0.0.0.0", controlplane.HTTPS, public), registry_number

    async def _start_with_tekton(self, cluster: Cluster, plane: ControlPlane, port: int) -> None:
        (webhook_port,) = ports.free(1)
        machine = node.Node(cluster, self.order.state / "node")
        early = [machine.containerd()] if cluster.tier is Tier.NODE else []
        _, pushed, _ = await together(
            self._start_control_plane(cluster, plane, webhook_port),
            self._start_registry(cluster, port),
            self._start_all(*early),
        )
        self.news.step("starting Tekton")
        services = tekton.Tekton(cluster, webhook_port, plane.kubeconfig_of).services(pushed)
        if cluster.tier is Tier.NODE:
            services += [plane.scheduler(), machine.kubelet(plane.kubeconfig_of(node.USER))]
        if cluster.tier is Tier.KWOK:
            await objects.apply_all(cluster, kwok.nodes())
            services += [plane.scheduler(), _kwok(cluster, plane)]
        await self._start_all(*services)

    async def _start_control_plane(
        self, cluster: Cluster, plane: ControlPlane, webhook_port: int | None
    ) -> None:
        self.news.step("starting etcd and the API server")
        await self._start_all(*plane.storage_and_server())
        self.news.step("starting the controllers, applying resource definitions")
        await together(
            self.services.start(plane.controller_manager()),
            self._apply(cluster, webhook_port),
        )

    async def _apply(self, cluster: Cluster, webhook_port: int | None) -> None:
        config = self.order.tekton_config
        crds = tekton.crds(config, webhook_port) + objects.read_folder(self.order.crds)
        if webhook_port is not None:
            await objects.apply_all(cluster, tekton.namespaces(config))
            await objects.apply_all(cluster, tekton.settings(config, webhook_port))
        await objects.apply_all(cluster, crds)
        await together(*(objects.until_established(cluster, crd) for crd in crds))

    async def _start_registry(self, cluster: Cluster, port: int) -> Mapping[str, str]:
        """Start the registry and push the images; returns Tekton's image flags and references."""
        command = [self.order.programs["registry"], f"-port={port}"]
        await self.services.start(Service("registry", command, ready=lambda: ports.accepts(port)))
        return await asyncio.to_thread(images.push_all, cluster)

    async def _start_all(self, *services: Service) -> None:
        await together(*(self.services.start(service) for service in services))


def _kwok(cluster: Cluster, plane: ControlPlane) -> Service:
    (port,) = ports.free(1)
    command = kwok.command(cluster.programs["kwok"], plane.kubeconfig_of("kwok"), port)
    return Service("kwok", command, ready=lambda: node.is_ready(cluster, f"{kwok.NODE_NAME}-0"))


async def together(*steps: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run steps at the same time; the first error cancels the others and is raised (grouped)."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(step) for step in steps]
    return [task.result() for task in tasks]
