"""Annotations of a pod that stand for fields, seccomp and AppArmor profiles above all, and whether both agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Report, each, mapping

_GROUPS: Final = ("initContainers", "containers", "ephemeralContainers")
_SECCOMP: Final = ("seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/")
_DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"


def known_annotations(path: str, value: Any, report: Report) -> None:
    """Check the annotations of a pod that stand for fields."""
    for key, text in mapping(value).items():
        local = str(text).removeprefix("localhost/")
        if key.startswith(_SECCOMP) and text not in ("runtime/default", "docker/default", "unconfined"):
            wrong = words.descending_path(local) if local != text else "is not a seccomp profile"
            if wrong:
                report.add(f"{path}[{key}]", f"{text!r} {wrong}")
        if key == _DELETION_COST and not _is_cost(str(text)):
            report.add(f"{path}[{key}]", f"{text!r} must be a number of 32 bits")


def _is_cost(text: str) -> bool:
    return bool(re.fullmatch(r"0|-?[1-9][0-9]*", text)) and -(2**31) <= int(text) < 2**31


_APP_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def pod_annotations(path: str, value: Any, spec: Mapping[str, Any], report: Report) -> None:
    """Check the annotations that chose profiles before fields did."""
    known_annotations(path, value, report)
    names = {one.get("name") for group in _GROUPS for _, one in each("", spec.get(group))}
    for key, profile in mapping(value).items():
        if not key.startswith(_APP_ARMOR):
            continue
        if key.removeprefix(_APP_ARMOR) not in names:
            report.add(f"{path}[{key}]", "names no container of the pod")
        if profile not in ("", "runtime/default", "unconfined") and not str(profile).startswith("localhost/"):
            report.add(f"{path}[{key}]", f"{profile!r} is not an AppArmor profile")
    for where, field, key, values in (*_seccomp(spec), *_app_armor(spec)):
        annotation = mapping(value).get(key)
        if annotation is not None and annotation not in values:
            report.add(f"{path}[{key}]", f"must match {where}.{field}")


_Pair = tuple[str, str, str, tuple[str, ...]]
"""Place of a security context, its field, the annotation that stands for it, and the values that match."""


def _matching(profile: Mapping[str, Any], default: tuple[str, ...]) -> tuple[str, ...]:
    known = {"RuntimeDefault": default, "Unconfined": ("unconfined",)}
    return known.get(str(profile.get("type")), (f"localhost/{profile.get('localhostProfile')}",))


def _contexts(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for group in _GROUPS:
        for place, one in each(f"spec.{group}", spec.get(group)):
            yield f"{place}.securityContext", str(one.get("name")), mapping(one.get("securityContext"))


def _seccomp(spec: Mapping[str, Any]) -> Iterator[_Pair]:
    own = mapping(spec.get("securityContext")).get("seccompProfile")
    places = [("spec.securityContext", _SECCOMP[0], own)]
    places += [(place, f"{_SECCOMP[1]}{name}", found.get("seccompProfile")) for place, name, found in _contexts(spec)]
    for place, key, profile in places:
        if profile is not None:
            yield place, "seccompProfile", key, _matching(mapping(profile), ("runtime/default", "docker/default"))


def _app_armor(spec: Mapping[str, Any]) -> Iterator[_Pair]:
    whole = mapping(spec.get("securityContext")).get("appArmorProfile")
    if mapping(spec.get("os")).get("name") == "windows":
        return
    for place, name, found in _contexts(spec):
        profile = found.get("appArmorProfile") or whole
        if profile is not None:
            yield place, "appArmorProfile", f"{_APP_ARMOR}{name}", _matching(mapping(profile), ("runtime/default",))
