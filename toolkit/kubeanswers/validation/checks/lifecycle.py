"""Probes, hooks and restarts of containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Report, each, items, mapping

_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "sleep")
_NUMBERS: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_MOST_RULES: Final = 20
_MOST_CODES: Final = 255
_DEFAULT_GRACE: Final = 30


def lifecycle(path: str, value: Mapping[str, Any], grace: Any, report: Report) -> None:
    """Check the probes and hooks of a container whose pod is given some seconds to end."""
    for name in _PROBES:
        if value.get(name) is not None:
            probe(f"{path}.{name}", mapping(value[name]), report, once=name != "readinessProbe")
    for hook in ("postStart", "preStop"):
        handler = mapping(value.get("lifecycle")).get(hook)
        if handler is not None:
            place = f"{path}.lifecycle.{hook}"
            _handler(place, mapping(handler), _HOOK_HANDLERS, report)
            sleep = mapping(handler).get("sleep")
            most = _DEFAULT_GRACE if grace is None else grace
            if sleep is not None and not 0 <= (mapping(sleep).get("seconds") or 0) <= most:
                report.add(f"{place}.sleep", f"must be between 0 and terminationGracePeriodSeconds ({most})")


def no_lifecycle(path: str, value: Mapping[str, Any], report: Report) -> None:
    """Note the probes and hooks of an init container that is not kept running."""
    for name in (*_PROBES, "lifecycle"):
        if value.get(name) is not None:
            report.add(f"{path}.{name}", "may not be given for an init container without restartPolicy Always")


def probe(path: str, value: Mapping[str, Any], report: Report, *, once: bool) -> None:
    """Check a probe: one handler, sensible numbers."""
    _handler(path, value, _HANDLERS, report)
    for field in _NUMBERS:
        report.at_least(f"{path}.{field}", value.get(field), 0)
    if once and value.get("successThreshold") not in (None, 0, 1):
        report.add(f"{path}.successThreshold", "must be 1")
    grace = value.get("terminationGracePeriodSeconds")
    if grace is not None:
        if not once:
            report.add(f"{path}.terminationGracePeriodSeconds", "may not be set on a readiness probe")
        report.at_least(f"{path}.terminationGracePeriodSeconds", grace, 1)


def _handler(path: str, value: Mapping[str, Any], kinds: tuple[str, ...], report: Report) -> None:
    if len([key for key in kinds if value.get(key) is not None]) != 1:
        report.add(path, f"must have exactly one of {', '.join(kinds)}")
    for key in ("httpGet", "tcpSocket", "grpc"):
        if key in kinds and value.get(key) is not None:
            port = mapping(value[key]).get("port")
            if isinstance(port, str):
                report.text(f"{path}.{key}.port", port, words.port_name)
            else:
                report.between(f"{path}.{key}.port", port or 0, 1, 65535)
    if value.get("httpGet") is not None:
        request = mapping(value["httpGet"])
        report.choice(f"{path}.httpGet.scheme", request.get("scheme"), ("HTTP", "HTTPS"))
        for place, header in each(f"{path}.httpGet.httpHeaders", request.get("httpHeaders")):
            report.text(f"{place}.name", header.get("name") or "", words.header_name)
    if value.get("exec") is not None and not items(mapping(value["exec"]).get("command")):
        report.add(f"{path}.exec.command", "is required")


def restarts(path: str, one: Mapping[str, Any], group: str, report: Report) -> None:
    """Check a container's own restart policy and rules."""
    policy, rules = one.get("restartPolicy"), items(one.get("restartPolicyRules"))
    by_rule = int(report.version.split(".")[1]) >= 35
    if policy is not None:
        allowed = ("Always", "OnFailure", "Never") if by_rule else ("Always",)
        if group == "containers" and not by_rule:
            report.add(f"{path}.restartPolicy", "may not be set on containers other than init containers")
        report.choice(f"{path}.restartPolicy", policy, allowed, optional=False)
    elif rules:
        report.add(f"{path}.restartPolicy", "is required beside restartPolicyRules")
    if len(rules) > _MOST_RULES:
        report.add(f"{path}.restartPolicyRules", f"at most {_MOST_RULES} are allowed")
    for place, rule in each(f"{path}.restartPolicyRules", rules):
        report.choice(f"{place}.action", rule.get("action"), ("Restart", "RestartAllContainers"), optional=False)
        codes = rule.get("exitCodes")
        if codes is None:
            report.add(f"{place}.exitCodes", "is required")
            continue
        report.choice(f"{place}.exitCodes.operator", mapping(codes).get("operator"), ("In", "NotIn"), optional=False)
        values = items(mapping(codes).get("values"))
        if not 0 < len(values) <= _MOST_CODES:
            report.add(f"{place}.exitCodes.values", f"must hold 1 to {_MOST_CODES} codes")
        report.unique(f"{place}.exitCodes.values", values)
