"""What a pod asks for: its containers, its sidecars, the pod as a whole, and what a kubelet has granted already.

Rules: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers,
pod-level resources (KEP 2837) and in-place resize (KEP 1287).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.compute import busiest, highest, is_huge_page
from kubeanswers.errors import Fault, InputError
from kubeanswers.quantities import millis, whole
from kubeanswers.scheduling.values import CPU, MEMORY

Object = Mapping[str, Any]

DEFAULT_CPU: Final = 100
DEFAULT_MEMORY: Final = 200 * 1024 * 1024
"""What a container that asks for no CPU or memory counts as in scores."""
NOMINAL: Final[Mapping[str, int]] = {CPU: DEFAULT_CPU, MEMORY: DEFAULT_MEMORY}
_MOST: Final = 2**63 - 1
"""The largest amount the API holds; larger ones become this."""


def amount(resource: str, value: Any, where: str) -> int:
    """Return a quantity as a whole number: CPU in milli, everything else in its unit, rounded up.

    Raises:
        InputError: it is not a quantity, or negative.
    """
    try:
        number = millis(value) if resource == CPU else whole(value)
    except (ValueError, TypeError) as error:
        raise InputError(Fault(f"{where}.{resource}", str(error))) from error
    if number < 0:
        raise InputError(Fault(f"{where}.{resource}", f"{value!r} is negative", "zero or more"))
    return min(number, _MOST)


def amounts(values: Any, where: str) -> dict[str, int]:
    """Return a resource list as whole numbers.

    Raises:
        InputError: it is not a mapping, or an amount is not a quantity.
    """
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InputError(Fault(where, f"is {type(values).__name__}, not a mapping", "resource names with quantities"))
    found: dict[str, int] = {}
    faults: list[Fault] = []
    for resource, value in values.items():
        try:
            found[str(resource)] = amount(str(resource), value, where)
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(faults)
    return found


def container_requests(container: Object, where: str, defaults: Mapping[str, int]) -> dict[str, int]:
    """Return a container's requests; a limit stands in for a missing request, a default for a missing both."""
    resources = container.get("resources") or {}
    place = f"{where}: {container.get('name', 'container')}"
    limits = amounts(resources.get("limits"), f"{place} limits")
    return {**defaults, **limits, **amounts(resources.get("requests"), f"{place} requests")}


class Granted:
    """What a pod's status says was granted to its containers; a resize in flight counts at the larger amount."""

    def __init__(self, status: Object, where: str) -> None:
        named = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
        self._where = where
        self._by_name = {one.get("name"): one for one in named if one.get("resources") is not None}
        self._infeasible = any(
            one.get("type") == "PodResizePending" and one.get("reason") == "Infeasible"
            for one in status.get("conditions") or ()
        )

    def effective(self, name: Any, asked: Mapping[str, int]) -> Mapping[str, int]:
        """Return what counts for a container that asks for some amounts."""
        found = self._by_name.get(name)
        if found is None:
            return asked
        place = f"{self._where}: status of {name}"
        held = highest(
            amounts((found.get("resources") or {}).get("requests"), place),
            amounts(found.get("allocatedResources"), place),
        )
        return held if self._infeasible else highest(asked, held)


def total_requests(spec: Object, where: str, status: Object | None = None) -> dict[str, int]:
    """Return what a pod asks for without overhead: its containers, or an init container that asks for more.

    Requests of the pod as a whole replace the sums.
    """
    return {**_containers(spec, where, {}, Granted(status or {}, where)), **pod_level(spec, where)}


def nominal_requests(spec: Object, where: str, status: Object | None = None) -> dict[str, int]:
    """Return the same with something for containers that ask for no CPU or memory, as scores count pods that run."""
    whole = pod_level(spec, where)
    known = total_requests(spec, where, status) if whole else {}
    defaults = {name: value for name, value in NOMINAL.items() if name not in known}
    return {**_containers(spec, where, defaults, Granted(status or {}, where)), **whole}


def scored_requests(spec: Object, where: str) -> dict[str, int]:
    """Return what the resource score of Kubernetes 1.36 counts for a pod to be placed: its containers alone."""
    return _containers(spec, where, NOMINAL, Granted({}, where))


def _containers(spec: Object, where: str, defaults: Mapping[str, int], granted: Granted) -> dict[str, int]:
    """Return the largest amounts in use at one time; what a sidecar was granted counts, as it stays."""

    def staying(container: Object) -> dict[str, int]:
        return {**defaults, **granted.effective(container.get("name"), container_requests(container, where, {}))}

    return busiest(spec, staying, lambda container: container_requests(container, where, defaults))


def pod_level(spec: Object, where: str) -> dict[str, int]:
    """Return the requests of the pod as a whole, filled in as the API server does.

    Where it has limits, the requests it leaves out are its containers' sums, or else the limits.
    """
    own = spec.get("resources") or {}
    limits = _whole_pod(amounts(own.get("limits"), f"{where}: spec.resources.limits"))
    asked = _whole_pod(amounts(own.get("requests"), f"{where}: spec.resources.requests"))
    if not limits:
        return asked
    summed = _containers(spec, where, {}, Granted({}, where))
    return {**limits, **{name: summed[name] for name in (CPU, MEMORY) if name in summed}, **asked}


def _whole_pod(values: Mapping[str, int]) -> dict[str, int]:
    """Return the resources a pod can ask for as a whole."""
    return {k: v for k, v in values.items() if k in (CPU, MEMORY) or is_huge_page(k)}
