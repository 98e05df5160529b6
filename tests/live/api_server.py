"""A small API server on loopback: discovery, server-side apply, access reviews, admission of dry-run creations.

It stands in for a real one and is none: rights, Pod Security, admission policies, quotas and schemas are answered by
this project's own evaluators over what has been applied, so tests show what the live commands do with answers, not
that a real server gives them. Faults (busy, broken, slow, silent) are put in by the test.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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

Key = tuple[str, str, str, str]
TOKEN = "let-me-in"  # noqa: S105 - of the fake server alone


@dataclass
class Reply:
    """Status and body of an answer."""

    status: int
    body: Mapping[str, Any]


@dataclass
class Trouble:
    """Something that goes wrong: how often, for which requests."""

    text: str
    status: int = 0
    times: int = 1
    unless: str = ""
    drop: bool = False
    wait: float = 0.0
    body: Mapping[str, Any] = field(default_factory=dict)


def refusal(status: int, message: str, reason: str = "", **details: Any) -> Reply:
    body = {"kind": "Status", "status": "Failure", "message": message, "reason": reason, "code": status}
    return Reply(status, {**body, "details": details})


@dataclass
class Cluster:
    """What the server stores and how it answers."""

    version: str = "1.36"
    groups: set[str] = field(default_factory=set)
    objects: dict[Key, dict[str, Any]] = field(default_factory=dict)
    managers: dict[Key, dict[str, Any]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    may_impersonate: bool = True
    may_create: bool = True
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
            elif not is_custom(f"{kind.group}/v1") or kind.group in custom:
                yield f"{kind.group}/{version}".lstrip("/"), kind
        for (group, name), entry in known_kinds().items():
            if group in self.groups and kind_table().find(group, name) is None:
                yield entry.api_version, Kind(group, name, f"{name.lower()}s", entry.namespaced)

    def answer(self, method: str, url: str, headers: Any, body: Any) -> Reply:  # noqa: PLR0911 - one per kind of request
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        path = [part for part in parts.path.split("/") if part]
        group_version, rest = ("/".join(path[1:2]), path[2:]) if path[0] == "api" else ("/".join(path[1:3]), path[3:])
        served = self.served(group_version)
        if not served:
            return refusal(404, "the server could not find the requested resource", "NotFound")
        if not rest:
            listed = [{"name": k.resource, "kind": k.kind, "namespaced": k.namespaced} for k in served.values()]
            return Reply(200, {"resources": listed})
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if rest[0] == "subjectaccessreviews":
            return self.review(body["spec"])
        kind = served.get(rest[0])
        if kind is None:
            return refusal(404, "the server could not find the requested resource", "NotFound")
        key = (kind.group, kind.kind, namespace, rest[1] if len(rest) > 1 else "")
        if method == "GET":
            stored = self.objects.get(key)
            return Reply(200, stored) if stored else refusal(404, f'{rest[0]} "{rest[1]}" not found', "NotFound")
        if kind.namespaced and ("", "Namespace", "", namespace) not in self.objects:
            text = f'namespaces "{namespace}" not found'
            return refusal(404, text, "NotFound", name=namespace, kind="namespaces")
        if method == "PATCH":
            return self.apply(key, body, query, headers)
        return self.create(kind, namespace, body, query, headers)

    def apply(self, key: Key, body: dict[str, Any], query: Mapping[str, str], headers: Any) -> Reply:
        assert headers["Content-Type"] == "application/apply-patch+yaml"
        assert query["fieldValidation"] == "Strict"
        faults = validate_object(body, self.version)
        if faults:
            status = 400 if "unknown" in faults[0] else 422
            return refusal(status, f'{key[1]} "{key[3]}" is invalid: {"; ".join(faults)}', "Invalid")
        stored = self.objects.get(key)
        manager = query["fieldManager"]
        owned = self.managers.setdefault(key, {}) if stored else {}
        own = dict(leaves(body))
        conflicts = [
            f'conflict with "{other}": {".".join(path)}'
            for other, theirs in owned.items()
            if other != manager and query.get("force") != "true"
            for path, value in leaves(theirs)
            if own.get(path, value) != value
        ]
        if conflicts:
            causes = [{"reason": "FieldManagerConflict", "message": text} for text in conflicts]
            return refusal(409, f"Apply failed with {len(conflicts)} conflict", "Conflict", causes=causes)
        merged = merge(stored or {}, defaulted(body))
        if query.get("dryRun") != "All":
            self.objects[key] = merged
            self.managers.setdefault(key, {})[manager] = body
            self._set = None
            if key[1] in ("CustomResourceDefinition", "ConstraintTemplate"):
                self.changed()
        return Reply(200 if stored else 201, merged)

    def review(self, spec: Mapping[str, Any]) -> Reply:
        asked = spec["resourceAttributes"]
        names = ("verb", "group", "resource", "subresource", "name", "namespace")
        request = Request(
            spec["user"], groups=frozenset(spec["groups"]), **{name: asked.get(name, "") for name in names}
        )
        answer = self.held.derived("access", lambda: AccessRules(self.held)).can(request)
        return Reply(201, {"status": {"allowed": answer.allowed, "reason": answer.reason}})

    def create(self, kind: Kind, namespace: str, body: dict[str, Any], query: Mapping[str, str], headers: Any) -> Reply:
        assert query["dryRun"] == "All", "the live commands create nothing"
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
        faults = validate_object(body, self.version)
        if faults:
            return refusal(422, f'{kind.kind} "{name}" is invalid: {"; ".join(faults)}', "Invalid")
        why = self.refused(kind, namespace, body, user or "me", groups or frozenset({"system:masters"}))
        return refusal(403, f'{resource} "{name}" is forbidden: {why}', "Forbidden") if why else Reply(201, body)

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


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


def merge(stored: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(stored)
    for key, value in body.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def defaulted(body: dict[str, Any]) -> dict[str, Any]:
    """Return the object with something only a server fills in, so that nobody compares with the file."""
    return merge(body, {"metadata": {"uid": "0"}})


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
        data = json.dumps(reply.body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    do_GET = do_POST = do_PATCH = _handle  # noqa: N815 - names of the standard library

    def _reply(self, body: Any) -> Reply | None:
        cluster = self.server.cluster
        user = self.headers.get("Impersonate-User") or ""
        cluster.log.append((self.command, self.path, user))
        for trouble in cluster.troubles:
            line = f"{self.command} {self.path}"
            if trouble.times and trouble.text in line and not (trouble.unless and trouble.unless in line):
                trouble.times -= 1
                time.sleep(trouble.wait)
                if trouble.drop:
                    return None
                if trouble.status:
                    return Reply(trouble.status, trouble.body or refusal(trouble.status, "out of order").body)
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
