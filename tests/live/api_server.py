"""A small API server on loopback: discovery, server-side apply, access reviews, admission of dry-run creations.

It stands in for a real one and is none: rights, Pod Security, admission policies, quotas and schemas are answered by
this project's own evaluators over what has been applied, so tests show what the live commands do with answers, not
that a real server gives them. Faults (busy, broken, slow, silent) are put in by the test.
"""

from __future__ import annotations

import json
import lzma
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from kubeanswers.access.rbac import AccessRules, Request
from kubeanswers.admission.api_defaults import as_admitted
from kubeanswers.admission.request import AdmissionRequest
from kubeanswers.kinds import Kind, kind_table
from kubeanswers.objects import ObjectSet, from_dicts
from kubeanswers.pod_security import enforced, violations
from kubeanswers.quota.enforcement import NamespaceAccount
from kubeanswers.validation.custom_kinds import is_custom, known_kinds
from kubeanswers.validation.schema import validate_object
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe
from tenancykit.auditing.tenants import Tenancy
from tests.live.ownership import Conflict, Entry, Merging, Stored, apply, doubles, shown, update

Key = tuple[str, str, str, str]
_UNTYPED = re.compile(r": unknown field| is \w+, not \w+$|\]: .* appears twice$")
TOKEN = "let-me-in"  # noqa: S105 - of the fake server alone


@dataclass
class Reply:
    """Status and body of an answer."""

    status: int
    body: Mapping[str, Any]
    content: str = "application/json"
    text: str = "<html>sign in</html>"
    after: str = ""
    cut: bool = False


@dataclass
class Trouble:
    """Something that goes wrong: how often, for which requests, after how many that went well.

    ``cut`` closes the connection in the middle of the answer; ``words`` are plain text, as a real server's 429 is.
    """

    text: str
    status: int = 0
    times: int = 1
    unless: str = ""
    drop: bool = False
    wait: float = 0.0
    body: Mapping[str, Any] = field(default_factory=dict)
    content: str = "application/json"
    skip: int = 0
    cut: bool = False
    words: str = ""
    retry: str = ""


def refusal(status: int, message: str, reason: str = "", **details: Any) -> Reply:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}
    if reason:
        body["reason"] = reason
    return Reply(status, {**body, "details": details})


@dataclass
class Cluster:
    """What the server stores and how it answers."""

    version: str = "1.36"
    groups: set[str] = field(default_factory=set)
    objects: dict[Key, dict[str, Any]] = field(default_factory=dict)
    managers: dict[Key, list[Entry]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    may_impersonate: bool = True
    may_create: bool = True
    read_only: bool = False
    counter: int = 0
    _set: ObjectSet | None = None
    _served: dict[str, dict[str, Kind]] = field(default_factory=dict)

    def changed(self) -> None:
        """Forget what was worked out of the objects stored before."""
        self._set = None
        self._served = {}

    @property
    def held(self) -> ObjectSet:
        """What is stored, as an audit sees it."""
        if self._set is None:
            self._set = from_dicts(self.objects.values())
        return self._set

    @property
    def defined(self) -> set[str]:
        """Groups of the definitions that are stored."""
        stored = (data for (_, kind, _, _), data in self.objects.items() if kind == "CustomResourceDefinition")
        return {data["spec"]["group"] for data in stored}

    def served(self, group_version: str) -> dict[str, Kind]:
        """Return the kinds of a group and version by resource."""
        if not self._served:
            for version, kind in self.kinds():
                self._served.setdefault(version, {})[kind.resource] = kind
        return self._served.get(group_version, {})

    def kinds(self) -> Iterator[tuple[str, Kind]]:
        """Yield group and version with each kind that is served."""
        custom = self.groups | self.defined
        for kind in kind_table(list(self.objects.values())).by_kind.values():
            known = known_kinds().get((kind.group, kind.kind))
            version = known.api_version.rpartition("/")[2] if known else "v1"
            if kind.group == "constraints.gatekeeper.sh":
                yield f"{kind.group}/v1beta1", kind
            elif kind.group == "autoscaling":
                yield "autoscaling/v2", kind
            elif not is_custom(f"{kind.group}/v1") or kind.group in custom:
                yield f"{kind.group}/{version}".lstrip("/"), kind
        for (group, name), entry in known_kinds().items():
            if group in self.groups and kind_table().find(group, name) is None:
                yield entry.api_version, Kind(group, name, f"{name.lower()}s", entry.namespaced)

    def answer(self, method: str, url: str, headers: Any, body: Any) -> Reply:  # noqa: C901, PLR0911 - one per kind of request
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        path = [part for part in parts.path.split("/") if part]
        group_version, rest = ("/".join(path[1:2]), path[2:]) if path[0] == "api" else ("/".join(path[1:3]), path[3:])
        served = self.served(group_version)
        if not served:
            return refusal(404, "the server could not find the requested resource", "NotFound")
        if not rest:
            listed = [{"name": k.resource, "kind": k.kind, "namespaced": k.namespaced} for k in served.values()]
            return Reply(
                200,
                {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed},
            )
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if rest[0] == "subjectaccessreviews":
            return self.review(body["spec"])
        kind = served.get(rest[0])
        if kind is not None and rest[2:] == ["scale"]:
            return self.scale((kind.group, kind.kind, namespace, rest[1]), kind, body, query)
        if kind is None or len(rest) > 2:
            return refusal(404, "the server could not find the requested resource", "NotFound")
        key = (kind.group, kind.kind, namespace, rest[1] if len(rest) > 1 else "")
        if method == "GET":
            return self.read(key, kind, group_version, query)
        if self.read_only:
            text = f'{rest[0]}{self.of(kind)} "{key[3]}" is forbidden: User "reader" cannot {method.lower()} resource'
            return refusal(403, f'{text} "{rest[0]}" in API group "{kind.group}"', "Forbidden")
        if kind.namespaced and ("", "Namespace", "", namespace) not in self.objects:
            text = f'namespaces "{namespace}" not found'
            return refusal(404, text, "NotFound", name=namespace, kind="namespaces")
        if method == "PATCH" and headers["Content-Type"] == "application/apply-patch+yaml":
            return self.apply(key, kind, body, query)
        if method in ("PATCH", "PUT"):
            return self.write(key, kind, method, body, query)
        if method == "DELETE":
            return self.delete(key, kind)
        return self.create(kind, namespace, body, query, headers)

    @staticmethod
    def of(kind: Kind) -> str:
        return f".{kind.group}" if kind.group else ""

    def read(self, key: Key, kind: Kind, version: str, query: Mapping[str, str]) -> Reply:
        if key[3]:
            stored = self.objects.get(key)
            return Reply(200, self.shown(key)) if stored else self.missing(kind, key[3])
        wanted = dict(pair.split("=", 1) for pair in query.get("labelSelector", "").split(",") if pair)
        found = [
            self.shown(one)
            for one, data in sorted(self.objects.items())
            if one[:2] == key[:2]
            and key[2] in ("", one[2])
            and wanted.items() <= (data["metadata"].get("labels") or {}).items()
        ]
        start, limit = int(query.get("continue") or 0), int(query.get("limit") or 0) or len(found)
        more = {"continue": str(start + limit)} if start + limit < len(found) else {}
        items = [
            {name: value for name, value in one.items() if name not in ("apiVersion", "kind")}
            for one in found[start : start + limit]
        ]
        return Reply(200, {"kind": f"{kind.kind}List", "apiVersion": version, "metadata": more, "items": items})

    def missing(self, kind: Kind, name: str) -> Reply:
        text = f'{kind.resource}{self.of(kind)} "{name}" not found'
        return refusal(404, text, "NotFound", name=name, group=kind.group, kind=kind.resource)

    def shown(self, key: Key) -> dict[str, Any]:
        data = self.objects[key]
        managed = Stored(data, self.managers.get(key, [])).managed()
        return {**data, "metadata": {**data["metadata"], **({"managedFields": managed} if managed else {})}}

    def merging(self, body: Mapping[str, Any]) -> Merging:
        table = merging_table()
        if body.get("kind") == "CronJob":  # its pods merge as those of a Deployment
            made = table["apps/v1 Deployment"].items()
            return Merging({f"spec.jobTemplate.{path}": how for path, how in made if path.startswith("spec.template")})
        return Merging(table.get(f"{body.get('apiVersion')} {body.get('kind')}", {}))

    def apply(self, key: Key, kind: Kind, body: dict[str, Any], query: Mapping[str, str]) -> Reply:
        refused = self.unreadable(key, kind, body, query)
        if refused:
            return refused
        faults = validate_object(body, self.version)
        untyped = next((fault for fault in faults if _UNTYPED.search(fault)), "")
        if untyped:
            field, _, what = untyped.partition(": ")
            told = "field not declared in schema" if "unknown field" in what else what
            place = f"{key[2]}/{key[3]}; {body['apiVersion']}, Kind={key[1]}"
            return refusal(500, f"failed to create typed patch object ({place}): .{field}: {told}")
        for path, double in doubles(body, self.merging(body)):
            place = f"{key[2]}/{key[3]}; {body['apiVersion']}, Kind={key[1]}"
            text = f"failed to create typed patch object ({place}): {shown(path)}: duplicate entries for key"
            return refusal(500, f"{text} {shown(double)}")
        stored = self.objects.get(key)
        live = Stored(stored, self.managers.get(key, [])) if stored else None
        force = query.get("force") == "true"
        manager = query["fieldManager"]
        try:
            made = apply(live, body, manager, self.merging(body), lambda data: self.completed(data, key), force=force)
        except Conflict as conflict:
            causes = [
                {"reason": "FieldManagerConflict", "message": f"conflict with {by}", "field": shown(path)}
                for by, path in conflict.found
            ]
            return refusal(409, conflict.message(), "Conflict", causes=causes)
        whole = body if key[1] in ("Job", "CronJob") else made.data  # what a Job is given is not for others to state
        faults = validate_object(whole, self.version)
        if faults:
            return self.invalid(kind, key[3], faults)
        return self.kept(key, made, query, 200 if stored else 201)

    def unreadable(self, key: Key, kind: Kind, body: Any, query: Mapping[str, str]) -> Reply | None:  # noqa: PLR0911 - one per fault
        """Return the refusal of a body that is not the object of its address, or of options nobody knows."""
        if not isinstance(body, dict) or not body.get("apiVersion") or not body.get("kind"):
            return refusal(400, "the body is no object", "BadRequest")
        for name, allowed in (("dryRun", ("All",)), ("fieldValidation", ("", "Ignore", "Strict", "Warn"))):
            if name in query and query[name] not in allowed:
                return refusal(422, f'PatchOptions.meta.k8s.io "" is invalid: {name}: Unsupported value', "Invalid")
        metadata = body.get("metadata") or {}
        if not metadata.get("name"):
            return refusal(400, "the name of the object was undeterminable: name must be provided", "BadRequest")
        if metadata["name"] != key[3] or metadata.get("namespace", key[2]) != key[2]:
            return refusal(400, "the name or namespace of the object does not match that of the request", "BadRequest")
        if metadata.get("managedFields"):
            return refusal(400, "metadata.managedFields must be nil", "BadRequest")
        stored = self.objects.get(key)
        uid, version = metadata.get("uid"), metadata.get("resourceVersion")
        start = f'Operation cannot be fulfilled on {kind.resource}{self.of(kind)} "{key[3]}"'
        if uid and not stored:
            text = f"{start}: uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            return refusal(409, text, "Conflict")
        if uid and stored and stored["metadata"]["uid"] != uid:
            return self.invalid(kind, key[3], ["metadata.uid: field is immutable"])
        if version and (not stored or stored["metadata"]["resourceVersion"] != version):
            text = (
                f"{start}: the object has been modified; please apply your changes to the latest version and try again"
            )
            return refusal(409, text, "Conflict")
        return None

    def invalid(self, kind: Kind, name: str, faults: list[str]) -> Reply:
        text = f'{kind.kind}{self.of(kind)} "{name}" is invalid: {"; ".join(faults)}'
        return refusal(422, text, "Invalid", name=name, group=kind.group, kind=kind.kind)

    def completed(self, data: dict[str, Any], key: Key) -> dict[str, Any]:
        """Return an object as it is stored: with the server's defaults and marks."""
        made = defaulted(of_its_type(data))
        stored = self.objects.get(key)
        own = stored["metadata"] if stored else {"uid": f"uid-{len(self.log)}-{key[3]}", "generation": 1}
        marks = {name: own[name] for name in ("uid", "generation", "resourceVersion") if name in own}
        place = {"namespace": key[2]} if key[2] else {}
        made["metadata"] = {**made.get("metadata", {}), "name": key[3], **place, **marks}
        if key[1] == "Namespace":
            labels = {**(made["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": key[3]}
            made["metadata"]["labels"] = labels
        return made

    def kept(self, key: Key, made: Stored, query: Mapping[str, str], status: int) -> Reply:
        """Keep an object unless it is a dry run; what changes nothing is not written."""
        stored = self.objects.get(key)
        before = Stored(stored, self.managers.get(key, [])).managed() if stored else []
        data = made.data
        if query.get("dryRun") == "All":
            managed = made.managed()
            return Reply(status, {**data, "metadata": {**data["metadata"], "managedFields": managed}})
        if stored is None or stored != data or before != made.managed():
            self.counter += 1
            old = {k: v for k, v in (stored or {}).items() if k not in ("metadata", "status")}
            new = {k: v for k, v in data.items() if k not in ("metadata", "status")}
            generation = data["metadata"].get("generation", 1) + (stored is not None and old != new)
            marks = {"resourceVersion": str(self.counter), "generation": generation}
            self.objects[key] = {**data, "metadata": {**data["metadata"], **marks}}
            self.managers[key] = made.entries
            self._set = None
            if key[1] in ("CustomResourceDefinition", "ConstraintTemplate"):
                self.changed()
        told = self.shown(key)
        if key[1] == "ClusterRole":  # the controller comes after the answer
            self.aggregate()
        return Reply(status, told)

    def write(self, key: Key, kind: Kind, method: str, body: dict[str, Any], query: Mapping[str, str]) -> Reply:
        """Replace an object, or merge a patch into it."""
        stored = self.objects.get(key)
        if stored is None:
            return self.missing(kind, key[3])
        data = body if method == "PUT" else merge(stored, body)
        data = of_its_type(data)
        if (
            method == "PUT"
            and body["metadata"].get("resourceVersion", stored["metadata"]["resourceVersion"])
            != (stored["metadata"]["resourceVersion"])
        ):
            return refusal(
                409, "the object has been modified; please apply your changes to the latest version", "Conflict"
            )
        faults = validate_object(data, self.version, old=stored)
        if faults:
            return self.invalid(kind, key[3], faults)
        manager = query.get("fieldManager", "unknown")
        live = Stored(stored, self.managers.get(key, []))
        made = update(live, data, manager, self.merging(data), lambda one: self.completed(one, key))
        return self.kept(key, made, query, 200)

    def scale(self, key: Key, kind: Kind, body: Mapping[str, Any], query: Mapping[str, str]) -> Reply:
        """Change the number of replicas of a workload and nothing else of it."""
        told = self.write(key, kind, "PATCH", {"spec": {"replicas": body["spec"]["replicas"]}}, query)
        if told.status != 200:
            return told
        manager = query.get("fieldManager", "unknown")
        kept = [one for one in self.managers[key] if (one.manager, one.operation) != (manager, "Update")]
        self.managers[key] = kept
        metadata = {"name": key[3], "namespace": key[2]}
        spec = {"replicas": told.body["spec"]["replicas"]}
        return Reply(200, {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec})

    def aggregate(self) -> None:
        """Write the rules of the roles that aggregate others, as the controller does."""
        roles = {key: data for key, data in sorted(self.objects.items()) if key[1] == "ClusterRole"}
        for key, data in roles.items():
            chosen = [
                one["matchLabels"].items()
                for one in (data.get("aggregationRule") or {}).get("clusterRoleSelectors", ())
            ]
            taken = [
                other
                for other in roles.values()
                if other is not data
                and any(wanted <= (other["metadata"].get("labels") or {}).items() for wanted in chosen)
            ]
            if not taken:
                continue
            rules = [rule for other in taken for rule in other.get("rules") or ()]
            body = {name: data[name] for name in ("apiVersion", "kind")} | {
                "metadata": {"name": key[3]},
                "rules": rules,
            }
            live = Stored(data, self.managers.get(key, []))
            made = apply(
                live, body, "clusterrole-aggregation-controller", self.merging(body), lambda one: one, force=True
            )
            self.objects[key], self.managers[key] = made.data, made.entries

    def delete(self, key: Key, kind: Kind) -> Reply:
        if key not in self.objects:
            return self.missing(kind, key[3])
        data = self.objects.pop(key)
        self.managers.pop(key, None)
        self.changed()
        return Reply(200, data)

    def review(self, spec: Mapping[str, Any]) -> Reply:
        asked = spec["resourceAttributes"]
        names = ("verb", "group", "resource", "subresource", "name", "namespace")
        request = Request(
            spec["user"], groups=frozenset(spec["groups"]), **{name: asked.get(name, "") for name in names}
        )
        answer = self.held.derived("access", lambda: AccessRules(self.held)).can(request)
        status = {"allowed": answer.allowed, "reason": answer.reason}
        return Reply(201, {"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": status})

    def create(  # noqa: PLR0911 - one per kind of refusal
        self, kind: Kind, namespace: str, body: dict[str, Any], query: Mapping[str, str], headers: Any
    ) -> Reply:
        access = self.held.derived("access", lambda: AccessRules(self.held))
        user, groups = headers.get("Impersonate-User"), frozenset(headers.get_all("Impersonate-Group") or ())
        name, resource = body["metadata"]["name"], kind.resource
        if user:
            if not self.may_impersonate:
                return refusal(403, f'users "{user}" is forbidden: User "me" cannot impersonate resource "users"')
            request = Request(user, "create", groups, kind.group, resource, namespace=namespace)
            if not access.can(request).allowed:
                return refusal(403, f'{resource} is forbidden: User "{user}" cannot create resource "{resource}"')
        elif not self.may_create:
            return refusal(403, f'{resource} is forbidden: User "me" cannot create resource "{resource}"')
        key = (kind.group, kind.kind, namespace, name)
        if key in self.objects:
            return refusal(409, f'{resource}{self.of(kind)} "{name}" already exists', "AlreadyExists", name=name)
        faults = validate_object(body, self.version)
        unknown = [fault for fault in faults if ": unknown field" in fault]
        untyped = [fault for fault in faults if _UNTYPED.search(fault) and " is " in fault]
        if untyped:
            return refusal(400, f"{kind.kind} cannot be handled as a {kind.kind}: json: {untyped[0]}", "BadRequest")
        if unknown and query.get("fieldValidation", "Strict") == "Strict":
            told = ", ".join(f'unknown field "{fault.partition(":")[0]}"' for fault in unknown)
            version = body["apiVersion"].rpartition("/")[2]
            text = (
                f'{kind.kind} in version "{version}" cannot be handled as a {kind.kind}: strict decoding error: {told}'
            )
            return refusal(400, text, "BadRequest")
        if [fault for fault in faults if fault not in unknown]:
            return self.invalid(kind, name, faults)
        prune(body, unknown)
        why = self.refused(kind, namespace, body, user or "me", groups or frozenset({"system:masters"}))
        if why:
            return refusal(403, f'{resource} "{name}" is forbidden: {why}', "Forbidden")
        manager = query.get("fieldManager", "unknown")
        made = update(None, body, manager, self.merging(body), lambda one: self.completed(one, key))
        return self.kept(key, as_noted(made, body), query, 201)

    def refused(self, kind: Kind, namespace: str, body: dict[str, Any], user: str, groups: frozenset[str]) -> str:
        if kind.kind == "Pod":
            level, minor = enforced(self.held.namespaces[namespace])
            broken = violations(body["spec"], level, body["metadata"], minor)
            if broken:
                return f'violates PodSecurity "{level}:latest": {", ".join(map(str, broken))}'
        access = self.held.derived("access", lambda: AccessRules(self.held))
        probe = self.held.derived("probe", lambda: AdmissionProbe(self.held, Tenancy(self.held, access, {})))
        request = AdmissionRequest(
            "CREATE", kind.group, "v1", kind.kind, kind.resource, body["metadata"]["name"], namespace,
            object=as_admitted(body, namespace), user=user, groups=groups,
        )  # fmt: skip
        answer = probe.policies.review(request)
        if answer.denial:
            return f"ValidatingAdmissionPolicy '{answer.denial.policy}' denied request: {answer.denial.message}"
        account = NamespaceAccount(tuple(self.objects.values()), self.held.kinds)
        for (_, name, space, called), data in self.objects.items():
            if space == namespace and name in ("ResourceQuota", "LimitRange"):
                account.objects[(name, called)] = data
        return account.create(body).why


def merge(stored: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON merge patch done: null takes away."""
    merged = dict(stored)
    for key, value in body.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged[key], value) if both else value
    return merged


_OF_OPEN_SERVICES = frozenset({"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"})
"""Fields that a Service loses with the type they belong to."""
_BY_ADMISSION = frozenset(
    ("f:spec", f"f:{name}")
    for name in ("preemptionPolicy", "priority", "serviceAccount", "serviceAccountName", "tolerations", "volumes")
)
"""Fields of a pod that admission fills in after the writer's own have been noted."""


def of_its_type(data: dict[str, Any]) -> dict[str, Any]:
    """Return a Service of the cluster's own without the fields of other types; other objects as they are."""
    if data.get("kind") != "Service" or data["spec"].get("type", "ClusterIP") != "ClusterIP":
        return data
    return {**data, "spec": {key: value for key, value in data["spec"].items() if key not in _OF_OPEN_SERVICES}}


def as_noted(made: Stored, body: Mapping[str, Any]) -> Stored:
    """Return what is made of a body; what admission fills into a pod, its writer does not own."""
    if body["kind"] == "Pod":
        stated = {("f:spec", f"f:{name}") for name in body["spec"]}
        for one in made.entries:
            one.fields = frozenset(path for path in one.fields if path[:2] not in _BY_ADMISSION - stated)
    return made


def prune(body: dict[str, Any], faults: list[str]) -> None:
    """Take fields that are told as unknown out of an object, as the server does where it only warns."""
    for fault in faults:
        *steps, last = fault.partition(":")[0].split(".")
        value: Any = body
        for step in steps:
            name, _, index = step.partition("[")
            value = value[name][int(index.rstrip("]"))] if index else value[name]
        value.pop(last, None)


def defaulted(body: dict[str, Any]) -> dict[str, Any]:
    """Return an object with what the server fills in, so that nobody compares with the file."""
    made = as_admitted({key: value for key, value in body.items() if key != "status"})
    spec: Mapping[str, Any] = made.get("spec") or {}
    if made["kind"] in ("RoleBinding", "ClusterRoleBinding"):
        group = "rbac.authorization.k8s.io"
        made["subjects"] = [
            s if s["kind"] == "ServiceAccount" else {"apiGroup": group, **s} for s in made.get("subjects") or ()
        ] or made.get("subjects")
        made["roleRef"] = {"apiGroup": group, **made["roleRef"]}
    elif made["kind"] == "ValidatingAdmissionPolicy":
        made["spec"] = {"failurePolicy": "Fail", **spec}
        if "matchConstraints" in spec:
            made["spec"]["matchConstraints"] = _matched(spec["matchConstraints"])
    elif made["kind"] == "ValidatingAdmissionPolicyBinding" and "matchResources" in spec:
        made["spec"] = {**spec, "matchResources": _matched(spec["matchResources"])}
    elif made["kind"] in _BY_DEFINITION:
        made["spec"] = _filled(spec, _BY_DEFINITION[made["kind"]])
    elif made["kind"] == "PriorityClass":
        made = {"preemptionPolicy": "PreemptLowerPriority", **made}
    elif made["kind"] == "StorageClass":
        made = {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", **made}
    return {key: value for key, value in made.items() if value is not None}


_BY_DEFINITION: Mapping[str, Mapping[str, Any]] = {
    "Gateway": {
        "listeners?": {
            "allowedRoutes": {"namespaces": {"from": "Same"}},
            "tls?": {"mode": "Terminate", "certificateRefs?": {"group": "", "kind": "Secret"}},
        }
    },
    "HTTPRoute": {
        "parentRefs?": {"group": "gateway.networking.k8s.io", "kind": "Gateway"},
        "rules?": {
            "matches+": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "backendRefs?": {"group": "", "kind": "Service", "weight": 1},
        },
    },
}
"""What definitions of custom kinds fill in; ``?`` only below what is there, ``+`` a list that is missing."""


def _filled(value: Any, defaults: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_filled(item, defaults) for item in value]
    made = dict(value)
    for key, inner in defaults.items():
        name = key.rstrip("?+")
        if key.endswith("+") or not isinstance(inner, Mapping):
            made.setdefault(name, inner)
        elif name in made:
            made[name] = _filled(made[name], inner)
        elif not key.endswith("?"):
            made[name] = inner
    return made


def _matched(found: Mapping[str, Any]) -> dict[str, Any]:
    rules = [{"scope": "*", **rule} for rule in found.get("resourceRules") or ()]
    made = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}, **found}
    return {**made, **({"resourceRules": rules} if rules else {})}


@cache
def recorded() -> dict[str, Any]:
    """Return what a real server answered (our own recording of Kubernetes 1.36.2)."""
    file = Path(__file__).parent / "recorded" / "live.json.xz"
    found: dict[str, Any] = json.loads(lzma.decompress(file.read_bytes()))
    return found


def merging_table() -> Mapping[str, Mapping[str, str]]:
    """Return how lists and maps merge, by kind, from the real server's own OpenAPI."""
    found: Mapping[str, Mapping[str, str]] = recorded()["meta"]["merging"]
    return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # header and body in one packet: two would wait for each other
    disable_nagle_algorithm = True
    server: FakeServer

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        with self.server.lock:
            reply = self._reply(body)
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        data = json.dumps(reply.body).encode() if reply.content == "application/json" else reply.text.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content)
        if 300 <= reply.status < 400:
            self.send_header("Location", "https://login.example.net/")
        if reply.after:
            self.send_header("Retry-After", reply.after)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if reply.cut else data)
        self.wfile.flush()
        if reply.cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815 - names of the standard library

    def _reply(self, body: Any) -> Reply | None:
        cluster = self.server.cluster
        user = self.headers.get("Impersonate-User") or ""
        cluster.log.append((self.command, self.path, user))
        for trouble in cluster.troubles:
            line = f"{self.command} {self.path}"
            if trouble.times and trouble.text in line and not (trouble.unless and trouble.unless in line):
                if trouble.skip:
                    trouble.skip -= 1
                    continue
                trouble.times -= 1
                time.sleep(trouble.wait)
                if trouble.drop:
                    return None
                if trouble.words:
                    return Reply(trouble.status, {}, "text/plain", trouble.words, trouble.retry)
                if trouble.cut:
                    whole = cluster.answer(self.command, self.path, self.headers, body)
                    return Reply(whole.status, whole.body, cut=True)
                if trouble.status:
                    return Reply(
                        trouble.status, trouble.body or refusal(trouble.status, "out of order").body, trouble.content
                    )
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refusal(401, "Unauthorized", "Unauthorized")
        return cluster.answer(self.command, self.path, self.headers, body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class FakeServer(ThreadingHTTPServer):
    """The server; use as a context manager."""

    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cluster = cluster
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


def kubeconfig(**servers: str) -> dict[str, Any]:
    """Return a kubeconfig with one context per server, the first one current."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(servers)),
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in servers],
    }
