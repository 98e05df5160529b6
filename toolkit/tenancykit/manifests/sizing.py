"""What a tenant's workloads ask for together, and the caps that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from math import ceil
from typing import Final

from kubeanswers.quantities import GIB, MIB
from kubeanswers.records import dataclass
from tenancykit.design.model import ClassDesign
from tenancykit.manifests.devices import ClassDevices, DeviceRequest
from tenancykit.scenario.model import Workload

HEADROOM: Final = 1.25
"""Assumption: quotas leave a quarter above the stated demand for rolling updates; GPUs are not rounded up."""
SCRATCH: Final = 2 * GIB
"""Assumption: local scratch space (emptyDir and logs) of one pod."""
DEFAULT_REQUEST: Final[Mapping[str, str]] = {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "256Mi"}
"""Assumption: what a container asks for that states nothing; a quota does not count what is not asked for."""


@dataclass(frozen=True)
class Demand:
    """What one tenant's workloads request at full size.

    Attributes:
        pods: pods.
        cpu_milli: CPU requests with the runtime's overhead, millicores.
        memory: memory requests with the runtime's overhead, bytes.
        storage: persistent storage, bytes.
        volumes: PersistentVolumeClaims.
        devices: extended resources by name.
        claims: devices by DeviceClass (DRA).
        milli_gpus: GPUs in thousandths, however they are cut.
        exposed: workloads called from outside their pods.
        largest_cpu: largest CPU request of one pod, millicores.
        largest_memory: largest memory request of one pod, bytes.
    """

    pods: int = 0
    cpu_milli: int = 0
    memory: int = 0
    storage: int = 0
    volumes: int = 0
    devices: dict[str, int] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    milli_gpus: int = 0
    exposed: int = 0
    largest_cpu: int = 0
    largest_memory: int = 0

    @property
    def gpus(self) -> int:
        """Whole GPUs that hold everything asked for."""
        return ceil(self.milli_gpus / 1000)


def total_demand(workloads: Iterable[tuple[Workload, int]], found: ClassDesign, devices_of: ClassDevices) -> Demand:
    """Return what the workloads ask for together, the sandbox of each pod and a virtual control plane included."""
    pods, cpu, memory = _control_plane(found)
    storage = volumes = gpus = exposed = largest_cpu = largest_memory = 0
    devices: dict[str, int] = {}
    claims: dict[str, int] = {}
    for workload, replicas in workloads:
        request = devices_of.request(workload)
        extra_cpu, extra_memory = overhead(found, has_gpu=request.has_gpu)
        pods += replicas
        cpu += replicas * (workload.cpu + extra_cpu)
        memory += replicas * (workload.memory + extra_memory)
        largest_cpu = max(largest_cpu, workload.cpu + extra_cpu)
        largest_memory = max(largest_memory, workload.memory + extra_memory)
        gpus += replicas * request.milli_gpus
        for name, count in request.limits.items():
            devices[name] = devices.get(name, 0) + replicas * count
        if request.claim:
            name = device_class(found.tenant_class.id, request)
            claims[name] = claims.get(name, 0) + replicas * max(1, request.milli_gpus // 1000)
        if workload.storage:
            copies = 1 if workload.storage.shared else replicas
            storage += copies * workload.storage.size
            volumes += copies
        exposed += workload.exposure is not None
    return Demand(pods, cpu, memory, storage, volumes, devices, claims, gpus, exposed, largest_cpu, largest_memory)


def overhead(found: ClassDesign, *, has_gpu: bool) -> tuple[int, int]:
    """Return what the runtime adds to a pod: millicores and bytes, as its RuntimeClass states them.

    Quotas count it: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-overhead/
    """
    sandbox = found.sandbox
    if "vm-nodes" in found.facts and found.cluster.per_tenant:
        return 0, 0  # pods run inside the guest; the guest's own cost is the host cluster's
    cpu, memory = sandbox.cpu_milli, sandbox.memory_mib
    if has_gpu:
        cpu = sandbox.gpu_cpu_milli if sandbox.gpu_cpu_milli is not None else cpu
        memory = sandbox.gpu_memory_mib if sandbox.gpu_memory_mib is not None else memory
    return cpu, memory * MIB


def device_class(class_id: str, request: DeviceRequest) -> str:
    """Return the name of the DeviceClass a class's claims use."""
    suffix = f"mig-{request.profile.replace('.', '-')}" if request.profile else "gpu"
    return f"tenancykit-{class_id}-{suffix}"


def with_headroom(amount: int, unit: int = 1) -> int:
    """Return an amount with headroom, rounded up to a whole unit."""
    return ceil(amount * HEADROOM / unit) * unit


_CONTROL_PLANES: Final = {"virtual": (4, 1000, 2 * GIB)}
"""Assumption: pods, millicores and bytes kept free in a tenant's namespace for a virtual control plane and its DNS;
above the charts' requests (vCluster: 220m and 320 MiB; https://github.com/loft-sh/vcluster/blob/main/chart/values.yaml)."""


def _control_plane(found: ClassDesign) -> tuple[int, int, int]:
    pods, cpu, memory = _CONTROL_PLANES.get(found.cluster.control_plane, (0, 0, 0))
    if pods and "high-availability" in found.facts:
        return pods + 6, cpu * 3, memory * 3
    return pods, cpu, memory
