"""Further ways between tenants, each told by single objects: a finding, and the pairs of tenants it opens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tenancykit.auditing.paths.deliverers import delivery_paths
from tenancykit.auditing.paths.devices import device_paths
from tenancykit.auditing.paths.ingresses import ingress_paths
from tenancykit.auditing.paths.model import Path, Scene
from tenancykit.auditing.paths.networks import network_paths
from tenancykit.auditing.paths.secrets import secret_paths
from tenancykit.auditing.paths.servers import server_paths
from tenancykit.auditing.paths.volumes import volume_paths

_LOOKS: Final = (
    ingress_paths,
    secret_paths,
    device_paths,
    volume_paths,
    network_paths,
    server_paths,
    delivery_paths,
)

PATH_RULES: Final = {
    "ingress-snippet": "Ingresses of tenants run configuration in a controller that serves everybody",
    "secret-cross-tenant": "A Secret of one tenant reaches another",
    "secret-store-open": "Tenants read a secret store with the platform's credentials",
    "reference-granted": "A tenant's objects may name another tenant's",
    "server-of-tenant": "A tenant serves what the API server asks about objects of others",
    "device-open": "A tenant reaches devices past quota and allocation",
    "volume-open": "A tenant may claim a volume made by hand",
    "network-secondary": "Pods of several tenants share a network no NetworkPolicy governs",
}
"""What each rule that only these ways break looks for."""


def all_paths(scene: Scene) -> Iterator[Path]:
    """Yield every way that single objects open; without tenants there is nobody to go it."""
    if not scene.everybody:
        return
    for look in _LOOKS:
        yield from look(scene)
