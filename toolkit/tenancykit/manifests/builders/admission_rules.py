"""What admission must refuse or set for a tenant class, in one neutral form that every engine renders.

Expressions are CEL over the variables that ValidatingAdmissionPolicy, Kyverno 1.19 and Gatekeeper 3.23 share:
``object``, ``oldObject``, ``request`` and ``namespaceObject``. Optional selection is not used, so that every CEL
library evaluates them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.design.facts import class_workloads
from tenancykit.labels import CLASS_LABEL, POOL_LABEL, PREFIX, TENANT_LABEL
from tenancykit.manifests.model import Requirement
from tenancykit.manifests.scope import EXAMPLE_DOMAIN, SHARED_CLASSES, ClassScope, is_alone, pool_of, priority_class

PLATFORM_GROUPS: Final = (
    "system:masters",
    "tenancykit:platform",
    "system:serviceaccounts:argocd",
    "system:serviceaccounts:flux-system",
)
"""Groups that may change what fences a tenant in; ``tenancykit:platform`` is the platform team's group."""

TENANT: Final = f"namespaceObject.metadata.labels['{TENANT_LABEL}']"
_HARMLESS_TOLERATIONS: Final = (
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
)
_LOCKED_LABELS: Final = (
    CLASS_LABEL,
    TENANT_LABEL,
    f"{PREFIX}/exposed",
    "pod-security.kubernetes.io/enforce",
    "pod-security.kubernetes.io/enforce-version",
    "istio.io/dataplane-mode",
    "k8s.ovn.org/primary-user-defined-network",
)


@dataclass(frozen=True)
class Target:
    """The requests a rule looks at: one resource of one API version, and the operations."""

    group: str
    version: str
    resource: str
    kind: str
    operations: tuple[str, ...] = ("CREATE", "UPDATE")


@dataclass(frozen=True)
class Rule:
    """Something admission refuses.

    Attributes:
        name: short name; the object is called ``tenancykit-<class>-<name>``.
        target: requests it looks at.
        validations: CEL expressions that must be true, each with the message of a refusal.
        because: options that demand it.
        requirement: what it serves.
        conditions: name and CEL expression of conditions under which it applies at all.
        every_namespace: whether it also looks outside the class's namespaces.
    """

    name: str
    target: Target
    validations: tuple[tuple[str, str], ...]
    because: tuple[str, ...]
    requirement: Requirement
    conditions: tuple[tuple[str, str], ...] = ()
    every_namespace: bool = False


PODS: Final = Target("", "v1", "pods", "Pod", ("CREATE",))
_CLAIMS: Final = Target("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", ("CREATE",))
_SERVICES: Final = Target("", "v1", "services", "Service")
_NAMESPACES: Final = Target("", "v1", "namespaces", "Namespace", ("UPDATE",))
_ROUTES: Final = Target("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
_JOBS: Final = Target("batch", "v1", "jobs", "Job", ("CREATE",))


def class_rules(cls: ClassScope, beside: Iterable[ClassScope] = ()) -> Iterator[Rule]:
    """Yield every rule the options of a class demand in the cluster its pods run in.

    Args:
        cls: the class.
        beside: every class of that cluster: what one of them has to itself the others must keep off.
    """
    options = cls.found.choice.options
    node = next(option for option in options if option.startswith("node_"))
    if not is_alone(cls):
        yield _placement(cls, node)
    yield _runtime(cls)
    yield _priority(cls)
    yield _services(cls)
    yield _namespace_labels(cls)
    if any("tenant-storage-class" in other.found.facts for other in (cls, *beside)):
        yield _storage(cls)
    if "exposed" in cls.found.facts and cls.found.cluster.control_plane != "virtual":
        yield _routes(cls)
    if "sch_kueue" in cls.options:
        yield _queue()


def pool_expression(cls: ClassScope) -> str:
    """Return CEL for the pool a pod of the class belongs to; an empty string literal where nodes are shared."""
    domain = cls.found.placement.domain
    if domain == "tenant" and not is_alone(cls):
        return f"'t-' + {TENANT}"
    return f"'{pool_of(cls, None)}'"


def _placement(cls: ClassScope, node: str) -> Rule:
    pool = pool_expression(cls)
    harmless = ", ".join(f"'{key}'" for key in (*_HARMLESS_TOLERATIONS, *cls.devices.resources))
    own = f" || (t.key == '{POOL_LABEL}' && has(t.value) && t.value == {pool})" if pool != "''" else ""
    tolerated = (
        f"!has(object.spec.tolerations) || object.spec.tolerations.all(t, has(t.key) && (t.key in [{harmless}]{own}))"
    )
    validations = [
        (
            "!has(object.spec.nodeName) || object.spec.nodeName == ''",
            "a pod must not name its node: the scheduler keeps tenants apart",
        ),
        (tolerated, "a pod may tolerate only the taints of its own node pool"),
    ]
    if pool != "''":
        selected = (
            f"has(object.spec.nodeSelector) && '{POOL_LABEL}' in object.spec.nodeSelector && "
            f"object.spec.nodeSelector['{POOL_LABEL}'] == {pool}"
        )
        validations.append((selected, f"a pod must select its own node pool by {POOL_LABEL}"))
    return Rule("placement", PODS, tuple(validations), (node,), "placement")


def _runtime(cls: ClassScope) -> Rule:
    sandbox = cls.found.sandbox
    option = next(o for o in cls.found.choice.options if o.startswith("rt_"))
    names = [name for name in (sandbox.runtime_class, sandbox.gpu_runtime_class) if name]
    if names:
        listed = ", ".join(f"'{name}'" for name in names)
        text = f"has(object.spec.runtimeClassName) && object.spec.runtimeClassName in [{listed}]"
        validations = [(text, f"a pod must run under {' or '.join(names)}")]
    else:
        text = "!has(object.spec.runtimeClassName) || object.spec.runtimeClassName == ''"
        validations = [(text, "a pod must run under the default runtime")]
    if option == "rt_userns":
        validations.append(("has(object.spec.hostUsers) && !object.spec.hostUsers", "a pod must set hostUsers: false"))
    return Rule("runtime", PODS, tuple(validations), (option,), "isolation.compute")


def _priority(cls: ClassScope) -> Rule:
    """Built-in classes such as system-cluster-critical preempt everybody and are open to any namespace by default."""
    because = ("sch_priority",) if "sch_priority" in cls.options else (cls.found.choice.options[0],)
    absent = "!has(object.spec.priorityClassName) || object.spec.priorityClassName == ''"
    if "sch_priority" in cls.options:
        used = class_workloads(cls.scenario, cls.found.tenant_class)
        names = ", ".join(f"'{name}'" for name in sorted({priority_class(workload) for workload in used}))
        absent += f" || object.spec.priorityClassName in [{names}]"
    message = "a pod may use only the priority classes of its tenant class"
    return Rule("priority", PODS, ((absent, message),), because, "priority")


def _services(cls: ClassScope) -> Rule:
    types = ["ClusterIP", "LoadBalancer"] if cls.found.cluster.control_plane == "virtual" else ["ClusterIP"]
    listed = ", ".join(f"'{name}'" for name in types)
    validations = (
        (
            f"!has(object.spec.type) || object.spec.type in [{listed}]",
            f"a Service must be of type {' or '.join(types)}; node ports and external names reach past the tenant",
        ),
        (
            "!has(object.spec.externalIPs) || size(object.spec.externalIPs) == 0",
            "a Service must not claim external addresses (CVE-2020-8554)",
        ),
    )
    return Rule("services", _SERVICES, validations, (cls.found.choice.options[0],), "isolation.network")


def _namespace_labels(cls: ClassScope) -> Rule:
    keys = ", ".join(f"'{key}'" for key in _LOCKED_LABELS)
    same = (
        f"[{keys}].all(k, (has(object.metadata.labels) && k in object.metadata.labels ? "
        "object.metadata.labels[k] : '') == (k in oldObject.metadata.labels ? oldObject.metadata.labels[k] : ''))"
    )
    groups = ", ".join(f"'{group}'" for group in PLATFORM_GROUPS)
    fenced = (
        f"has(oldObject.metadata.labels) && '{CLASS_LABEL}' in oldObject.metadata.labels && "
        f"oldObject.metadata.labels['{CLASS_LABEL}'] == '{cls.id}'"
    )
    outsider = f"!request.userInfo.groups.exists(g, g in [{groups}])"
    conditions = (("tenant-namespace", fenced), ("not-the-platform", outsider))
    message = "labels that fence a tenant in are changed by the platform only"
    return Rule(
        "namespace-labels",
        _NAMESPACES,
        ((same, message),),
        (cls.found.choice.options[0],),
        "isolation.control-plane",
        conditions,
        every_namespace=True,
    )


def _storage(cls: ClassScope) -> Rule:
    """A claim without a class would get whichever is made the default later."""
    if "tenant-storage-class" in cls.found.facts:
        names, message = f"['t-' + {TENANT}, 't-' + {TENANT} + '-shared']", "the tenant's own StorageClass"
    else:
        names = "[" + ", ".join(f"'{name}'" for name in SHARED_CLASSES) + "]"
        message = "a StorageClass that is meant for all tenants"
    text = f"has(object.spec.storageClassName) && object.spec.storageClassName in {names}"
    option = next(o for o in cls.found.choice.options if o in ("st_sc_quota", "st_dedicated", "st_shared_sc"))
    return Rule("storage", _CLAIMS, ((text, f"a claim must name {message}"),), (option,), "isolation.storage")


def _routes(cls: ClassScope) -> Rule:
    suffix = f"'.' + {TENANT} + '.{EXAMPLE_DOMAIN}'"
    text = f"has(object.spec.hostnames) && object.spec.hostnames.all(h, h.endsWith({suffix}))"
    return Rule(
        "routes",
        _ROUTES,
        ((text, "a route must keep to the host names of its tenant"),),
        (cls.found.choice.options[0],),
        "exposure",
    )


def _queue() -> Rule:
    text = (
        "has(object.metadata.labels) && 'kueue.x-k8s.io/queue-name' in object.metadata.labels && "
        "object.metadata.labels['kueue.x-k8s.io/queue-name'] == 'tenant'"
    )
    return Rule("queue", _JOBS, ((text, "a job must wait in the tenant's queue"),), ("sch_kueue",), "fair-share")
