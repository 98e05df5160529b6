"""The value kinds Kubernetes adds to CEL: quantities, addresses, URLs, semantic versions, named formats.

Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from typing import Any, ClassVar, Final

from kubeanswers.cel.addresses import Address, Cidr, Ip
from kubeanswers.cel.formats import FORMATS, NamedFormat
from kubeanswers.cel.urls import Url
from kubeanswers.cel.values import INT_MAX, INT_MIN, NONE, UINT_MAX, CelError, some
from kubeanswers.quantities import parse_quantity
from kubeanswers.records import dataclass
from kubeanswers.scalars import whole_number


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
        if not isinstance(other, Quantity) and (isinstance(other, bool) or type(other) is not int):
            raise CelError("no such overload")
        amount = other.value if isinstance(other, Quantity) else Decimal(other)
        with localcontext(prec=100):  # quantities are exact, whatever their size
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


_SEMVER: Final = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
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
        first, second, third = (whole_number(part, most=UINT_MAX) for part in match.groups()[:3])
        if first is None or second is None or third is None:
            raise CelError(f"semver parse error: {text:.40}")
        return cls((first, second, third), pre)

    def _key(self) -> tuple[Any, ...]:
        ranks = tuple((1, 0, part) if (number := whole_number(part)) is None else (0, number, "") for part in self.pre)
        return (self.numbers, not self.pre, ranks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Semver) and self._key() == other._key()

    def __lt__(self, other: Semver) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())


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


def _sign(value: Any) -> int:
    if not isinstance(value, Quantity):
        raise CelError("no such overload")
    return (value.value > 0) - (value.value < 0)


def _is_canonical(text: Any) -> bool:
    return bool(Ip.parse(text).cel_text() == text)


KUBERNETES_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "quantity": Quantity.parse,
    "isQuantity": _can(Quantity.parse),
    "sign": _sign,
    "ip": Ip.parse,
    "isIP": _can(Ip.parse),
    "ip.isCanonical": _is_canonical,
    "cidr": Cidr.parse,
    "isCIDR": _can(Cidr.parse),
    "url": Url.parse,
    "isURL": _can(Url.parse),
    "semver": Semver.parse,
    "isSemver": _can(Semver.parse),
    "format.named": lambda name: some(NamedFormat(name)) if name in FORMATS else NONE,
    **{f"format.{name}": functools.partial(NamedFormat, name) for name in FORMATS},
}
"""Functions by full name."""

_QUANTITY: Final[Mapping[str, Callable[..., Any]]] = {
    "isGreaterThan": lambda a, b: a.compare(b) > 0,
    "isLessThan": lambda a, b: a.compare(b) < 0,
    "compareTo": lambda a, b: a.compare(b),
    "add": lambda a, b: a.plus(b),
    "sub": lambda a, b: a.plus(b, -1),
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
