"""Recorded requests put to the fake API server, and where its answers are not the real one's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from kubeanswers.validation.custom_kinds import is_custom
from tests.live.api_server import Cluster, Reply

JSON = ("application/json", "application/merge-patch+json", "application/apply-patch+yaml")
VOLATILE = frozenset(
    {"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "clusterIP", "clusterIPs",
     "nodePort", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy", "deployment.kubernetes.io/revision"}
)  # fmt: skip


COMPLETED_ELSEWHERE = frozenset({"Pod"})
"""Kinds that admission completes: volumes of tokens and the like are not what is asked here."""


def _group(body: Mapping[str, Any]) -> str:
    """Return a group whose definitions bring defaults the fake does not know; empty for the server's own."""
    group = str(body.get("apiVersion")).rpartition("/")[0]
    return group if is_custom(f"{group}/v1") else ""


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif one != other:
        yield f"{path} ({one!r}, not {other!r})"


def is_expressible(request: Mapping[str, Any]) -> bool:
    """Return whether the fake speaks of a request: JSON bodies, an administrator, no subresource, no discovery."""
    kind = next((value for name, value in request.get("headers") or () if name.lower() == "content-type"), JSON[0])
    is_plain = kind in JSON and "text" not in request and "user" not in request
    method = request["method"] in ("GET", "POST", "PUT", "PATCH", "DELETE")
    return is_plain and method and (request["method"] in ("GET", "DELETE") or isinstance(request.get("body"), dict))


def send(cluster: Cluster, request: Mapping[str, Any]) -> Reply:
    message = Message()
    message["Content-Type"] = "application/json"
    for name, value in request.get("headers") or ():
        del message[name]
        message[name] = value
    path = request["path"] + (f"?{urlencode(request['query'])}" if request.get("query") else "")
    return cluster.answer(request["method"], path, message, json.loads(json.dumps(request.get("body"))))


def settled(value: Any) -> Any:
    """Return an answer without what differs from run to run, empty values as if they were not there."""
    if isinstance(value, dict):
        made = {key: settled(inner) for key, inner in value.items() if key not in VOLATILE and key != "status"}
        return {key: inner for key, inner in made.items() if inner not in (None, {}, [], "")}
    if isinstance(value, list):
        return [settled(item) for item in value]
    return value


def disagreements(cluster: Cluster, case: Mapping[str, Any]) -> Iterator[str]:
    """Yield where the fake answers a case otherwise than the real server; it stops where the two have parted."""
    for part in ("setup", "steps"):
        for number, step in enumerate(case.get(part, ())):
            request, answer = step["request"], step["answer"]
            if not is_expressible(request):
                return
            given = send(cluster, request)
            place = f"{part}[{number}] {request['method']} {request['path']}"
            if given.status != answer.get("code"):
                yield f"{place}: {given.status} {given.body.get('message', '')!r}, not {answer.get('code')}"
                return
            if given.status == 409 and given.body["message"] != answer["message"]:
                yield f"{place}: {given.body['message']!r}, not {answer['message']!r}"
            if isinstance(answer.get("body"), dict) and given.status < 300 and request["method"] != "DELETE":
                if given.body.get("kind") not in COMPLETED_ELSEWHERE and "." not in _group(given.body):
                    differing = sorted(set(differences(settled(dict(given.body)), settled(answer["body"]))))
                    if differing:
                        yield f"{place}: another object: {', '.join(differing)}"
                yield from _managers(place, dict(given.body), answer["body"])


def _managers(place: str, given: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    def owners(body: Mapping[str, Any]) -> list[str]:
        entries = body.get("metadata", {}).get("managedFields") or ()
        spoken = [one for one in entries if one.get("subresource") != "status"]
        return sorted(
            f"{one['manager']} {one['operation']} {sorted({*one['fieldsV1'].get('f:spec', {})} - {'.'})}"
            for one in spoken
        )

    if "metadata" in wanted and owners(given) != owners(wanted):
        yield f"{place}: managed by {owners(given)}, not {owners(wanted)}"
