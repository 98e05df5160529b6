"""A cluster's devices while pods are bound: which claims hold what, and where a pod's claims let it go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kubeanswers.scheduling.allocation import (
    INVALID,
    Allocation,
    ClaimError,
    DeviceTest,
    InUse,
    Pool,
    pools,
)
from kubeanswers.scheduling.claims import (
    CLAIM,
    CLASS,
    SLICE,
    TEMPLATE,
    Offers,
    Option,
    Reach,
    ResourceClaim,
)
from kubeanswers.scheduling.claims import Request as DeviceRequest
from kubeanswers.scheduling.values import Machine, Pod

ELSEWHERE: Final = "resourceclaim not available on the node"
NONE_LEFT: Final = "cannot allocate all claims"
_RANKS: Final = 8
"""Alternatives a request has at most; the first is worth as many points."""


class Devices:
    """Devices of a cluster and the claims to them.

    Attributes:
        offers: what the dump says.
        test: evaluates selectors; ``None`` where nothing does.
    """

    def __init__(self, offers: Offers, test: DeviceTest | None = None) -> None:
        self.offers = offers
        self.test = test
        self._claims = dict(offers.claims)
        self._pools: dict[str, list[Pool]] = {}
        self._by_resource = {found.resource: found for found in offers.classes.values() if found.resource}
        self._by_resource |= {f"deviceclass.resource.kubernetes.io/{name}": c for name, c in offers.classes.items()}

    def backs(self, resource: str) -> bool:
        """Return whether devices stand in for an extended resource where a machine has none of it."""
        return resource in self._by_resource

    def asks(self, pod: Pod) -> bool:
        """Return whether a pod asks for devices."""
        return bool(pod.device_claims) or any(map(self.backs, pod.requests))

    def undecided(self, pod: Pod) -> bool:
        """Return whether the dump, or the lack of an evaluator, leaves nothing to be said of the pod's devices."""
        absent = {
            TEMPLATE if made else CLAIM for name, made in pod.device_claims if self._claim(pod, name, made) is None
        }
        if absent and not absent & self.offers.kinds:
            return True
        options = [o for claim in self._of(pod) if claim.taken is None for r in claim.requests for o in r.options]
        selectors = [one for option in options for one in self._expressions(option)]
        standing_in = [self._by_resource[name] for name in pod.requests if self.backs(name)]
        selectors += [one for found in standing_in for one in found.selectors]
        if not options and not standing_in:
            return False
        return not {SLICE, CLASS} <= self.offers.kinds or (self.test is None and bool(selectors))

    def upfront(self, pod: Pod) -> str:
        """Return why the pod cannot go anywhere yet, worded like the scheduler; empty where it can."""
        for name, template in pod.device_claims:
            claim = self._claim(pod, name, template)
            if claim is None and template:
                return f'pod "{pod.key}": ResourceClaim not created yet'
            if claim is None:
                return f'could not find ResourceClaim "{pod.namespace}/{name}"'
            if claim.deleting:
                return f'resourceclaim "{name}" is being deleted'
        open_claims = (claim for claim in self._of(pod) if claim.taken is None)
        for option in (option for claim in open_claims for request in claim.requests for option in request.options):
            if option.device_class not in self.offers.classes:
                asked = f"{option.request}/{option.sub}" if option.sub else option.request
                return f"request {asked}: device class {option.device_class} does not exist"
        return ""

    def refusal(self, pod: Pod, machine: Machine) -> str:
        """Return why the pod's claims cannot be satisfied from a machine; empty where they can.

        Raises:
            ClaimError: a claim or class is wrong in itself.
        """
        wanted = self._wanted(pod, machine)
        if wanted and self._allocate(wanted, machine) is None:
            return INVALID if any(pool.invalid for pool in self._pools_of(machine)) else NONE_LEFT
        return ELSEWHERE if any(not reach.holds(machine) for claim in self._of(pod) for reach in claim.reach) else ""

    def free(self, pod: Pod, machines: Sequence[Machine]) -> bool:
        """Take devices back from the pod's claims that nobody uses and that keep it from a machine; whether any was."""
        for claim in self._of(pod):
            used = set(claim.users) - {pod.name}
            if claim.taken is not None and not used and not all(r.holds(m) for r in claim.reach for m in machines):
                self._claims[claim.key] = replace(claim, taken=None, reach=())
                return True
        return False

    def points(self, pod: Pod, machine: Machine) -> int:
        """Return points for alternatives that come early in their lists, where anything is to be allocated."""
        wanted = self._wanted(pod, machine)
        if not wanted:
            return 0
        found = self._allocate(wanted, machine)
        held = [(claim.key, claim.taken) for claim in self._of(pod) if claim.taken is not None]
        new = zip((claim.key for claim in wanted), found.results() if found else (), strict=False)
        ranks = {(key, one.request): one.rank for key, taken in (*held, *new) for one in taken}
        return sum(_RANKS - rank for rank in ranks.values() if rank is not None)

    def bind(self, pod: Pod, machine: Machine) -> None:
        """Give the pod's claims their devices on its machine."""
        if not self.asks(pod) or self.undecided(pod):
            return
        wanted = self._wanted(pod, machine)
        found = self._allocate(wanted, machine)
        for claim, taken in zip(wanted, found.taken if found else (), strict=False):
            local = any(device.reach.name or device.sticks for _, device, _ in taken)
            own = tuple(device.reach for _, device, _ in taken if not device.reach.everywhere)
            reach = (Reach(name=machine.name),) if local else own
            self._claims[claim.key] = replace(claim, taken=tuple(one for _, _, one in taken), reach=reach)

    def _allocate(self, wanted: Sequence[ResourceClaim], machine: Machine) -> Allocation | None:
        used = InUse.of(self._claims.values())
        search = Allocation(wanted, self._pools_of(machine), self.offers.classes, used, self.test)
        return search if search.run(machine) else None

    def _pools_of(self, machine: Machine) -> list[Pool]:
        if machine.name not in self._pools:
            self._pools[machine.name] = pools(self.offers.slices, machine)
        return self._pools[machine.name]

    def _wanted(self, pod: Pod, machine: Machine) -> list[ResourceClaim]:
        """Return the claims that have no devices yet, and one for resources that devices stand in for here."""
        found = [claim for claim in self._of(pod) if claim.taken is None]
        requests = tuple(
            DeviceRequest(name, (Option(name, self._by_resource[name].name, count=amount),))
            for name, amount in sorted(pod.requests.items())
            if self.backs(name) and not machine.allocatable.get(name)
        )
        return [*found, ResourceClaim(_extended(pod), requests)] if requests else found

    def _of(self, pod: Pod) -> list[ResourceClaim]:
        claims = (self._claim(pod, name, template) for name, template in pod.device_claims)
        return [claim for claim in claims if claim is not None]

    def _claim(self, pod: Pod, name: str, template: str) -> ResourceClaim | None:
        """Return a claim by name, or the one to be made from a template for the pod."""
        key = f"{pod.namespace}/{name}"
        model = self.offers.templates.get(f"{pod.namespace}/{template}")
        return self._claims.get(key) or (None if model is None else replace(model, key=key))

    def _expressions(self, option: Option) -> tuple[str, ...]:
        found = self.offers.classes.get(option.device_class)
        return (*(found.selectors if found else ()), *option.selectors)


def _extended(pod: Pod) -> str:
    return f"{pod.key}-extended-resources"


__all__ = ["ELSEWHERE", "NONE_LEFT", "ClaimError", "Devices"]
