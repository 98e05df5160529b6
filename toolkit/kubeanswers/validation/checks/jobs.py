"""Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.scalars import whole_number
from kubeanswers.validation.checks import pods, words
from kubeanswers.validation.checks.controllers import selected_template
from kubeanswers.validation.checks.report import Report, each, items, mapping
from kubeanswers.validation.checks.schedule import schedule, time_zone

_MOST_INDEXED: Final = 100_000
_MOST_LIMITED: Final = 10_000
_MOST_RULES: Final = 20
_MOST_CODES: Final = 255
_LONGEST_CRON_NAME: Final = 52


def job(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Job."""
    spec, name = mapping(obj.get("spec")), str(mapping(obj.get("metadata")).get("name") or "")
    _job_spec("spec", spec, report)
    if spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > 0:
        if wrong := words.dns_label(f"{name}-{spec['completions'] - 1}"):
            report.add("metadata.name", f"as the host name of its last pod, {wrong}")
    elif not spec.get("manualSelector") and len(name) > words.LONGEST_LABEL:
        report.add("metadata.name", f"becomes a label: must be no more than {words.LONGEST_LABEL} characters")
    if spec.get("manualSelector"):
        selected_template(spec, report)
        return
    if spec.get("selector") is not None:
        report.add("spec.selector", "is generated; set manualSelector to give one")
    pods.template("spec.template", spec.get("template"), report)


def _job_spec(path: str, spec: Mapping[str, Any], report: Report) -> None:
    for field in (
        "activeDeadlineSeconds",
        "parallelism",
        "completions",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ):
        report.at_least(f"{path}.{field}", spec.get(field), 0)
    _completion(path, spec, report)
    policy = mapping(mapping(spec.get("template")).get("spec")).get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        report.add(f"{path}.template.spec.restartPolicy", "is required: OnFailure or Never")
    report.choice(f"{path}.podReplacementPolicy", spec.get("podReplacementPolicy"), ("Failed", "TerminatingOrFailed"))
    if spec.get("podFailurePolicy") is not None:
        _failure_policy(f"{path}.podFailurePolicy", mapping(spec["podFailurePolicy"]), spec, report)
        if spec.get("podReplacementPolicy") == "TerminatingOrFailed":
            report.add(f"{path}.podReplacementPolicy", "must be Failed when podFailurePolicy is used")
    report.text(f"{path}.managedBy", spec.get("managedBy"), _manager)
    if spec.get("successPolicy") is not None:
        _success_policy(f"{path}.successPolicy", mapping(spec["successPolicy"]), spec, report)


def _manager(text: str) -> str:
    return words.path_of_domain(text) or ("must be no more than 63 characters" if len(text) > 63 else "")


def _completion(path: str, spec: Mapping[str, Any], report: Report) -> None:
    mode = spec.get("completionMode")
    if mode is not None:
        report.choice(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"), optional=False)
    if mode == "Indexed":
        _indexes(path, spec, report)
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if spec.get(field) is not None:
                report.add(f"{path}.{field}", "requires completionMode Indexed")
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        report.add(f"{path}.backoffLimitPerIndex", "is required when maxFailedIndexes is set")


def _indexes(path: str, spec: Mapping[str, Any], report: Report) -> None:
    completions, failed = spec.get("completions"), spec.get("maxFailedIndexes")
    if completions is None:
        report.add(f"{path}.completions", "is required when completionMode is Indexed")
        completions = 0
    report.between(f"{path}.parallelism", spec.get("parallelism"), 0, _MOST_INDEXED)
    report.between(f"{path}.maxFailedIndexes", failed, 0, min(_MOST_INDEXED, completions))
    if completions > _MOST_INDEXED and spec.get("backoffLimitPerIndex") is not None:
        if failed is None:
            report.add(f"{path}.maxFailedIndexes", f"is required for more than {_MOST_INDEXED} completions")
        for field in ("maxFailedIndexes", "parallelism"):
            report.between(f"{path}.{field}", spec.get(field), 0, _MOST_LIMITED)


def _success_policy(path: str, policy: Mapping[str, Any], spec: Mapping[str, Any], report: Report) -> None:
    rules, completions = items(policy.get("rules")), spec.get("completions") or 0
    if not 0 < len(rules) <= _MOST_RULES:
        report.add(f"{path}.rules", f"must hold 1 to {_MOST_RULES} rules")
    for place, rule in each(f"{path}.rules", rules):
        count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
        if count is None and indexes is None:
            report.add(place, "at least one of succeededCount and succeededIndexes is required")
        most = completions
        if indexes is not None:
            found = _index_count(str(indexes), completions)
            if found is None:
                report.add(f"{place}.succeededIndexes", f"{indexes!r} must be ascending indexes below completions")
            else:
                most = found
        report.between(f"{place}.succeededCount", count, 1, most)


def _index_count(text: str, completions: int) -> int | None:
    """Return how many indexes a text such as ``1,3-5`` names, or None where it cannot be read."""
    total, last = 0, -1
    for part in text.split(","):
        first, dash, end = part.partition("-")
        low, high = whole_number(first), whole_number(end if dash else first)
        if low is None or high is None:
            return None
        if low <= last or high < low or (dash and high == low) or high >= completions:
            return None
        total, last = total + high - low + 1, high
    return total


def _failure_policy(path: str, value: Mapping[str, Any], spec: Mapping[str, Any], report: Report) -> None:
    pod = mapping(mapping(spec.get("template")).get("spec"))
    if pod.get("restartPolicy") != "Never":
        report.add(path, "needs restartPolicy Never")
    if len(items(value.get("rules"))) > _MOST_RULES:
        report.add(f"{path}.rules", f"at most {_MOST_RULES} are allowed")
    names = {one.get("name") for group in ("containers", "initContainers") for _, one in each("", pod.get(group))}
    actions = ("Count", "FailIndex", "FailJob", "Ignore")
    for place, rule in each(f"{path}.rules", value.get("rules")):
        report.choice(f"{place}.action", rule.get("action"), actions, optional=False)
        if rule.get("action") == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            report.add(f"{place}.action", "FailIndex needs backoffLimitPerIndex")
        codes, conditions = rule.get("onExitCodes"), items(rule.get("onPodConditions"))
        if (codes is not None) == bool(conditions):
            report.add(place, "must have exactly one of onExitCodes and onPodConditions")
        for inner, one in each(f"{place}.onPodConditions", conditions):
            report.text(f"{inner}.type", one.get("type") or "", words.qualified_name)
            report.choice(f"{inner}.status", one.get("status"), ("True", "False", "Unknown"))
        if codes is not None:
            _exit_codes(f"{place}.onExitCodes", mapping(codes), names, report)


def _exit_codes(path: str, codes: Mapping[str, Any], names: set[Any], report: Report) -> None:
    report.choice(f"{path}.operator", codes.get("operator"), ("In", "NotIn"), optional=False)
    values = [value or 0 for value in items(codes.get("values"))]
    if not 0 < len(values) <= _MOST_CODES:
        report.add(f"{path}.values", f"must hold 1 to {_MOST_CODES} codes")
    if 0 in values and codes.get("operator") == "In":
        report.add(f"{path}.values", "must not hold 0 for the In operator")
    if values != sorted(values):
        report.add(f"{path}.values", "must be in ascending order")
    report.unique(f"{path}.values", values)
    if codes.get("containerName") is not None and codes["containerName"] not in names:
        report.add(f"{path}.containerName", f"{codes['containerName']!r} is not a container of the pod")


def cron_job(obj: Mapping[str, Any], report: Report) -> None:
    """Check a CronJob."""
    spec = mapping(obj.get("spec"))
    if report.required("spec.schedule", spec.get("schedule")):
        schedule("spec.schedule", str(spec["schedule"]), spec.get("timeZone"), report)
    if spec.get("timeZone") is not None:
        time_zone("spec.timeZone", str(spec["timeZone"]), report)
    report.choice("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
    for field in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        report.at_least(f"spec.{field}", spec.get(field), 0)
    inner = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    _job_spec("spec.jobTemplate.spec", inner, report)
    pods.template("spec.jobTemplate.spec.template", inner.get("template"), report)
    if len(str(mapping(obj.get("metadata")).get("name") or "")) > _LONGEST_CRON_NAME:
        report.add("metadata.name", "must be no more than 52 characters")
    if inner.get("selector") is not None:
        report.add("spec.jobTemplate.spec.selector", "is generated")
    if inner.get("manualSelector"):
        report.add("spec.jobTemplate.spec.manualSelector", "may not be set")
