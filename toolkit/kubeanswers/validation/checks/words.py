"""Names, labels, quantities and addresses as the API server reads them.

Rules: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and .../labels/, RFC 1035, RFC 1123.
"""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal
from typing import Any, Final

from kubeanswers.compute import is_huge_page
from kubeanswers.quantities import parse_quantity
from kubeanswers.scalars import whole_number

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_ENVIRONMENT: Final = re.compile(r"[ -<>-~]+")
_CONFIG_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_PATH: Final = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
_SEARCH: Final = re.compile(r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?")
_HEADER: Final = re.compile(r"[-A-Za-z0-9]+")
_PORT_NAME: Final = re.compile(r"[a-z0-9-]+")
_C_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

LONGEST_LABEL: Final = 63
LONGEST_SUBDOMAIN: Final = 253

_CONTAINER_RESOURCES: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
COUNTED_RESOURCES: Final = frozenset(
    {
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "services",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
"""Resources counted in whole objects."""
QUOTA_RESOURCES: Final = COUNTED_RESOURCES | {
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
}
"""What a quota may cap by a plain name."""


def dns_label(text: str) -> str:
    """Return what is wrong with a lowercase RFC 1123 label, or an empty string."""
    if len(text) > LONGEST_LABEL:
        return f"must be no more than {LONGEST_LABEL} characters"
    if not _LABEL.fullmatch(text):
        return "must be lowercase letters, digits and '-', starting and ending with a letter or digit"
    return ""


def dns_1035_label(text: str) -> str:
    """Return what is wrong with an RFC 1035 label, which starts with a letter, or an empty string."""
    if len(text) > LONGEST_LABEL:
        return f"must be no more than {LONGEST_LABEL} characters"
    return "" if _LABEL_1035.fullmatch(text) else "must be lowercase letters, digits and '-', starting with a letter"


def dns_subdomain(text: str) -> str:
    """Return what is wrong with a lowercase RFC 1123 subdomain, or an empty string."""
    if len(text) > LONGEST_SUBDOMAIN:
        return f"must be no more than {LONGEST_SUBDOMAIN} characters"
    if not text or not all(_LABEL.fullmatch(part) for part in text.split(".")):
        return "must be lowercase letters, digits, '-' and '.', each part starting and ending with a letter or digit"
    return ""


def dns_search(text: str) -> str:
    """Return what is wrong with a search domain, whose parts may hold underscores, or an empty string."""
    if len(text) > LONGEST_SUBDOMAIN or not all(_SEARCH.fullmatch(part) for part in text.split(".")):
        return "must be lowercase letters, digits, '-', '_' and '.', each part ending with a letter or digit"
    return ""


def path_of_domain(text: str) -> str:
    """Return what is wrong with a domain followed by a slash and a path, or an empty string."""
    domain, slash, rest = text.partition("/")
    if not slash or not rest:
        return "must be a domain-prefixed path such as acme.io/foo"
    if wrong := dns_subdomain(domain):
        return f"domain {wrong}"
    return "" if _PATH.fullmatch(rest) else "must have a path of letters, digits and URI punctuation"


def full_name(text: str) -> str:
    """Return what is wrong with a name of at least three parts separated by dots, or an empty string."""
    return dns_subdomain(text) or ("" if text.count(".") > 1 else "must have at least three parts separated by dots")


def full_host(text: str) -> str:
    """Return what is wrong with the name of a host of at least two parts, or an empty string."""
    plain = text.removesuffix(".")
    return dns_subdomain(plain) or ("" if "." in plain else "must have at least two parts separated by dots")


def wildcard_subdomain(text: str) -> str:
    """Return what is wrong with ``*.`` and a subdomain, or an empty string."""
    if not text.startswith("*."):
        return "a wildcard must start with '*.'"
    return dns_subdomain(text[2:])


def path_segment(text: str) -> str:
    """Return what is wrong with a name used as a path segment (RBAC objects), or an empty string."""
    if text in (".", ".."):
        return f"may not be {text!r}"
    bad = next((c for c in "/%" if c in text), "")
    return f"may not contain {bad!r}" if bad else ""


def qualified_name(text: str) -> str:
    """Return what is wrong with a label key or resource name (``prefix/name``), or an empty string."""
    prefix, slash, name = text.rpartition("/")
    if slash:
        if not prefix:
            return "prefix part must be non-empty"
        if wrong := dns_subdomain(prefix):
            return f"prefix part {wrong}"
    if not name or len(name) > LONGEST_LABEL or not _QUALIFIED.fullmatch(name):
        return "name part must be 1 to 63 letters, digits, '-', '_' or '.', starting and ending with a letter or digit"
    return ""


def label_value(text: str) -> str:
    """Return what is wrong with a label value, or an empty string."""
    if len(text) > LONGEST_LABEL:
        return f"must be no more than {LONGEST_LABEL} characters"
    if text and not _QUALIFIED.fullmatch(text):
        return "must be letters, digits, '-', '_' or '.', starting and ending with a letter or digit"
    return ""


def environment_name(text: str) -> str:
    """Return what is wrong with the name of an environment variable, or an empty string."""
    return "" if _ENVIRONMENT.fullmatch(text) else "must be printable ASCII characters other than '='"


def config_key(text: str) -> str:
    """Return what is wrong with a key of a ConfigMap or Secret, or an empty string."""
    if text in (".", "..") or text.startswith(".."):
        return "must not start with '..'"
    if len(text) > LONGEST_SUBDOMAIN or not _CONFIG_KEY.fullmatch(text):
        return "must be letters, digits, '-', '_' or '.'"
    return ""


def port_name(text: str) -> str:
    """Return what is wrong with an IANA service name, or an empty string."""
    if len(text) > 15:
        return "must be no more than 15 characters"
    if not _PORT_NAME.fullmatch(text) or not re.search("[a-z]", text):
        return "must be lowercase letters, digits and '-' with at least one letter"
    if "--" in text or text.startswith("-") or text.endswith("-"):
        return "must not start or end with '-' or hold two in a row"
    return ""


def c_identifier(text: str) -> str:
    """Return what is wrong with a C identifier, or an empty string."""
    return "" if _C_IDENTIFIER.fullmatch(text) else "must be letters, digits and '_', not starting with a digit"


def no_backsteps(text: str) -> str:
    """Return what is wrong with a path that must not lead upwards, or an empty string."""
    return "must not contain '..'" if ".." in text.split("/") else ""


def descending_path(text: str) -> str:
    """Return what is wrong with a relative path that must not lead upwards, or an empty string."""
    return "must be a relative path" if text.startswith("/") else no_backsteps(text)


def projected_path(text: str) -> str:
    """Return what is wrong with the path of a file that a volume projects, or an empty string."""
    return descending_path(text) or ("must not start with '..'" if text.startswith("..") else "")


def header_name(text: str) -> str:
    """Return what is wrong with the name of an HTTP header, or an empty string."""
    return "" if _HEADER.fullmatch(text) else "must be letters, digits and '-'"


def caseless_name(text: str) -> str:
    """Return what is wrong with a qualified name whose case does not matter, or an empty string."""
    return qualified_name(text.lower())


def quantity(value: Any) -> Decimal | None:
    """Return the value of a quantity, or None where the API server cannot read it; null reads as zero."""
    if value is None:
        return Decimal(0)
    try:
        return parse_quantity(value)
    except (ValueError, TypeError, AttributeError):
        return None


def container_resource(name: str) -> str:
    """Return what is wrong with a resource a container asks for, or an empty string."""
    if wrong := qualified_name(name):
        return wrong
    if "/" in name:
        return ""
    ok = name in _CONTAINER_RESOURCES or is_huge_page(name)
    return "" if ok else "must be a standard resource for containers or fully qualified"


def quota_resource(name: str) -> str:
    """Return what is wrong with a resource a quota caps, or an empty string."""
    if wrong := qualified_name(name):
        return wrong
    if "/" in name or name.startswith("count/"):
        return ""
    return "" if is_quota_resource(name) else "must be a standard resource for quota or fully qualified"


def is_quota_resource(name: str) -> bool:
    """Return whether a quota may cap something by this plain name."""
    return name in QUOTA_RESOURCES or is_huge_page(name.removeprefix("requests."))


def resource_name(text: str) -> str:
    """Return what is wrong with the name of any resource, or an empty string."""
    if wrong := qualified_name(text):
        return wrong
    ok = "/" in text or text in QUOTA_RESOURCES or text == "storage" or is_huge_page(text)
    return "" if ok else "must be a standard resource type or fully qualified"


def ip_address(text: str) -> str:
    """Return what is wrong with an IP address; leading zeros and IPv4 written as IPv6 are refused."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "must be a valid IP address"
    if address.version == 6 and (address.ipv4_mapped is not None or "%" in text):
        return "must not be an IPv4-mapped address or have a zone"
    return ""


def reachable_address(text: str) -> str:
    """Return what is wrong with an address outsiders may be sent to, or an empty string."""
    if wrong := ip_address(text):
        return wrong
    address = ipaddress.ip_address(text)
    local_group = ipaddress.ip_network("224.0.0.0/24" if address.version == 4 else "ff02::/16")
    if address.is_unspecified or address.is_loopback or address.is_link_local or address in local_group:
        return "may not be unspecified, loopback or link-local"
    return ""


def cidr(text: str) -> str:
    """Return what is wrong with an address range, or an empty string; bits beyond the prefix are refused."""
    address, slash, length = text.partition("/")
    if not slash or whole_number(length) is None or (len(length) > 1 and length.startswith("0")):
        return "must be an address range such as 10.9.8.0/24, without leading zeros"
    if ip_address(address):
        return "must be an address range such as 10.9.8.0/24, without leading zeros"
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return "must be an address range such as 10.9.8.0/24, without bits set beyond its prefix"
    return ""
