"""IP addresses and networks as Kubernetes' CEL library has them.

Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries (IP and CIDR)
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, ClassVar

from kubeanswers.cel.values import CelError
from kubeanswers.records import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Ip:
    """An IP address."""

    type_name: ClassVar[str] = "net.IP"
    value: Address

    @classmethod
    def parse(cls, text: Any) -> Ip:
        """Return the address of a text; no zone, no IPv4 inside IPv6."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise CelError(f"IP Address {text!r} parse error during conversion from string") from None
        if "%" in text or getattr(address, "ipv4_mapped", None) is not None:
            raise CelError(f"IP Address {text!r} is IPv4-mapped or has a zone")
        return cls(address)

    def cel_text(self) -> str:
        """Return the address as text."""
        return str(self.value)


@dataclass(frozen=True)
class Cidr:
    """A network: an address and a prefix length; host bits may be set."""

    type_name: ClassVar[str] = "net.CIDR"
    address: Address
    prefix: int

    @classmethod
    def parse(cls, text: Any) -> Cidr:
        """Return the network of a text."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        head, slash, tail = text.partition("/")
        address = Ip.parse(head).value
        if not slash or not re.fullmatch(r"0|[1-9][0-9]{0,2}", tail) or int(tail) > address.max_prefixlen:
            raise CelError(f"network address parse error during conversion from string: {text!r}")
        return cls(address, int(tail))

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The network, host bits cleared."""
        return ipaddress.ip_network(f"{self.address}/{self.prefix}", strict=False)

    def contains_ip(self, other: Any) -> bool:
        """Return whether an address, or its text, lies in the network."""
        address = (other if isinstance(other, Ip) else Ip.parse(other)).value
        return address in self.network

    def contains_cidr(self, other: Any) -> bool:
        """Return whether a network, or its text, lies in this one."""
        inner = other if isinstance(other, Cidr) else Cidr.parse(other)
        return inner.prefix >= self.prefix and inner.address in self.network

    def cel_text(self) -> str:
        """Return the network as text."""
        return f"{self.address}/{self.prefix}"
