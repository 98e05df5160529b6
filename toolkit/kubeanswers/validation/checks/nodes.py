"""Nodes, leases, endpoints and the requests of certificates; classes of ingress."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Report, each, items, mapping

_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE REQUEST-----\n([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----")
_MICRO_TIME: Final = re.compile(r":[0-9]{2}[.,][0-9]{6}(Z|[-+])")
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_MOST_ADDRESSES: Final = 100
_MOST_ENDPOINTS: Final = 1000
_SHORTEST_CERTIFICATE: Final = 600
_USAGES: Final = frozenset(
    {
        "any",
        "cert sign",
        "client auth",
        "code signing",
        "content commitment",
        "crl sign",
        "data encipherment",
        "decipher only",
        "digital signature",
        "email protection",
        "encipher only",
        "ipsec end system",
        "ipsec tunnel",
        "ipsec user",
        "key agreement",
        "key encipherment",
        "microsoft sgc",
        "netscape sgc",
        "ocsp signing",
        "s/mime",
        "server auth",
        "signing",
        "timestamping",
    }
)


def node(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Node."""
    spec = mapping(obj.get("spec"))
    pairs = []
    for place, taint in each("spec.taints", spec.get("taints")):
        report.text(f"{place}.key", taint.get("key") or "", words.qualified_name)
        report.text(f"{place}.value", taint.get("value") or None, words.label_value)
        report.choice(f"{place}.effect", taint.get("effect"), _EFFECTS, optional=False)
        pairs.append((taint.get("key"), taint.get("effect")))
    report.unique("spec.taints", pairs)
    ranges = items(spec.get("podCIDRs"))
    for index, one in enumerate(ranges):
        report.text(f"spec.podCIDRs[{index}]", one, words.cidr)
    if spec.get("podCIDR") and ranges and spec["podCIDR"] != ranges[0]:
        report.add("spec.podCIDRs", "must start with podCIDR")
    for name, amount in mapping(mapping(obj.get("status")).get("capacity")).items():
        if words.quantity(amount) is None:
            report.add(f"status.capacity[{name}]", f"{amount!r} is not a quantity")


def lease(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Lease."""
    spec = mapping(obj.get("spec"))
    report.at_least("spec.leaseDurationSeconds", spec.get("leaseDurationSeconds"), 1)
    report.at_least("spec.leaseTransitions", spec.get("leaseTransitions"), 0)
    for field in ("acquireTime", "renewTime"):
        report.text(f"spec.{field}", spec.get(field), _micro_time)
    if spec.get("preferredHolder") and not spec.get("strategy"):
        report.add("spec.preferredHolder", "may only be given beside strategy")


def _micro_time(text: str) -> str:
    return "" if _MICRO_TIME.search(text) else "must have exactly six digits after the seconds"


def ingress_class(obj: Mapping[str, Any], report: Report) -> None:
    """Check an IngressClass."""
    spec = mapping(obj.get("spec"))
    controller = spec.get("controller")
    if controller:
        report.text("spec.controller", controller, words.path_of_domain)
        if len(controller) > 250:
            report.add("spec.controller", "must be no more than 250 characters")
    parameters = spec.get("parameters")
    if parameters is None:
        return
    found = mapping(parameters)
    for field in ("kind", "name"):
        report.required(f"spec.parameters.{field}", found.get(field))
        report.text(f"spec.parameters.{field}", found.get(field) or None, words.path_segment)
    scope = found.get("scope") or "Cluster"
    report.choice("spec.parameters.scope", scope, ("Cluster", "Namespace"))
    if (scope == "Namespace") != bool(found.get("namespace")):
        report.add("spec.parameters.namespace", "must be given if and only if scope is Namespace")


def certificate_request(obj: Mapping[str, Any], report: Report) -> None:
    """Check a CertificateSigningRequest."""
    spec = mapping(obj.get("spec"))
    if report.required("spec.signerName", spec.get("signerName")):
        domain, slash, rest = str(spec["signerName"]).partition("/")
        if not slash or not rest or "." not in domain or words.dns_subdomain(domain):
            report.add("spec.signerName", "must be a domain with a dot, a slash and a path")
    usages = items(spec.get("usages"))
    if not usages:
        report.add("spec.usages", "at least one is required")
    for index, usage in enumerate(usages):
        if usage not in _USAGES:
            report.add(f"spec.usages[{index}]", f"{usage!r} is not a usage of a key")
    report.unique("spec.usages", usages)
    report.at_least("spec.expirationSeconds", spec.get("expirationSeconds"), _SHORTEST_CERTIFICATE)
    if not _is_request(str(spec.get("request") or "")):
        report.add("spec.request", "must be a PEM block of type CERTIFICATE REQUEST in base64")


def _is_request(text: str) -> bool:
    """Return whether a text is base64 of a PEM block that holds a DER sequence."""
    try:
        block = _PEM.search(base64.b64decode(text, validate=True).decode("ascii"))
        return block is not None and base64.b64decode("".join(block[1].split()), validate=True)[:1] == b"\x30"
    except (binascii.Error, ValueError):
        return False


def endpoint_slice(obj: Mapping[str, Any], report: Report) -> None:
    """Check an EndpointSlice."""
    kind = obj.get("addressType")
    report.choice("addressType", kind, ("FQDN", "IPv4", "IPv6"), optional=False)
    if len(items(obj.get("endpoints"))) > _MOST_ENDPOINTS:
        report.add("endpoints", f"at most {_MOST_ENDPOINTS} are allowed")
    for place, one in each("endpoints", obj.get("endpoints")):
        addresses = items(one.get("addresses"))
        if not 0 < len(addresses) <= _MOST_ADDRESSES:
            report.add(f"{place}.addresses", f"must hold 1 to {_MOST_ADDRESSES} addresses")
        for index, address in enumerate(addresses):
            report.text(
                f"{place}.addresses[{index}]", address, words.full_host if kind == "FQDN" else _endpoint(str(kind))
            )
        report.text(f"{place}.hostname", one.get("hostname"), words.dns_label)
        report.text(f"{place}.nodeName", one.get("nodeName"), words.dns_subdomain)
    names = []
    for place, port in each("ports", obj.get("ports")):
        report.text(f"{place}.name", port.get("name") or None, words.dns_label)
        report.choice(f"{place}.protocol", port.get("protocol"), ("SCTP", "TCP", "UDP"))
        report.between(f"{place}.port", port.get("port"), 0, 65535)
        report.text(f"{place}.appProtocol", port.get("appProtocol"), words.qualified_name)
        names.append(port.get("name") or "")
    report.unique("ports", names, ".name")


def _endpoint(kind: str) -> Any:
    def check(text: str) -> str:
        if wrong := words.reachable_address(text):
            return wrong
        return "" if (":" in text) == (kind == "IPv6") else f"must be an {kind} address"

    return check
