"""Security contexts of pods and containers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Report, items, mapping

_MOST_ID: Final = 2**31 - 1
_LONGEST_PROFILE: Final = 4095
_LONGEST_DOMAIN: Final = 255
_LONGEST_USER: Final = 104
_LARGEST_GMSA: Final = 64 * 1024
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NETBIOS: Final = re.compile(r"[^\\/:*?\"<>|.][^\\/:*?\"<>|]{0,14}")
_DOMAIN: Final = re.compile(
    r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_USER: Final = re.compile(r"(?![. ]+$)[^\"/\\:;|=,+*?<>@\[\]]+")


def security_context(path: str, value: Any, report: Report) -> None:
    """Check a security context of a container or pod."""
    found = mapping(value)
    for field in ("runAsUser", "runAsGroup", "fsGroup"):
        report.between(f"{path}.{field}", found.get(field), 0, _MOST_ID)
    for index, group in enumerate(items(found.get("supplementalGroups"))):
        report.between(f"{path}.supplementalGroups[{index}]", group, 0, _MOST_ID)
    for field, allowed in (
        ("fsGroupChangePolicy", ("OnRootMismatch", "Always")),
        ("supplementalGroupsPolicy", ("Merge", "Strict")),
        ("seLinuxChangePolicy", ("Recursive",)),
        ("procMount", ("Default", "Unmasked")),
    ):
        if found.get(field) is not None:
            report.choice(f"{path}.{field}", found[field], allowed, optional=False)
    escalates = found.get("allowPrivilegeEscalation")
    added = items(mapping(found.get("capabilities")).get("add"))
    if escalates is False and found.get("privileged"):
        report.add(f"{path}.allowPrivilegeEscalation", "cannot be false for a privileged container")
    if escalates is False and "CAP_SYS_ADMIN" in added:
        report.add(f"{path}.allowPrivilegeEscalation", "cannot be false beside CAP_SYS_ADMIN")
    for name, check in (("seccompProfile", words.descending_path), ("appArmorProfile", _app_armor_name)):
        _profile(f"{path}.{name}", found.get(name), check, report)
    _windows_options(f"{path}.windowsOptions", mapping(found.get("windowsOptions")), report)


def _app_armor_name(text: str) -> str:
    if not text or text != text.strip():
        return "must not be empty or padded with whitespace"
    return f"must be no more than {_LONGEST_PROFILE} characters" if len(text) > _LONGEST_PROFILE else ""


def _profile(path: str, value: Any, check: Any, report: Report) -> None:
    if value is None:
        return
    profile: Mapping[str, Any] = mapping(value)
    report.choice(f"{path}.type", profile.get("type"), ("Localhost", "RuntimeDefault", "Unconfined"), optional=False)
    local = profile.get("localhostProfile")
    if profile.get("type") == "Localhost":
        if local is None:
            report.add(f"{path}.localhostProfile", "is required")
        report.text(f"{path}.localhostProfile", local, check)
    elif local is not None:
        report.add(f"{path}.localhostProfile", "may only be set when type is Localhost")


def _windows_options(path: str, options: Mapping[str, Any], report: Report) -> None:
    report.text(f"{path}.gmsaCredentialSpecName", options.get("gmsaCredentialSpecName"), words.dns_subdomain)
    spec = options.get("gmsaCredentialSpec")
    if spec is not None and not 0 < len(spec) <= _LARGEST_GMSA:
        report.add(f"{path}.gmsaCredentialSpec", f"must be 1 to {_LARGEST_GMSA} bytes")
    report.text(f"{path}.runAsUserName", options.get("runAsUserName"), _user_name)


def _user_name(text: str) -> str:
    domain, slash, user = text.rpartition("\\")
    if _CONTROL.search(text) or "\\" in domain:
        return "must not hold control characters or a second backslash"
    if slash and (len(domain) > _LONGEST_DOMAIN or not (_NETBIOS.fullmatch(domain) or _DOMAIN.fullmatch(domain))):
        return "must have a NetBIOS or DNS name before the backslash"
    if len(user) > _LONGEST_USER or not _USER.fullmatch(user):
        return f"must name a user in 1 to {_LONGEST_USER} characters"
    return ""
