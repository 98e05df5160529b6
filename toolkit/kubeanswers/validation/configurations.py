"""Configuration files of an API server, a kubelet, a scheduler and of kubeadm: what their binary refuses at start.

Schemas stand in ``configurations.yaml``; here is what they cannot say, and the types of CEL expressions: a claim of a
token is a value of no stated type, over which nothing ranges before it is cast by ``dyn``.
Held to what a real kube-apiserver 1.36.2 said to the same files (``tests/live/recorded``, group config); those of
kubelet and scheduler were asked of no binary: their fields are those of the published types.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from kubeanswers.cel import CelSyntaxError, Type, parse, result_type
from kubeanswers.cel.types import ANY, BOOL, STRING, list_of, map_of
from kubeanswers.objects import mapping, mappings, scalar_text, sequence, texts
from kubeanswers.quantities import parse_quantity
from kubeanswers.source import read_yaml
from kubeanswers.validation.structure import Structure

_USER: Final = {
    "username": STRING,
    "uid": STRING,
    "groups": list_of(STRING),
    "extra": map_of(STRING, list_of(STRING)),
}
_RESOURCE: Final = dict.fromkeys(("namespace", "verb", "group", "version", "resource", "subresource", "name"), STRING)
_REVIEW: Final = {
    "resourceAttributes": Type("review.Resource"),
    "nonResourceAttributes": Type("review.Path"),
    "user": STRING,
    "groups": list_of(STRING),
    "uid": STRING,
    "extra": map_of(STRING, list_of(STRING)),
}
_FIELDS: Final = {
    "authentication.User": _USER,
    "review.Request": _REVIEW,
    "review.Resource": _RESOURCE,
    "review.Path": {"path": STRING, "verb": STRING},
}
_KEY_LENGTHS: Final = {"aesgcm": (16, 24, 32), "aescbc": (32,), "secretbox": (32,)}
"""Bytes a key may have, by provider."""
_OWN_ISSUER: Final = "https://kubernetes.default.svc"
_CLAIMS: Final = {"claims": map_of(STRING, ANY)}
_WHO: Final = {"user": Type("authentication.User")}


@cache
def _kinds() -> Mapping[tuple[str, str], tuple[frozenset[str], Structure]]:
    data = read_yaml(Path(__file__).with_name("configurations.yaml"), name="configurations.yaml").data
    found = {}
    for entry in data:
        schema = {"type": "object", **entry["schema"]}
        found[(entry["group"], entry["kind"])] = (frozenset(entry["versions"]), Structure.of(schema))
    return found


def is_configuration(obj: Mapping[str, Any]) -> bool:
    """Return whether an object is a configuration file that is judged here."""
    return _key(obj) in _kinds()


def _key(obj: Mapping[str, Any]) -> tuple[str, str]:
    return scalar_text(obj.get("apiVersion")).rpartition("/")[0], scalar_text(obj.get("kind"))


def configuration_faults(obj: Mapping[str, Any]) -> list[str]:
    """Return what its binary would refuse in a configuration file, as ``field: what is wrong``."""
    versions, structure = _kinds()[_key(obj)]
    version = scalar_text(obj.get("apiVersion")).rpartition("/")[2]
    if version not in versions:
        return [f"apiVersion: {obj['kind']} is read as {', '.join(sorted(versions))}, not as {version}"]
    found = structure.faults(obj)
    check = _CHECKS.get(scalar_text(obj.get("kind")))
    return found or (list(dict.fromkeys(check(obj))) if check else [])


def _expression(path: str, text: Any, known: Mapping[str, Type], wanted: tuple[Type, ...]) -> Iterator[str]:
    """Yield what is wrong with an expression: it does not parse, names what is not there, or has another type."""
    if not isinstance(text, str) or not text.strip():
        return
    try:
        kind = result_type(parse(text), known, _FIELDS)
    except CelSyntaxError as error:
        yield f"{path}: does not compile: {error}"
        return
    if wanted and kind not in (*wanted, ANY, Type("dyn")):
        yield f"{path}: must evaluate to {' or '.join(map(str, wanted))}, not {kind}"


def _authentication(obj: Mapping[str, Any]) -> Iterator[str]:
    urls: list[str] = []
    for index, jwt in enumerate(mappings(obj.get("jwt"))):
        path = f"jwt[{index}]"
        issuer = mapping(jwt.get("issuer"))
        url = scalar_text(issuer.get("url"))
        if not url.startswith("https://"):
            yield f"{path}.issuer.url: {url!r} must begin with https://"
        if url == _OWN_ISSUER:
            yield f"{path}.issuer.url: is the issuer of the cluster's own service accounts"
        if url in urls:
            yield f"{path}.issuer.url: {url!r} appears twice"
        urls.append(url)
        audiences = sequence(issuer.get("audiences"))
        if not audiences:
            yield f"{path}.issuer.audiences: is required"
        if len(audiences) > 1 and issuer.get("audienceMatchPolicy") != "MatchAny":
            yield f"{path}.issuer.audienceMatchPolicy: must be MatchAny for several audiences"
        yield from _mappings(path, jwt)
        yield from _rules(path, jwt)


def _mappings(path: str, jwt: Mapping[str, Any]) -> Iterator[str]:
    found = mapping(jwt.get("claimMappings"))
    for name, wanted in (("username", (STRING,)), ("groups", (STRING, list_of(STRING))), ("uid", (STRING,))):
        one, place = mapping(found.get(name)), f"{path}.claimMappings.{name}"
        if one.get("claim") and one.get("expression"):
            yield f"{place}: claim and expression exclude each other"
        elif name == "username" and not one.get("claim") and not one.get("expression"):
            yield f"{place}: claim or expression is required"
        if one.get("claim") and name in ("username", "groups") and one.get("prefix") is None:
            yield f"{place}.prefix: is required beside claim; an empty one is stated as such"
        if one.get("expression") and one.get("prefix"):
            yield f"{place}.prefix: may not stand beside an expression"
        yield from _expression(f"{place}.expression", one.get("expression"), _CLAIMS, wanted)
    for index, extra in enumerate(mappings(found.get("extra"))):
        place = f"{path}.claimMappings.extra[{index}]"
        if "/" not in scalar_text(extra.get("key")):
            yield f"{place}.key: must be a domain with a path"
        wanted = (STRING, list_of(STRING))
        yield from _expression(f"{place}.valueExpression", extra.get("valueExpression"), _CLAIMS, wanted)
    yield from _verified(path, jwt)


def _verified(path: str, jwt: Mapping[str, Any]) -> Iterator[str]:
    """Yield a fault where names are taken from a mail address of which nobody asks whether it is verified."""
    found = mapping(jwt.get("claimMappings"))
    username = scalar_text(mapping(found.get("username")).get("expression"))
    others = [scalar_text(one.get("valueExpression")) for one in mappings(found.get("extra"))]
    others += [scalar_text(one.get("expression")) for one in mappings(jwt.get("claimValidationRules"))]
    asked = any("email_verified" in text for text in (username, *others))
    if "claims.email" in username.replace("claims.email_verified", "") and not asked:
        yield f"{path}.claimMappings.username.expression: takes claims.email without asking for claims.email_verified"


def _rules(path: str, jwt: Mapping[str, Any]) -> Iterator[str]:
    for index, rule in enumerate(mappings(jwt.get("claimValidationRules"))):
        place = f"{path}.claimValidationRules[{index}]"
        if bool(rule.get("claim")) == bool(rule.get("expression")):
            yield f"{place}: either claim or expression is required"
        yield from _expression(f"{place}.expression", rule.get("expression"), _CLAIMS, (BOOL,))
    for index, rule in enumerate(mappings(jwt.get("userValidationRules"))):
        yield from _expression(f"{path}.userValidationRules[{index}].expression", rule.get("expression"), _WHO, (BOOL,))


def _authorization(obj: Mapping[str, Any]) -> Iterator[str]:
    names: list[str] = []
    kinds: list[str] = []
    for index, one in enumerate(mappings(obj.get("authorizers"))):
        path = f"authorizers[{index}]"
        name, kind = scalar_text(one.get("name")), scalar_text(one.get("type"))
        if name in names:
            yield f"{path}.name: {name!r} appears twice"
        if kind in kinds and kind != "Webhook":
            yield f"{path}.type: {kind!r} appears twice"
        names.append(name)
        kinds.append(kind)
        webhook = one.get("webhook")
        if (kind == "Webhook") != isinstance(webhook, Mapping):
            yield f"{path}.webhook: must be given if and only if the type is Webhook"
        yield from _webhook(f"{path}.webhook", mapping(webhook))


def _webhook(path: str, webhook: Mapping[str, Any]) -> Iterator[str]:
    info = mapping(webhook.get("connectionInfo"))
    if info.get("type") == "KubeConfigFile" and not scalar_text(info.get("kubeConfigFile")).startswith("/"):
        yield f"{path}.connectionInfo.kubeConfigFile: must be an absolute path"
    conditions = mappings(webhook.get("matchConditions"))
    if conditions and not webhook.get("matchConditionSubjectAccessReviewVersion"):
        yield f"{path}.matchConditionSubjectAccessReviewVersion: is required beside matchConditions"
    seen: list[Any] = []
    for index, one in enumerate(conditions):
        place = f"{path}.matchConditions[{index}].expression"
        if one.get("expression") in seen:
            yield f"{place}: appears twice"
        seen.append(one.get("expression"))
        yield from _expression(place, one.get("expression"), {"request": Type("review.Request")}, (BOOL,))


def _encryption(obj: Mapping[str, Any]) -> Iterator[str]:
    for index, entry in enumerate(mappings(obj.get("resources"))):
        names = texts(entry.get("resources"))
        if "*.*" in names and len(names) > 1:
            yield f"resources[{index}].resources: '*.*' masks the others beside it"
        for number, provider in enumerate(mappings(entry.get("providers"))):
            path = f"resources[{index}].providers[{number}]"
            if len(provider) != 1:
                yield f"{path}: exactly one provider per entry"
            for kind, lengths in _KEY_LENGTHS.items():
                for place, key in enumerate(mappings(mapping(provider.get(kind)).get("keys"))):
                    yield from _secret(f"{path}.{kind}.keys[{place}].secret", scalar_text(key.get("secret")), lengths)


def _secret(path: str, text: str, lengths: tuple[int, ...]) -> Iterator[str]:
    """Yield what is wrong with a key; it is put into no message."""
    try:
        length = len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        yield f"{path}: is not base64"
        return
    if length not in lengths:
        yield f"{path}: is {length} bytes long, not {' or '.join(map(str, lengths))}"


def _audit(obj: Mapping[str, Any]) -> Iterator[str]:
    for index, rule in enumerate(mappings(obj.get("rules"))):
        path = f"rules[{index}]"
        if rule.get("nonResourceURLs") and (rule.get("resources") or rule.get("namespaces")):
            yield f"{path}: a rule speaks of resources or of URLs, not of both"
        for number, one in enumerate(mappings(rule.get("resources"))):
            if one.get("resourceNames") and not one.get("resources"):
                yield f"{path}.resources[{number}].resourceNames: need resources beside them"


def _admission(obj: Mapping[str, Any]) -> Iterator[str]:
    for index, plugin in enumerate(mappings(obj.get("plugins"))):
        inner = mapping(plugin.get("configuration"))
        if plugin.get("name") != "PodSecurity" or not inner:
            continue
        path = f"plugins[{index}].configuration"
        if _key(inner) != ("pod-security.admission.config.k8s.io", "PodSecurityConfiguration"):
            yield f"{path}.kind: must be PodSecurityConfiguration of pod-security.admission.config.k8s.io"
            continue
        yield from (f"{path}.{fault}" for fault in configuration_faults(inner))


_SIGNALS: Final = frozenset(
    {
        "memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree",
        "containerfs.available", "containerfs.inodesFree", "allocatableMemory.available", "pid.available",
    }
)  # fmt: skip
"""https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#eviction-signals"""


def _kubelet(obj: Mapping[str, Any]) -> Iterator[str]:
    for name in ("evictionHard", "evictionSoft", "evictionSoftGracePeriod", "evictionMinimumReclaim"):
        for signal, value in mapping(obj.get(name)).items():
            if signal not in _SIGNALS:
                yield f"{name}[{signal}]: is no eviction signal ({', '.join(sorted(_SIGNALS))})"
            elif name != "evictionSoftGracePeriod" and not _is_threshold(scalar_text(value)):
                yield f"{name}[{signal}]: {value!r} is neither a quantity nor a share such as 10%"
    for name in ("systemReserved", "kubeReserved"):
        for resource, value in mapping(obj.get(name)).items():
            if not _is_quantity(scalar_text(value)):
                yield f"{name}[{resource}]: {value!r} is not a quantity"
    high, low = obj.get("imageGCHighThresholdPercent", 85), obj.get("imageGCLowThresholdPercent", 80)
    if isinstance(high, int) and isinstance(low, int) and not 0 <= low < high <= 100:
        yield f"imageGCLowThresholdPercent: {low} must be less than {high} (imageGCHighThresholdPercent), from 0 to 100"


def _is_threshold(text: str) -> bool:
    return _is_quantity(text.removesuffix("%"))


def _is_quantity(text: str) -> bool:
    try:
        return parse_quantity(text) >= 0
    except (ValueError, TypeError):
        return False


def _scheduler(obj: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(obj.get("parallelism"), int) and obj["parallelism"] <= 0:
        yield "parallelism: must be greater than 0"
    names: list[str] = []
    for index, profile in enumerate(mappings(obj.get("profiles"))):
        name = scalar_text(profile.get("schedulerName")) or "default-scheduler"
        if name in names:
            yield f"profiles[{index}].schedulerName: {name!r} appears twice"
        names.append(name)
        settled: list[str] = []
        for place, config in enumerate(mappings(profile.get("pluginConfig"))):
            plugin = scalar_text(config.get("name"))
            if not plugin or plugin in settled:
                what = f"{plugin!r} appears twice" if plugin else "is required"
                yield f"profiles[{index}].pluginConfig[{place}].name: {what}"
            settled.append(plugin)
    share = obj.get("percentageOfNodesToScore")
    if isinstance(share, int) and not 0 <= share <= 100:
        yield f"percentageOfNodesToScore: {share} must be between 0 and 100"
    binders = [one for one in mappings(obj.get("extenders")) if one.get("bindVerb")]
    if len(binders) > 1:
        yield "extenders: only one may bind (bindVerb)"


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]]] = {
    "AuthenticationConfiguration": _authentication,
    "AuthorizationConfiguration": _authorization,
    "EncryptionConfiguration": _encryption,
    "Policy": _audit,
    "AdmissionConfiguration": _admission,
    "KubeletConfiguration": _kubelet,
    "KubeSchedulerConfiguration": _scheduler,
}
