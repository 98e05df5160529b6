"""The questions asked every day, answered offline: may they do that, may they hand that out, can this reach that?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from kubeanswers.access.escalation import WRITES, WriteAnswer, write_answer
from kubeanswers.access.node_authorizer import NodeRules
from kubeanswers.access.powers import effective, powers_of
from kubeanswers.access.rbac import AccessAnswer, AccessRules, Grant, Request, Rule, implied_groups
from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.network.addresses import PRIVATE, AddressSet
from kubeanswers.network.connections import Network, Port, ReachAnswer, Verdict, parse_endpoint
from kubeanswers.network.policies import unevaluated
from kubeanswers.objects import ObjectSet, from_dicts
from kubeanswers.pods import PodView
from kubeanswers.records import dataclass

_ASKED_OF: Final[Mapping[str, frozenset[str]]] = {
    "impersonate": frozenset({"users", "groups", "uids", "userextras"}),
    **dict.fromkeys(("approve", "sign", "attest"), frozenset({"signers"})),
}
"""Resources that hold no objects and are asked about with one verb only."""
_VERBS: Final = frozenset(
    {*_ASKED_OF, "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
    | {"proxy", "use", "bind", "escalate", "*"}
)
"""Verbs that an API server asks about."""


def can_i(
    objects: ObjectSet,
    verb: str,
    resource: str,
    name: str = "",
    *,
    namespace: str = "",
    user: str = "",
    groups: Iterable[str] = (),
    exact_groups: bool = False,
    subresource: str = "",
) -> AccessAnswer:
    """Return whether the user may do it, and the binding that allows it.

    Args:
        objects: the manifests; the roles every cluster has are added.
        verb: API verb, such as ``get``.
        resource: ``pods``, ``deploy``, ``roles.rbac.authorization.k8s.io``, a URL as ``/metrics``, or with a name or a
            well-known subresource: ``pods/web``, ``pods/exec``.
        name: object name; empty for any.
        namespace: namespace; empty for the whole cluster.
        user: user name, or ``system:serviceaccount:NAMESPACE:NAME``.
        groups: the user's groups; those every login carries are added.
        exact_groups: whether to add no groups.
        subresource: such as ``exec``; what follows a slash is then always a name.

    Raises:
        InputError: nobody is named, or a name is given twice.
    """
    wanted = frozenset(groups)
    if not user and not wanted:
        raise InputError(Fault("--as", "names nobody", "a user or a group", "write --as USER or --as-group GROUP"))
    held = wanted if exact_groups else implied_groups(user, wanted)
    if resource.startswith("/"):
        return AccessRules(objects).can(Request(user, verb, held, path=resource))
    plain, below, name = _split(resource, subresource, name)
    group, plural = objects.kinds.resource(plain)
    known = objects.kinds.by_resource.get((group, plural))
    place = namespace if known is None or known.namespaced or plural == "namespaces" else ""
    request = Request(user, verb, held, group, plural, below, name, place)
    node = NodeRules(objects).can(request)
    answer = node if node is not None and node.allowed else AccessRules(objects).can(request)
    is_known = known is not None or plural == "*" or plural in _ASKED_OF.get(verb.partition(":")[0], ())
    return replace(answer, notes=tuple(_notes(objects, request, is_known, answer)))


def may_write(
    objects: ObjectSet,
    verb: Literal["create", "update"],
    obj: Mapping[str, Any],
    *,
    user: str = "",
    groups: Iterable[str] = (),
    old: Mapping[str, Any] | None = None,
) -> WriteAnswer:
    """Return whether the user may create or update a Role or binding: nobody hands out rights that he does not hold.

    Args:
        objects: the manifests; the roles every cluster has are added.
        verb: ``create`` or ``update``.
        obj: the Role, ClusterRole, RoleBinding or ClusterRoleBinding as it would be.
        user: user name, or ``system:serviceaccount:NAMESPACE:NAME``.
        groups: the user's groups; those every login carries are added.
        old: for an update, the object as it is.

    Raises:
        InputError: nobody is named, or the object is of another kind.
    """
    wanted = frozenset(groups)
    if not user and not wanted:
        raise InputError(Fault("user", "names nobody", "a user or a group", "name a user or groups"))
    if obj.get("kind") not in WRITES:
        raise InputError(Fault("obj: kind", f"is {obj.get('kind')!r}", ", ".join(WRITES)))
    (new,), before = from_dicts([obj]), from_dicts([old]) if old is not None else ()
    held = implied_groups(user, wanted)
    return write_answer(AccessRules(objects), user, held, verb, new, next(iter(before), None))


def _split(resource: str, subresource: str, name: str) -> tuple[str, str, str]:
    """Return resource, subresource and object name of what was asked for, as ``TYPE/NAME`` or ``TYPE/SUBRESOURCE``."""
    plain, _, rest = resource.partition("/")
    if not rest:
        return plain, subresource, name
    if not subresource and rest in SUBRESOURCES:
        return plain, rest, name
    if name and name != rest:
        raise InputError(Fault("NAME", f"{rest!r} and {name!r} are both named", "one name", "drop one of the two"))
    return plain, subresource, rest


def _notes(objects: ObjectSet, request: Request, known: bool, answer: AccessAnswer) -> Iterator[str]:
    if request.verb not in _VERBS and ":" not in request.verb:
        yield f"no verb {request.verb!r} is known here"
    if not known:
        words = [resource for _, resource in objects.kinds.by_resource]
        hint = did_you_mean(request.resource, words)
        named = f"{request.resource}.{request.group}" if request.group else request.resource
        yield f"no resource type {named!r} is known here" + (f": {hint}" if hint else "")
    if answer.allowed:
        whole = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
        one = Rule(frozenset({request.verb}), frozenset({request.group}), frozenset({whole}))
        for power in powers_of([one], in_namespace=bool(request.namespace)):
            yield f"that is a power, {power.id}: {power.means}"


@dataclass(frozen=True)
class Held:
    """One rule somebody holds, with the binding that gives it."""

    rule: Rule
    grant: Grant


def held_rules(
    objects: ObjectSet, *, namespace: str = "", user: str = "", groups: Iterable[str] = ()
) -> tuple[Held, ...]:
    """Return every rule a user holds in a namespace (empty: cluster-wide only), as ``kubectl auth can-i --list``.

    Raises:
        InputError: nobody is named.
    """
    wanted = frozenset(groups)
    if not user and not wanted:
        raise InputError(Fault("--as", "names nobody", "a user or a group", "write --as USER or --as-group GROUP"))
    found = AccessRules(objects).grants_for(user, implied_groups(user, wanted), namespace)
    kept: dict[Rule, Held] = {}
    for grant in found:
        for rule in effective(grant.rules, objects.kinds) if grant.namespace else grant.rules:
            kept.setdefault(rule, Held(rule, grant))
    return tuple(kept.values())


SUBRESOURCES: Final = frozenset(
    [
        "approval", "attach", "binding", "checkpoint", "configz", "ephemeralcontainers", "eviction", "exec", "finalize",
        "finalizers", "healthz", "log", "metrics", "portforward", "proxy", "resize", "rollback", "scale", "stats",
        "status", "token",
    ]
)  # fmt: skip
"""Subresources of the built-in kinds; whatever else follows a slash is an object's name."""


@dataclass(frozen=True)
class ReachQuestion:
    """What ``reach`` answered.

    Attributes:
        source: one end, as asked.
        target: the other end, as asked.
        allowed: whether a connection is possible, on the port asked for or on any.
        answer: the deciding answer.
        open_ports: without a port in the question, one port of every open range.
        undecided: what may change the answer and is not known: vendors' policies that are not evaluated, and which node
            a pod is on whose node's own network reaches it.
    """

    source: str
    target: str
    allowed: bool
    answer: ReachAnswer
    open_ports: tuple[Port, ...] = ()
    undecided: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """``allowed``, ``denied``, or ``undecided`` where it depends on what is not known."""
        return "undecided" if self.undecided else "allowed" if self.allowed else "denied"


def reach(
    objects: ObjectSet, source: str, target: str, port: str = "", *, pod_cidrs: Iterable[str] = ()
) -> ReachQuestion:
    """Return whether ``source`` can open a connection to ``target``, and the policy that decides.

    Args:
        objects: the manifests.
        source: ``NAMESPACE/POD`` (or a workload's name), an address or a CIDR.
        target: as ``source``; a CIDR is reachable if any address in it is.
        port: ``443``, ``443/tcp``, ``dns/udp`` or a port name; empty asks for any port.
        pod_cidrs: where pods live; decides whether an ipBlock may mean a pod whose address is unknown.

    Raises:
        InputError: an end or the port does not exist.
    """
    cidrs = tuple(pod_cidrs)
    try:
        network = Network(objects, AddressSet.of(cidrs) if cidrs else PRIVATE)
    except ValueError as error:
        raise InputError(Fault("--pod-cidr", str(error), "a network such as 10.0.0.0/8")) from None
    ends = []
    for option, text in (("--from", source), ("--to", target)):
        try:
            ends.append(parse_endpoint(network, text))
        except LookupError as error:
            known = str(error).split(", ") if str(error) else []
            cure = did_you_mean(text.rpartition("/")[2], known) or "write NAMESPACE/POD, an address or a CIDR"
            raise InputError(Fault(option, f"no pod or workload {text!r} in the input", str(error), cure)) from None
    unsure = tuple(str(item) for item in unevaluated(objects))
    nearby = _nearby(ends[0], ends[1])
    if not port:
        answers = network.reach_any(ends[0], ends[1])
        opened = tuple(answer.port for answer in answers if answer.allowed)
        return _with_node(ReachQuestion(source, target, bool(opened), answers[0], opened, unsure), nearby)
    try:
        answer = network.reach(ends[0], ends[1], Port.parse(port))
    except ValueError as error:
        raise InputError(Fault("--port", str(error), "443, 443/tcp, dns/udp or a port name")) from None
    return _with_node(ReachQuestion(source, target, answer.allowed, answer, (), unsure), nearby)


def _nearby(source: object, target: object) -> bool | None:
    """Return whether a pod on its node's network and a target pod share that node; None where it is not known.

    Traffic from the node a pod runs on is always let in, whatever policies say
    (https://kubernetes.io/docs/concepts/services-networking/network-policies/).
    """
    if not (isinstance(source, PodView) and isinstance(target, PodView) and source.host_network):
        return False
    here, there = source.spec.get("nodeName"), target.spec.get("nodeName")
    return here == there if here and there else None


def _with_node(found: ReachQuestion, nearby: bool | None) -> ReachQuestion:
    if found.allowed or nearby is False:
        return found
    if nearby:
        why = "the source uses the network of the node the target runs on, which is always let in"
        return replace(
            found, allowed=True, answer=replace(found.answer, allowed=True, ingress=Verdict(allowed=True, why=why))
        )
    what = "the source uses its node's network: allowed if the target runs on that node, denied from any other"
    return replace(found, undecided=(*found.undecided, what))
