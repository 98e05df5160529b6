"""The value kinds Kubernetes adds to CEL: quantities, addresses, URLs, semantic versions, named formats.

Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries
"""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from tenancykit.auditing.cel.values import INT_MAX, INT_MIN, NONE, CelError, Optional, some
from tenancykit.quantities import parse_quantity

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Quantity:
    """A Kubernetes quantity; equal by value, whatever suffix it was written with."""

    type_name: ClassVar[str] = "kubernetes.Quantity"
    value: Decimal

    @classmethod
    def parse(cls, text: Any) -> Quantity:
        """Return the quantity of a text."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        try:
            return cls(parse_quantity(text) if text == text.strip() else _refuse())
        except ValueError:
            raise CelError("quantities must match the regular expression of Kubernetes quantities") from None

    def compare(self, other: Quantity) -> int:
        """Return -1, 0 or 1."""
        return (self.value > other.value) - (self.value < other.value)

    def plus(self, other: Any, sign: int = 1) -> Quantity:
        """Return the sum with a quantity or int."""
        amount = other.value if isinstance(other, Quantity) else Decimal(int(other))
        return Quantity(self.value + sign * amount)

    @property
    def whole(self) -> bool:
        """Whether an int holds it."""
        return self.value == self.value.to_integral_value() and INT_MIN <= self.value <= INT_MAX

    def as_integer(self) -> int:
        """Return the quantity as int."""
        if not self.whole:
            raise CelError("cannot convert value to integer")
        return int(self.value)


def _refuse() -> Decimal:
    raise ValueError


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
        if not slash or not re.fullmatch(r"0|[1-9]\d{0,2}", tail) or int(tail) > address.max_prefixlen:
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


@dataclass(frozen=True)
class Url:
    """A URL with a scheme and host, or an absolute path."""

    type_name: ClassVar[str] = "kubernetes.URL"
    text: str

    @classmethod
    def parse(cls, text: Any) -> Url:
        """Return the URL of a text."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        try:
            parts = urllib.parse.urlsplit(text)
            _ = parts.port
        except ValueError:
            raise CelError(f"URL parse error during conversion from string: {text!r}") from None
        bad = re.search(r"[\x00-\x1f\x7f ]|%(?![0-9a-fA-F]{2})", text)
        if bad or not ((parts.scheme and re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", text)) or text.startswith("/")):
            raise CelError(f"URL parse error during conversion from string: {text!r}")
        return cls(text)

    def part(self, name: str) -> Any:
        """Return one part of the URL."""
        parts = urllib.parse.urlsplit(self.text)
        host = parts.netloc.rpartition("@")[2]
        match name:
            case "getScheme":
                return parts.scheme
            case "getHost":
                return host
            case "getHostname":
                return re.sub(r":\d*$", "", host).strip("[]")
            case "getPort":
                return str(parts.port) if parts.port is not None else ""
            case "getEscapedPath":
                return parts.path
        return {key: list(values) for key, values in urllib.parse.parse_qs(parts.query, keep_blank_values=True).items()}


_SEMVER: Final = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)


@functools.total_ordering
@dataclass(frozen=True, eq=False)
class Semver:
    """A semantic version; ordered by precedence, build metadata aside."""

    type_name: ClassVar[str] = "kubernetes.Semver"
    numbers: tuple[int, int, int]
    pre: tuple[str, ...]

    @classmethod
    def parse(cls, text: Any, normalize: bool = False) -> Semver:
        """Return the version of a text; normalised, ``v1.2`` is 1.2.0."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        if normalize:
            text = text.removeprefix("v")
            core, sign, rest = re.match(r"([^-+]*)([-+]?)(.*)", text).groups()  # type: ignore[union-attr]
            parts = [part.lstrip("0") or "0" if part else part for part in core.split(".")]
            text = ".".join([*parts, "0", "0"][:3]) + sign + rest if len(parts) < 3 else ".".join(parts) + sign + rest
        match = _SEMVER.fullmatch(text)
        if match is None:
            raise CelError(f"semver parse error: {text!r}")
        pre = tuple(match[4].split(".")) if match[4] else ()
        return cls((int(match[1]), int(match[2]), int(match[3])), pre)

    def _key(self) -> tuple[Any, ...]:
        ranks = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre)
        return (self.numbers, not self.pre, ranks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Semver) and self._key() == other._key()

    def __lt__(self, other: Semver) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())


_DNS_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def _fits(pattern: str, longest: int) -> Callable[[str], list[str]]:
    whole = re.compile(pattern)

    def check(text: str) -> list[str]:
        found = [] if len(text) <= longest else [f"must be no more than {longest} bytes"]
        return found if whole.fullmatch(text) else [*found, f"must match the regex {pattern}"]

    return check


def _qualified(text: str) -> list[str]:
    head, slash, tail = text.rpartition("/")
    found = _FORMATS["dns1123Subdomain"](head) if slash else []
    return found + _fits(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", 63)(tail)


def _date(text: str) -> list[str]:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return ["must be a date"]
    return [] if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else ["must be a date"]


def _uri(text: str) -> list[str]:
    try:
        Url.parse(text)
    except CelError:
        return ["must be a URI"]
    return []


_PREFIX: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?-?"
_FORMATS: Final[dict[str, Callable[[str], list[str]]]] = {
    "dns1123Label": _fits(_DNS_LABEL, 63),
    "dns1123Subdomain": _fits(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*", 253),
    "dns1035Label": _fits(r"[a-z]([-a-z0-9]*[a-z0-9])?", 63),
    "dns1123LabelPrefix": _fits(_PREFIX, 63),
    "dns1123SubdomainPrefix": _fits(rf"({_DNS_LABEL}\.)*{_PREFIX}", 253),
    "dns1035LabelPrefix": _fits(r"[a-z]([-a-z0-9]*[a-z0-9])?-?", 63),
    "qualifiedName": _qualified,
    "labelValue": _fits(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", 63),
    "uri": _uri,
    "uuid": _fits(r"(?i:[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})", 36),
    "byte": _fits(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", 10**9),
    "date": _date,
    "datetime": _fits(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", 64),
}


@dataclass(frozen=True)
class NamedFormat:
    """One of Kubernetes' named formats."""

    type_name: ClassVar[str] = "kubernetes.NamedFormat"
    name: str

    def validate(self, text: Any) -> Optional:
        """Return the faults of a text, or none if it fits."""
        if not isinstance(text, str):
            raise CelError("no such overload")
        faults = _FORMATS[self.name](text)
        return some(faults) if faults else NONE


def _can(parse: Callable[..., Any]) -> Callable[..., bool]:
    def check(text: Any, *options: Any) -> bool:
        if not isinstance(text, str):
            raise CelError("no such overload")
        try:
            parse(text, *options)
        except CelError:
            return False
        return True

    return check


def _is_canonical(text: Any) -> bool:
    return bool(Ip.parse(text).cel_text() == text)


KUBERNETES_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "quantity": Quantity.parse,
    "isQuantity": _can(Quantity.parse),
    "ip": Ip.parse,
    "isIP": _can(Ip.parse),
    "ip.isCanonical": _is_canonical,
    "cidr": Cidr.parse,
    "isCIDR": _can(Cidr.parse),
    "url": Url.parse,
    "isURL": _can(Url.parse),
    "semver": Semver.parse,
    "isSemver": _can(Semver.parse),
    "format.named": lambda name: some(NamedFormat(name)) if name in _FORMATS else NONE,
    **{f"format.{name}": functools.partial(NamedFormat, name) for name in _FORMATS},
}
"""Functions by full name."""

_QUANTITY: Final[Mapping[str, Callable[..., Any]]] = {
    "isGreaterThan": lambda a, b: a.compare(b) > 0,
    "isLessThan": lambda a, b: a.compare(b) < 0,
    "compareTo": lambda a, b: a.compare(b),
    "add": lambda a, b: a.plus(b),
    "sub": lambda a, b: a.plus(b, -1),
    "sign": lambda a: (a.value > 0) - (a.value < 0),
    "isInteger": lambda a: a.whole,
    "asInteger": lambda a: a.as_integer(),
    "asApproximateFloat": lambda a: float(a.value),
}
_SEMVERS: Final[Mapping[str, Callable[..., Any]]] = {
    "isGreaterThan": lambda a, b: a > b,
    "isLessThan": lambda a, b: a < b,
    "compareTo": lambda a, b: (a > b) - (a < b),
    "major": lambda a: a.numbers[0],
    "minor": lambda a: a.numbers[1],
    "patch": lambda a: a.numbers[2],
}
_IPS: Final[Mapping[str, Callable[..., Any]]] = {
    "family": lambda a: a.value.version,
    "isUnspecified": lambda a: a.value.is_unspecified,
    "isLoopback": lambda a: a.value.is_loopback,
    "isLinkLocalMulticast": lambda a: _link_local_multicast(a.value),
    "isLinkLocalUnicast": lambda a: a.value.is_link_local,
    "isGlobalUnicast": lambda a: _global_unicast(a.value),
}
_CIDRS: Final[Mapping[str, Callable[..., Any]]] = {
    "containsIP": Cidr.contains_ip,
    "containsCIDR": Cidr.contains_cidr,
    "ip": lambda a: Ip(a.address),
    "masked": lambda a: Cidr(a.network.network_address, a.prefix),
    "prefixLength": lambda a: a.prefix,
}
_URLS: Final[Mapping[str, Callable[..., Any]]] = {
    name: functools.partial(lambda name, a: a.part(name), name)
    for name in ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery")
}


def _link_local_multicast(value: Address) -> bool:
    net = ipaddress.ip_network("224.0.0.0/24" if value.version == 4 else "ff02::/16")
    return value in net


def _global_unicast(value: Address) -> bool:
    broadcast = value == ipaddress.ip_address("255.255.255.255")
    return not (broadcast or value.is_unspecified or value.is_loopback or value.is_multicast or value.is_link_local)


KUBERNETES_METHODS: Final[Mapping[type, Mapping[str, Callable[..., Any]]]] = {
    Quantity: _QUANTITY,
    Semver: _SEMVERS,
    Ip: _IPS,
    Cidr: _CIDRS,
    Url: _URLS,
    NamedFormat: {"validate": NamedFormat.validate},
}
"""Methods by the type of the value they are called on."""
