"""Deployments, StatefulSets, DaemonSets, Jobs, CronJobs, disruption budgets and autoscalers."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from typing import Any, Final

from tenancykit.manifests.checks import pods
from tenancykit.manifests.checks.metadata import is_empty_selector, matches, selector
from tenancykit.manifests.checks.report import Report, each, items, mapping

_PERCENT: Final = re.compile(r"[0-9]+%")
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_CRON: Final[tuple[tuple[int, int, list[str]], ...]] = (
    (0, 59, []),
    (0, 23, []),
    (1, 31, []),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_MACROS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_DEFAULT_DEADLINE: Final = 600


def _selected_template(spec: Mapping[str, Any], report: Report) -> Mapping[str, Any]:
    """Check selector and template against each other; return the template's pod specification."""
    chosen = spec.get("selector")
    template = mapping(spec.get("template"))
    if chosen is None:
        report.add("spec.selector", "is required")
    else:
        selector("spec.selector", chosen, report)
        if is_empty_selector(chosen):
            report.add("spec.selector", "an empty selector is invalid")
        if not matches(chosen, mapping(template.get("metadata")).get("labels")):
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
        report.at_least(path, value, 0)


def _is_zero(value: Any, default: str) -> bool:
    return str(default if value is None else value) in ("0", "0%")


def deployment(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Deployment."""
    spec = mapping(obj.get("spec"))
    pod = _selected_template(spec, report)
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
    _always(_selected_template(spec, report), report)
    report.at_least("spec.replicas", spec.get("replicas"), 0)
    report.at_least("spec.minReadySeconds", spec.get("minReadySeconds"), 0)


def stateful_set(obj: Mapping[str, Any], report: Report) -> None:
    """Check a StatefulSet."""
    spec = mapping(obj.get("spec"))
    _always(_selected_template_with_claims(spec, report), report)
    report.at_least("spec.replicas", spec.get("replicas"), 0)
    report.at_least("spec.minReadySeconds", spec.get("minReadySeconds"), 0)
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
        return _selected_template(spec, report)
    template = mapping(spec.get("template"))
    pod = dict(mapping(template.get("spec")))
    known = {volume.get("name") for _, volume in each("", pod.get("volumes"))}
    extra = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims if name not in known]
    pod["volumes"] = [*items(pod.get("volumes")), *extra]
    return _selected_template({**spec, "template": {**template, "spec": pod}}, report)


def daemon_set(obj: Mapping[str, Any], report: Report) -> None:
    """Check a DaemonSet."""
    spec = mapping(obj.get("spec"))
    _always(_selected_template(spec, report), report)
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


def job(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Job."""
    spec = mapping(obj.get("spec"))
    _job_spec("spec", spec, report)
    if spec.get("manualSelector"):
        _selected_template(spec, report)
        return
    if spec.get("selector") is not None:
        report.add("spec.selector", "is generated; set manualSelector to give one")
    pods.template("spec.template", spec.get("template"), report)


def _job_spec(path: str, spec: Mapping[str, Any], report: Report) -> None:
    for field in (
        "parallelism",
        "completions",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ):
        report.at_least(f"{path}.{field}", spec.get(field), 0)
    report.at_least(f"{path}.activeDeadlineSeconds", spec.get("activeDeadlineSeconds"), 0)
    _completion(path, spec, report)
    policy = mapping(mapping(spec.get("template")).get("spec")).get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        report.add(f"{path}.template.spec.restartPolicy", "is required: OnFailure or Never")
    report.choice(f"{path}.podReplacementPolicy", spec.get("podReplacementPolicy"), ("Failed", "TerminatingOrFailed"))
    if spec.get("podFailurePolicy") is not None:
        _failure_policy(f"{path}.podFailurePolicy", mapping(spec["podFailurePolicy"]), spec, report)
        if spec.get("podReplacementPolicy") == "TerminatingOrFailed":
            report.add(f"{path}.podReplacementPolicy", "must be Failed when podFailurePolicy is used")
    manager = spec.get("managedBy")
    if manager is not None and "/" not in str(manager):
        report.add(f"{path}.managedBy", "must be a domain-prefixed path")


def _completion(path: str, spec: Mapping[str, Any], report: Report) -> None:
    mode = spec.get("completionMode")
    report.choice(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        if spec.get("completions") is None:
            report.add(f"{path}.completions", "is required when completionMode is Indexed")
        report.between(f"{path}.parallelism", spec.get("parallelism"), 0, 100_000)
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if spec.get(field) is not None:
                report.add(f"{path}.{field}", "requires completionMode Indexed")
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        report.add(f"{path}.backoffLimitPerIndex", "is required when maxFailedIndexes is set")


def _failure_policy(path: str, value: Mapping[str, Any], spec: Mapping[str, Any], report: Report) -> None:
    policy = mapping(mapping(spec.get("template")).get("spec")).get("restartPolicy")
    if policy != "Never":
        report.add(f"{path}", "needs restartPolicy Never")
    for place, rule in each(f"{path}.rules", value.get("rules")):
        report.choice(
            f"{place}.action", rule.get("action"), ("Count", "FailIndex", "FailJob", "Ignore"), optional=False
        )
        if rule.get("action") == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            report.add(f"{place}.action", "FailIndex needs backoffLimitPerIndex")
        codes, conditions = rule.get("onExitCodes"), items(rule.get("onPodConditions"))
        if bool(codes) == bool(conditions):
            report.add(place, "must have exactly one of onExitCodes and onPodConditions")
        for inner, one in each(f"{place}.onPodConditions", conditions):
            report.required(f"{inner}.type", one.get("type"))
            report.choice(f"{inner}.status", one.get("status"), ("True", "False", "Unknown"))
        if codes:
            found = mapping(codes)
            report.choice(f"{place}.onExitCodes.operator", found.get("operator"), ("In", "NotIn"), optional=False)
            values = items(found.get("values"))
            if not values:
                report.add(f"{place}.onExitCodes.values", "is required")
            if 0 in values and found.get("operator") == "In":
                report.add(f"{place}.onExitCodes.values", "must not hold 0 for the In operator")
            if values != sorted(values):
                report.add(f"{place}.onExitCodes.values", "must be in ascending order")
            report.unique(f"{place}.onExitCodes.values", values)


def cron_job(obj: Mapping[str, Any], report: Report) -> None:
    """Check a CronJob."""
    spec = mapping(obj.get("spec"))
    if report.required("spec.schedule", spec.get("schedule")):
        _schedule("spec.schedule", str(spec["schedule"]), spec.get("timeZone"), report)
    if spec.get("timeZone") is not None:
        _time_zone("spec.timeZone", str(spec["timeZone"]), report)
    report.choice("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
    for field in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        report.at_least(f"spec.{field}", spec.get(field), 0)
    inner = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    _job_spec("spec.jobTemplate.spec", inner, report)
    pods.template("spec.jobTemplate.spec.template", inner.get("template"), report)
    if len(str(mapping(obj.get("metadata")).get("name") or "")) > 52:
        report.add("metadata.name", "must be no more than 52 characters")
    if inner.get("manualSelector"):
        report.add("spec.jobTemplate.spec.manualSelector", "may not be set")


def _time_zone(path: str, name: str, report: Report) -> None:
    if not name or name.lower() == "local":
        report.add(path, f"{name!r} is not a time zone")
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        report.add(path, f"{name!r} is an unknown time zone")


def _schedule(path: str, text: str, zone: Any, report: Report) -> None:
    if "TZ" in text:
        what = "cannot hold a time zone" if zone is None else "cannot hold a time zone beside timeZone"
        report.add(path, what)
        return
    if text.startswith("@"):
        if text not in _MACROS and not re.fullmatch(r"@every \S+", text):
            report.add(path, f"{text!r} is an unknown descriptor")
        return
    fields = text.split()
    if len(fields) != 5:
        report.add(path, f"expected exactly 5 fields, found {len(fields)}")
        return
    for field, (least, most, names) in zip(fields, _CRON, strict=True):
        if wrong := _cron_field(field, least, most, names):
            report.add(path, f"{field!r} {wrong}")


def _cron_field(field: str, least: int, most: int, names: list[str]) -> str:
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and (not step.isdigit() or int(step) == 0):
            return "has a step that is not a positive number"
        if span in ("*", "?"):
            continue
        ends = [_cron_number(end, least, names) for end in span.split("-")]
        if len(ends) > 2 or None in ends:
            return "is not a number, a range or a list of them"
        low, high = ends[0] or 0, ends[-1] or 0
        if low < least or high > most or low > high:
            return f"must be within {least} to {most}"
    return ""


def _cron_number(text: str, least: int, names: list[str]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + least
    return int(text) if text.isdigit() else None


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


_METRICS: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


def autoscaler(obj: Mapping[str, Any], report: Report) -> None:
    """Check a HorizontalPodAutoscaler."""
    spec = mapping(obj.get("spec"))
    most, least = spec.get("maxReplicas") or 0, spec.get("minReplicas", 1)
    if most < 1:
        report.add("spec.maxReplicas", "must be greater than 0")
    if least is not None:
        report.at_least("spec.minReplicas", least, 1)
        if most < least:
            report.add("spec.maxReplicas", "must be greater than or equal to minReplicas")
    target = mapping(spec.get("scaleTargetRef"))
    for field in ("kind", "name"):
        report.required(f"spec.scaleTargetRef.{field}", target.get(field))
    version, controller = str(target.get("apiVersion") or ""), target.get("kind") == "ReplicationController"
    if "/" not in version and not (version == "v1" and controller):
        report.add("spec.scaleTargetRef.apiVersion", "must specify an API group")
    for place, metric in each("spec.metrics", spec.get("metrics")):
        kind = metric.get("type")
        report.choice(f"{place}.type", kind, _METRICS, optional=False)
        source = _METRICS.get(str(kind))
        if source is not None:
            _metric_source(f"{place}.{source}", source, metric.get(source), report)
    _scaling(mapping(spec.get("behavior")), report)


def _metric_source(path: str, name: str, value: Any, report: Report) -> None:
    if value is None:
        report.add(path, "is required for this type")
        return
    _metric_target(f"{path}.target", mapping(mapping(value).get("target")), report)
    if name in ("resource", "containerResource"):
        report.required(f"{path}.name", mapping(value).get("name"))


def _scaling(behavior: Mapping[str, Any], report: Report) -> None:
    for direction in ("scaleUp", "scaleDown"):
        rules = mapping(behavior.get(direction))
        window = rules.get("stabilizationWindowSeconds")
        report.between(f"spec.behavior.{direction}.stabilizationWindowSeconds", window, 0, 3600)
        for place, policy in each(f"spec.behavior.{direction}.policies", rules.get("policies")):
            report.choice(f"{place}.type", policy.get("type"), ("Pods", "Percent"), optional=False)
            report.at_least(f"{place}.value", policy.get("value") or 0, 1)
            report.between(f"{place}.periodSeconds", policy.get("periodSeconds") or 0, 1, 1800)


def _metric_target(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.choice(f"{path}.type", value.get("type"), ("Utilization", "Value", "AverageValue"), optional=False)
    if value.get("averageUtilization") is not None:
        report.at_least(f"{path}.averageUtilization", value["averageUtilization"], 1)
    needed = {"Utilization": "averageUtilization", "Value": "value", "AverageValue": "averageValue"}
    field = needed.get(str(value.get("type")))
    if field and value.get(field) is None:
        report.add(f"{path}.{field}", "is required for this type")
