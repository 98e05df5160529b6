"""Webhook configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.admission import VARIABLES, match_conditions, rules
from kubeanswers.validation.checks.metadata import selector
from kubeanswers.validation.checks.report import Report, each, items, mapping

_VARIABLES: Final = {name: kind for name, kind in VARIABLES.items() if name != "namespaceObject"}
_LONGEST_WAIT: Final = 30


def webhook_configuration(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ValidatingWebhookConfiguration or MutatingWebhookConfiguration."""
    for place, one in each("webhooks", obj.get("webhooks")):
        if report.required(f"{place}.name", one.get("name")):
            report.text(f"{place}.name", one["name"], words.full_name)
        rules(f"{place}.rules", one.get("rules"), report)
        for field, allowed in (
            ("failurePolicy", ("Fail", "Ignore")),
            ("matchPolicy", ("Equivalent", "Exact")),
            ("reinvocationPolicy", ("Never", "IfNeeded")),
        ):
            if one.get(field) is not None:
                report.choice(f"{place}.{field}", one[field], allowed, optional=False)
        report.choice(f"{place}.sideEffects", one.get("sideEffects"), ("None", "NoneOnDryRun"), optional=False)
        report.between(f"{place}.timeoutSeconds", one.get("timeoutSeconds"), 1, _LONGEST_WAIT)
        for field in ("namespaceSelector", "objectSelector"):
            selector(f"{place}.{field}", one.get(field), report)
        review_versions(
            f"{place}.admissionReviewVersions", one.get("admissionReviewVersions"), ("v1", "v1beta1"), report
        )
        client(f"{place}.clientConfig", mapping(one.get("clientConfig")), report)
        match_conditions(f"{place}.matchConditions", one.get("matchConditions"), _VARIABLES, report)
    report.unique("webhooks", [one.get("name") for _, one in each("", obj.get("webhooks"))], ".name")


def review_versions(path: str, value: Any, known: tuple[str, ...], report: Report) -> None:
    """Check which versions of a review a webhook reads; the API server must write one of them."""
    versions = items(value)
    if not versions:
        report.add(path, f"must have one of {', '.join(known)}")
    elif not set(known) & set(versions):
        report.add(path, f"must include at least one of {', '.join(known)}")
    for index, version in enumerate(versions):
        report.text(f"{path}[{index}]", version, words.dns_1035_label)
    report.unique(path, versions)


def client(path: str, value: Mapping[str, Any], report: Report) -> None:
    """Check how a webhook is reached: by an address or through a Service."""
    url, service = value.get("url"), value.get("service")
    if (url is None) == (service is None):
        report.add(path, "exactly one of url and service is required")
    elif url is not None:
        report.text(f"{path}.url", url, _address)
    else:
        found = mapping(service)
        for field in ("name", "namespace"):
            report.required(f"{path}.service.{field}", found.get(field))
        report.between(f"{path}.service.port", found.get("port"), 1, 65535)
        report.text(f"{path}.service.path", found.get("path"), _service_path)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return "must be a URL"
    if parts.scheme != "https" or not parts.hostname:
        return "must be an https URL with a host"
    if parts.username is not None or parts.query or parts.fragment:
        return "must not hold a user, a query or a fragment"
    return ""


def _service_path(text: str) -> str:
    if not text.startswith("/"):
        return "must start with '/'"
    steps = text.strip("/").split("/") if text != "/" else []
    if any(not step or words.dns_subdomain(step) for step in steps):
        return "must be lowercase names separated by single slashes"
    return ""
