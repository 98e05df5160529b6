"""Sets of IP addresses as disjoint ranges, so that ``0.0.0.0/0 except 10.0.0.0/8`` is a value one can subtract from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from kubeanswers.records import dataclass

Range = tuple[int, int, int]
"""IP version, first and last address as integers."""


@dataclass(frozen=True)
class AddressSet:
    """A set of addresses of both IP versions, as sorted disjoint ranges."""

    ranges: tuple[Range, ...] = ()

    @classmethod
    def of(cls, cidrs: Iterable[str]) -> AddressSet:
        """Return the union of networks or single addresses; host bits are ignored, as Kubernetes does.

        Raises:
            ValueError: a text is no network.
        """
        found: list[Range] = []
        for cidr in cidrs:
            network = ipaddress.ip_network(cidr.strip(), strict=False)
            found.append((network.version, int(network.network_address), int(network.broadcast_address)))
        return cls(_joined(found))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_joined([*self.ranges, *other.ranges]))

    def __and__(self, other: AddressSet) -> AddressSet:
        found = [
            (version, max(low, other_low), min(high, other_high))
            for version, low, high in self.ranges
            for other_version, other_low, other_high in other.ranges
            if version == other_version and low <= other_high and other_low <= high
        ]
        return AddressSet(_joined(found))

    def __sub__(self, other: AddressSet) -> AddressSet:
        left = list(self.ranges)
        for version, low, high in other.ranges:
            left = [part for piece in left for part in _without(piece, version, low, high)]
        return AddressSet(tuple(left))

    def __contains__(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        value = int(address)
        return any(version == address.version and low <= value <= high for version, low, high in self.ranges)

    def __str__(self) -> str:
        texts: list[str] = []
        for version, low, high in self.ranges:
            kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
            texts.extend(str(network) for network in ipaddress.summarize_address_range(kind(low), kind(high)))
        return ", ".join(texts)


def _without(piece: Range, version: int, low: int, high: int) -> list[Range]:
    own, first, last = piece
    if own != version or high < first or last < low:
        return [piece]
    parts: list[Range] = []
    if first < low:
        parts.append((own, first, low - 1))
    if high < last:
        parts.append((own, high + 1, last))
    return parts


def _joined(ranges: Iterable[Range]) -> tuple[Range, ...]:
    found: list[Range] = []
    for version, low, high in sorted(ranges):
        if found and found[-1][0] == version and low <= found[-1][2] + 1:
            found[-1] = (version, found[-1][1], max(high, found[-1][2]))
        else:
            found.append((version, low, high))
    return tuple(found)


PRIVATE: Final = AddressSet.of(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
"""Where pods and nodes are taken to live unless told: RFC 1918, RFC 6598 and RFC 4193 space (an assumption)."""

EVERYWHERE: Final = AddressSet.of(("0.0.0.0/0", "::/0"))
