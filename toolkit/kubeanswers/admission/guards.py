"""Admission objects whose rules are not evaluated: of which requests they are asked, and whether they could refuse one.

What cannot refuse a request clears nothing: a webhook that ignores its own failure, an engine's policy that only audits
or warns, a rule that generates or mutates, a selector over labels the requester chooses.  What could refuse is written
as a policy that refuses whatever it is asked about; where such a policy refuses, the answer is undecided.

Sources: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/,
https://kyverno.io/docs/policy-types/cluster-policy/ (failureAction, match and exclude),
https://open-policy-agent.github.io/gatekeeper/website/docs/violations/ (enforcementAction).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from kubeanswers.kinds import KindTable
from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text, texts
from kubeanswers.records import dataclass

Data = Mapping[str, Any]
_ENGINES: Final = ("kyverno", "gatekeeper")
_ADMITTING: Final = ("*", "validation.gatekeeper.sh", "vap.k8s.io")
"""Gatekeeper's enforcement points that answer requests; the others audit or test files."""
_NAME: Final = "kubernetes.io/metadata.name"
_CHOSEN: Final = ("selector", "names", "name", "annotations")
"""Parts of a Kyverno match that speak of what the requester chooses."""


@dataclass(frozen=True)
class Guard:
    """An admission object that could refuse requests and is not evaluated.

    Attributes:
        item: the object.
        policy: a policy that refuses whatever the object is asked about.
        binding: its binding.
    """

    item: ManifestObject
    policy: Data
    binding: Data


def guards(
    items: Iterable[ManifestObject], namespaces: Mapping[str, Mapping[str, str]], kinds: KindTable
) -> Iterator[Guard]:
    """Yield, for every admission object that is not evaluated, what it could refuse; nothing for one that cannot."""
    for number, item in enumerate(items):
        for place, constraints, conditions in _asked(item, namespaces, kinds):
            if constraints.get("objectSelector"):
                continue  # whoever makes the object chooses its labels
            name = f"{item} {number}.{place}"
            spec = {
                "matchConstraints": constraints,
                "matchConditions": conditions,
                "validations": [{"expression": "false", "message": f"{item} may refuse it"}],
            }
            binding = {"metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}}
            yield Guard(item, {"metadata": {"name": name}, "spec": spec}, binding)


Asked = tuple[int, dict[str, Any], list[Data]]


def _asked(item: ManifestObject, namespaces: Mapping[str, Mapping[str, str]], kinds: KindTable) -> Iterator[Asked]:
    """Yield (place, match constraints, match conditions) of every part of an object that could refuse a request."""
    if item.kind == "ValidatingWebhookConfiguration":
        if not _of_engine(item):
            yield from _webhooks(item)
    elif item.group == "kyverno.io":
        yield from _kyverno(item, namespaces, kinds)
    elif item.group == "policies.kyverno.io" and "Validating" in item.kind:
        yield from _kyverno_cel(item)
    elif item.group == "constraints.gatekeeper.sh":
        yield from _constraint(item, namespaces, kinds)


def _of_engine(item: ManifestObject) -> bool:
    """Return whether the webhook belongs to an engine whose policies are objects, so that they say what it refuses."""
    return any(item.name.startswith(engine) for engine in _ENGINES)


def _webhooks(item: ManifestObject) -> Iterator[Asked]:
    for number, webhook in enumerate(mappings(item.data.get("webhooks"))):
        if scalar_text(webhook.get("failurePolicy")) == "Ignore":
            continue  # it refuses nothing while it does not answer
        made: dict[str, Any] = {"resourceRules": mappings(webhook.get("rules"))}
        for key in ("namespaceSelector", "objectSelector", "matchPolicy"):
            if webhook.get(key):
                made[key] = webhook[key]
        yield number, made, list(mappings(webhook.get("matchConditions")))


def _kyverno_cel(item: ManifestObject) -> Iterator[Asked]:
    actions = texts(item.spec.get("validationActions")) or ["Deny"]
    if "Deny" not in actions or is_switched_off(item):
        return
    made = dict(mapping(item.spec.get("matchConstraints")))
    if not mappings(made.get("resourceRules")):
        made["resourceRules"] = [_everything()]
    if item.namespaced:
        made["namespaceSelector"] = _only([item.namespace])
    yield 0, made, list(mappings(item.spec.get("matchConditions")))


def is_switched_off(item: ManifestObject) -> bool:
    """Return whether a Kyverno policy is not asked at admission: in the background only, or about other JSON."""
    evaluation = mapping(item.spec.get("evaluation"))
    return (
        mapping(evaluation.get("admission")).get("enabled") is False
        or scalar_text(evaluation.get("mode")) == "JSON"
        or item.spec.get("admission") is False
    )


def _kyverno(item: ManifestObject, namespaces: Mapping[str, Mapping[str, str]], kinds: KindTable) -> Iterator[Asked]:
    if scalar_text(item.spec.get("failurePolicy")) == "Ignore" or is_switched_off(item):
        return
    default = scalar_text(item.spec.get("validationFailureAction")) or "Audit"
    overrides = mappings(item.spec.get("validationFailureActionOverrides"))
    number = 0
    for rule in mappings(item.spec.get("rules")):
        check = mapping(rule.get("validate")) or next(iter(mappings(rule.get("verifyImages"))), {})
        if not check:
            continue
        action = scalar_text(check.get("failureAction")) or default
        spaces = _enforcing(action, [*mappings(check.get("failureActionOverrides")), *overrides], namespaces)
        for filters in _filters(rule):
            made = _kyverno_match(filters, mapping(rule.get("exclude")), spaces, item, kinds, namespaces)
            if made is not None:
                yield number, made, []
                number += 1


def _enforcing(action: str, overrides: list[Data], namespaces: Mapping[str, Mapping[str, str]]) -> set[str] | None:
    """Return the namespaces a rule refuses in; None for all of them."""
    if not overrides:
        return None if action.lower() == "enforce" else set()
    found: set[str] = set()
    for name in namespaces:
        decided = action
        for entry in overrides:
            if any(fnmatchcase(name, pattern) for pattern in texts(entry.get("namespaces"))):
                decided = scalar_text(entry.get("action")) or decided
        if decided.lower() == "enforce":
            found.add(name)
    return found


def _filters(rule: Data) -> Iterator[Data]:
    """Yield the resource filters of a rule's match; alternatives one by one, and what must all hold as one."""
    match = mapping(rule.get("match"))
    if match.get("resources"):
        yield mapping(match["resources"])
    for entry in mappings(match.get("any")):
        yield mapping(entry.get("resources"))
    together = [mapping(entry.get("resources")) for entry in mappings(match.get("all"))]
    if together:
        yield {key: value for filters in together for key, value in filters.items()}


def _kyverno_match(
    filters: Data,
    exclude: Data,
    spaces: set[str] | None,
    item: ManifestObject,
    kinds: KindTable,
    namespaces: Mapping[str, Mapping[str, str]],
) -> dict[str, Any] | None:
    """Return the filters as match constraints, or None where they mean nothing, or what the requester may avoid."""
    if spaces is not None and not spaces:
        return None
    if any(filters.get(key) and filters[key] not in ("*", ["*"]) for key in _CHOSEN) or _avoidable(exclude):
        return None
    operations = texts(filters.get("operations")) or ["CREATE", "UPDATE"]
    made: dict[str, Any] = {"resourceRules": list(kind_rules(texts(filters.get("kinds")), operations, kinds))}
    allowed = set(namespaces) if spaces is None else spaces
    if filters.get("namespaces"):
        allowed = {n for n in allowed if any(fnmatchcase(n, p) for p in texts(filters["namespaces"]))}
    if item.namespaced:
        allowed &= {item.namespace}
    for entry in (exclude, *mappings(exclude.get("any"))):
        patterns = texts(mapping(entry.get("resources")).get("namespaces"))
        allowed = {n for n in allowed if not any(fnmatchcase(n, p) for p in patterns)}
    return {**made, **_selected(allowed, mapping(filters.get("namespaceSelector")), namespaces)}


def _avoidable(exclude: Data) -> bool:
    """Return whether something the requester chooses takes its request out of the rule."""
    entries = (exclude, *mappings(exclude.get("any")))
    return any(mapping(entry.get("resources")).get(key) for entry in entries for key in _CHOSEN)


def kind_rules(names: Iterable[str], operations: list[str], kinds: KindTable) -> Iterator[Data]:
    """Yield the resource rules of kinds written as ``Kind``, ``group/version/Kind`` or with wildcards."""
    for name in names:
        parts = name.replace(".", "/").split("/") if name.count("/") else [name]
        kind = next((part for part in reversed(parts) if part[:1].isupper() or part == "*"), parts[-1])
        if "*" in kind:
            yield _everything(operations)
            continue
        below = parts[parts.index(kind) + 1 :]
        known = [entry for (_, title), entry in kinds.by_kind.items() if title == kind]
        resources = {entry.resource for entry in known} or {f"{kind.lower()}s"}
        groups = sorted({entry.group for entry in known}) or ["*"]
        named = [f"{resource}/{below[0]}" if below else resource for resource in sorted(resources)]
        yield {"apiGroups": groups, "apiVersions": ["*"], "resources": named, "operations": operations}


def _everything(operations: list[str] | None = None) -> Data:
    return {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": operations or ["*"]}


def _selected(allowed: set[str], chosen: Data, namespaces: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return the selector of the namespaces allowed and chosen, as part of match constraints; none for all of them."""
    terms = list(mappings(chosen.get("matchExpressions")))
    if allowed != set(namespaces):
        terms += _only(sorted(allowed))["matchExpressions"]
    labels = mapping(chosen.get("matchLabels"))
    return {"namespaceSelector": {"matchLabels": labels, "matchExpressions": terms}} if terms or labels else {}


def _only(names: list[str]) -> dict[str, Any]:
    values = names or ["<none>"]
    return {"matchExpressions": [{"key": _NAME, "operator": "In", "values": values}]}


def constraint_denies(item: ManifestObject) -> bool:
    """Return whether a Gatekeeper constraint refuses at admission: not where it audits, warns or is on a dry run."""
    action = scalar_text(item.spec.get("enforcementAction")) or "deny"
    if action != "scoped":
        return action == "deny"
    return any(
        scalar_text(entry.get("action")) == "deny"
        and any(scalar_text(point.get("name")) in _ADMITTING for point in mappings(entry.get("enforcementPoints")))
        for entry in mappings(item.spec.get("scopedEnforcementActions"))
    )


def _constraint(item: ManifestObject, namespaces: Mapping[str, Mapping[str, str]], kinds: KindTable) -> Iterator[Asked]:
    """Yield what a Gatekeeper constraint whose rules are not CEL is asked about."""
    if not constraint_denies(item):
        return
    match = mapping(item.spec.get("match"))
    if match.get("labelSelector") or match.get("name"):
        return
    named = [name for entry in mappings(match.get("kinds")) for name in texts(entry.get("kinds"))]
    rules = list(kind_rules(named or ["*"], ["CREATE", "UPDATE"], kinds))
    allowed = set(namespaces)
    if match.get("namespaces"):
        allowed = {n for n in allowed if any(fnmatchcase(n, p) for p in texts(match["namespaces"]))}
    allowed = {n for n in allowed if not any(fnmatchcase(n, p) for p in texts(match.get("excludedNamespaces")))}
    yield 0, {"resourceRules": rules, **_selected(allowed, mapping(match.get("namespaceSelector")), namespaces)}, []
