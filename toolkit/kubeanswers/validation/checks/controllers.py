"""Deployments, ReplicaSets, ReplicationControllers, StatefulSets, DaemonSets and disruption budgets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.objects import text_map
from kubeanswers.selectors import Selector
from kubeanswers.validation.checks import pods, words
from kubeanswers.validation.checks.metadata import is_empty_selector, selector
from kubeanswers.validation.checks.report import Report, each, items, mapping
from kubeanswers.validation.checks.volumes import claim_spec

_PERCENT: Final = re.compile(r"[0-9]+%")
_DEFAULT_DEADLINE: Final = 600


def selected_template(spec: Mapping[str, Any], report: Report) -> Mapping[str, Any]:
    """Check selector and template against each other; return the template's pod specification."""
    chosen = spec.get("selector")
    template = mapping(spec.get("template"))
    if chosen is None:
        report.add("spec.selector", "is required")
    else:
        selector("spec.selector", chosen, report)
        if is_empty_selector(chosen):
            report.add("spec.selector", "an empty selector is invalid")
        if not Selector.of(chosen).matches(text_map(mapping(template.get("metadata")).get("labels"))):
            report.add("spec.template.metadata.labels", "selector does not match template labels")
    pods.template("spec.template", template, report)
    return mapping(template.get("spec"))


def _always(pod: Mapping[str, Any], report: Report, *, deadline: bool = True) -> None:
    if pod.get("restartPolicy") not in (None, "", "Always"):
        report.add("spec.template.spec.restartPolicy", "must be Always")
    if deadline and pod.get("activeDeadlineSeconds") is not None:
        report.add("spec.template.spec.activeDeadlineSeconds", "may not be set here")


def amount_or_percent(path: str, value: Any, report: Report, *, capped: bool = False) -> None:
    """Check a number of pods or a percentage."""
    if value is None:
        return
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            report.add(path, f"{value!r} must be a whole number or a percentage")
        elif capped and int(value[:-1]) > 100:
            report.add(path, f"{value!r} must not be greater than 100%")
    else:
        report.between(path, value, 0, 2**31 - 1)


def _is_zero(value: Any, default: str) -> bool:
    return str(default if value is None else value) in ("0", "0%")


def deployment(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Deployment."""
    spec = mapping(obj.get("spec"))
    pod = selected_template(spec, report)
    _always(pod, report)
    report.at_least("spec.replicas", spec.get("replicas"), 0)
    report.at_least("spec.minReadySeconds", spec.get("minReadySeconds"), 0)
    report.at_least("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"), 0)
    deadline = spec.get("progressDeadlineSeconds", _DEFAULT_DEADLINE)
    report.at_least("spec.progressDeadlineSeconds", deadline, 0)
    if isinstance(deadline, int) and deadline <= (spec.get("minReadySeconds") or 0):
        report.add("spec.progressDeadlineSeconds", "must be greater than minReadySeconds")
    strategy = mapping(spec.get("strategy"))
    report.choice("spec.strategy.type", strategy.get("type"), ("Recreate", "RollingUpdate"))
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        report.add("spec.strategy.rollingUpdate", "may not be given when type is Recreate")
    elif rolling is not None:
        _rolling("spec.strategy.rollingUpdate", mapping(rolling), report, ("25%", "25%"))


def _rolling(path: str, value: Mapping[str, Any], report: Report, defaults: tuple[str, str]) -> None:
    amount_or_percent(f"{path}.maxUnavailable", value.get("maxUnavailable"), report, capped=True)
    amount_or_percent(f"{path}.maxSurge", value.get("maxSurge"), report)
    if _is_zero(value.get("maxUnavailable"), defaults[0]) and _is_zero(value.get("maxSurge"), defaults[1]):
        report.add(f"{path}.maxUnavailable", "may not be 0 when maxSurge is 0")


def replica_set(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ReplicaSet."""
    spec = mapping(obj.get("spec"))
    _always(selected_template(spec, report), report)
    report.at_least("spec.replicas", spec.get("replicas"), 0)
    report.at_least("spec.minReadySeconds", spec.get("minReadySeconds"), 0)


def replication_controller(obj: Mapping[str, Any], report: Report) -> None:
    """Check a ReplicationController, whose selector is a set of labels and may be left out."""
    spec = mapping(obj.get("spec"))
    template = mapping(spec.get("template"))
    found = mapping(mapping(template.get("metadata")).get("labels"))
    chosen = mapping(spec.get("selector")) or found
    if not chosen:
        report.add("spec.selector", "is required")
    if any(found.get(key) != value for key, value in chosen.items()):
        report.add("spec.template.metadata.labels", "selector does not match template labels")
    pods.template("spec.template", template, report)
    _always(mapping(template.get("spec")), report)
    report.at_least("spec.replicas", spec.get("replicas"), 0)
    report.at_least("spec.minReadySeconds", spec.get("minReadySeconds"), 0)


def stateful_set(obj: Mapping[str, Any], report: Report) -> None:
    """Check a StatefulSet."""
    spec = mapping(obj.get("spec"))
    _always(_selected_template_with_claims(spec, report), report)
    report.at_least("spec.replicas", spec.get("replicas"), 0)
    report.at_least("spec.minReadySeconds", spec.get("minReadySeconds"), 0)
    report.at_least("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"), 0)
    report.text("spec.serviceName", spec.get("serviceName") or None, words.dns_label)
    for place, claim in each("spec.volumeClaimTemplates", spec.get("volumeClaimTemplates")):
        claim_spec(f"{place}.spec", mapping(claim.get("spec")), report)
    report.choice("spec.podManagementPolicy", spec.get("podManagementPolicy"), ("OrderedReady", "Parallel"))
    report.at_least("spec.ordinals.start", mapping(spec.get("ordinals")).get("start"), 0)
    strategy = mapping(spec.get("updateStrategy"))
    report.choice("spec.updateStrategy.type", strategy.get("type"), ("OnDelete", "RollingUpdate"))
    rolling = strategy.get("rollingUpdate")
    if rolling is not None and strategy.get("type") == "OnDelete":
        report.add("spec.updateStrategy.rollingUpdate", "may only be given when type is RollingUpdate")
    report.at_least("spec.updateStrategy.rollingUpdate.partition", mapping(rolling).get("partition"), 0)
    most = mapping(rolling).get("maxUnavailable")
    amount_or_percent("spec.updateStrategy.rollingUpdate.maxUnavailable", most, report, capped=True)
    if most is not None and _is_zero(most, ""):
        report.add("spec.updateStrategy.rollingUpdate.maxUnavailable", "cannot be 0")
    for field in ("whenDeleted", "whenScaled"):
        retention = mapping(spec.get("persistentVolumeClaimRetentionPolicy"))
        report.choice(f"spec.persistentVolumeClaimRetentionPolicy.{field}", retention.get(field), ("Retain", "Delete"))


def _selected_template_with_claims(spec: Mapping[str, Any], report: Report) -> Mapping[str, Any]:
    """Check a StatefulSet's template, whose mounts may name its claim templates."""
    claims = [mapping(claim.get("metadata")).get("name") for _, claim in each("", spec.get("volumeClaimTemplates"))]
    if not claims:
        return selected_template(spec, report)
    template = mapping(spec.get("template"))
    pod = dict(mapping(template.get("spec")))
    known = {volume.get("name") for _, volume in each("", pod.get("volumes"))}
    extra = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims if name not in known]
    pod["volumes"] = [*items(pod.get("volumes")), *extra]
    return selected_template({**spec, "template": {**template, "spec": pod}}, report)


def daemon_set(obj: Mapping[str, Any], report: Report) -> None:
    """Check a DaemonSet."""
    spec = mapping(obj.get("spec"))
    _always(selected_template(spec, report), report)
    report.at_least("spec.minReadySeconds", spec.get("minReadySeconds"), 0)
    report.at_least("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"), 0)
    strategy = mapping(spec.get("updateStrategy"))
    report.choice("spec.updateStrategy.type", strategy.get("type"), ("OnDelete", "RollingUpdate"))
    rolling = mapping(strategy.get("rollingUpdate"))
    if rolling and strategy.get("type") != "OnDelete":
        path = "spec.updateStrategy.rollingUpdate"
        _rolling(path, rolling, report, ("1", "0"))
        unavailable, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
        if not _is_zero(unavailable, "1") and not _is_zero(surge, "0"):
            report.add(f"{path}.maxSurge", "may not be set when maxUnavailable is non-zero")


def disruption_budget(obj: Mapping[str, Any], report: Report) -> None:
    """Check a PodDisruptionBudget."""
    spec = mapping(obj.get("spec"))
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        report.add("spec", "minAvailable and maxUnavailable cannot both be set")
    for field in ("minAvailable", "maxUnavailable"):
        amount_or_percent(f"spec.{field}", spec.get(field), report, capped=True)
    selector("spec.selector", spec.get("selector"), report)
    policies = ("IfHealthyBudget", "AlwaysAllow")
    report.choice("spec.unhealthyPodEvictionPolicy", spec.get("unhealthyPodEvictionPolicy"), policies)
