"""Network rules of any kind of policy in one form: who is selected, which peers and ports, what is done."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from kubeanswers.network.addresses import AddressSet
from kubeanswers.objects import ManifestObject, scalar_text
from kubeanswers.records import dataclass
from kubeanswers.scalars import whole_number
from kubeanswers.selectors import EVERYTHING, Selector

INGRESS: Final = "Ingress"
EGRESS: Final = "Egress"
PROTOCOLS: Final = ("TCP", "UDP", "SCTP")


class Tier(Enum):
    """When a policy is asked: administrators first, then the namespace's own, then the baseline."""

    ADMIN = 0
    NAMESPACE = 1
    BASELINE = 2


class Action(Enum):
    """What a matching rule does."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"  # noqa: S105 - the API's word for leaving it to the next tier


@dataclass(frozen=True, slots=True)
class PortMatch:
    """One entry of a rule's ports: a protocol and a range, or a name the destination pod resolves."""

    protocol: str
    first: int = 1
    last: int = 65535
    name: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """One entry of a rule's peers: pods by selectors, or addresses.

    Attributes:
        namespaces: selects namespaces; None for the policy's own.
        pods: selects pods in them.
        addresses: an ipBlock's or network's addresses; None for a pod peer.
        nodes: the peer is the cluster's nodes.
        outside: the addresses mean what is outside the cluster only, never a pod.
    """

    namespaces: Selector | None = None
    pods: Selector = EVERYTHING
    addresses: AddressSet | None = None
    nodes: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule; ``peers`` None means everybody, ``ports`` None means every port."""

    peers: tuple[Peer, ...] | None
    ports: tuple[PortMatch, ...] | None
    action: Action = Action.ALLOW


@dataclass(frozen=True, eq=False, slots=True)
class Policy:
    """One policy in one direction.

    Attributes:
        source: the object it comes from.
        tier: when it is asked.
        direction: ``Ingress`` or ``Egress``.
        namespace: the policy's own namespace; empty for a cluster-wide one.
        namespaces: selects the namespaces it applies to; None for its own.
        pods: selects the pods it applies to.
        rules: in the order they are tried.
        order: sort key within the tier; lower is asked first.
        isolates: for a namespace's policy, whether the pods it applies to refuse what no policy allows.
    """

    source: ManifestObject
    tier: Tier
    direction: str
    namespace: str
    namespaces: Selector | None
    pods: Selector
    rules: tuple[PolicyRule, ...]
    order: tuple[int, str] = (0, "")
    isolates: bool = True

    def __str__(self) -> str:
        return str(self.source)


def addresses_of(cidrs: Iterable[str]) -> AddressSet:
    """Return the union of the networks that are well formed; the API server refuses the others."""
    found = AddressSet()
    for cidr in cidrs:
        try:
            found = found | AddressSet.of([cidr])
        except ValueError:
            continue
    return found


def port_number(value: object) -> int:
    """Return a port number; 0 for what is none, which no connection has."""
    return whole_number(scalar_text(value), most=65535) or 0
