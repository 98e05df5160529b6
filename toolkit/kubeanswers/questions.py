"""The two questions asked every day, answered offline: may they do that, and can this reach that?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubeanswers.access.node_authorizer import NodeRules
from kubeanswers.access.rbac import AccessAnswer, AccessRules, Request, implied_groups
from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.network.addresses import PRIVATE, AddressSet
from kubeanswers.network.connections import Network, Port, ReachAnswer, parse_endpoint
from kubeanswers.network.policies import unevaluated
from kubeanswers.objects import ObjectSet


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
) -> AccessAnswer:
    """Return whether the user may do it, and the binding that allows it.

    Args:
        objects: the manifests; the roles every cluster has are added.
        verb: API verb, such as ``get``.
        resource: ``pods``, ``deploy``, ``pods/exec``, ``roles.rbac.authorization.k8s.io``, or a URL as ``/metrics``.
        name: object name; empty for any.
        namespace: namespace; empty for the whole cluster.
        user: user name, or ``system:serviceaccount:NAMESPACE:NAME``.
        groups: the user's groups; those every login carries are added.
        exact_groups: whether to add no groups.

    Raises:
        InputError: nobody is named.
    """
    wanted = frozenset(groups)
    if not user and not wanted:
        raise InputError(Fault("--as", "names nobody", "a user or a group", "write --as USER or --as-group GROUP"))
    held = wanted if exact_groups else implied_groups(user, wanted)
    if resource.startswith("/"):
        return AccessRules(objects).can(Request(user, verb, held, path=resource))
    plain, _, subresource = resource.partition("/")
    group, plural = objects.kinds.resource(plain)
    known = objects.kinds.by_resource.get((group, plural))
    place = namespace if known is None or known.namespaced or plural == "namespaces" else ""
    request = Request(user, verb, held, group, plural, subresource, name, place)
    node = NodeRules(objects).can(request)
    return node if node is not None and node.allowed else AccessRules(objects).can(request)


@dataclass(frozen=True)
class ReachQuestion:
    """What ``reach`` answered.

    Attributes:
        source: one end, as asked.
        target: the other end, as asked.
        allowed: whether a connection is possible, on the port asked for or on any.
        answer: the deciding answer.
        open_ports: without a port in the question, one port of every open range.
        undecided: vendors' policies in the input that may change the answer and are not evaluated.
    """

    source: str
    target: str
    allowed: bool
    answer: ReachAnswer
    open_ports: tuple[Port, ...] = ()
    undecided: tuple[str, ...] = ()


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
    if not port:
        answers = network.reach_any(ends[0], ends[1])
        opened = tuple(answer.port for answer in answers if answer.allowed)
        return ReachQuestion(source, target, bool(opened), answers[0], opened, unsure)
    try:
        answer = network.reach(ends[0], ends[1], Port.parse(port))
    except ValueError as error:
        raise InputError(Fault("--port", str(error), "443, 443/tcp, dns/udp or a port name")) from None
    return ReachQuestion(source, target, answer.allowed, answer, (), unsure)
