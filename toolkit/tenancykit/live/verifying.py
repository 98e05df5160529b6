"""Claimed against observed: what an export means, held against what the API servers of its clusters say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, get_args

from kubeanswers.access.rbac import AccessRules
from kubeanswers.objects import ObjectSet
from kubeanswers.records import dataclass
from kubeanswers.validation.schema import DEFAULT_VERSION
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe
from tenancykit.auditing.tenants import PLATFORM_GROUPS, Tenancy
from tenancykit.labels import CLASS_LABEL
from tenancykit.live.access import AccessQuestions
from tenancykit.live.admission import AdmissionQuestions
from tenancykit.live.applying import Told
from tenancykit.live.beside import Beside
from tenancykit.live.client import ApiServer
from tenancykit.live.discovery import Discovery
from tenancykit.live.presence import PresenceQuestions
from tenancykit.live.questions import About, Reply, Verdict

NOT_ASKED: Final = (
    "the network itself: policies that live are compared and evaluated here; what it lets through, a probe tries",
    "counts of objects (pods, Services): a dry run stores nothing, so it never makes too many",
    "values of Secrets: never read",
)
"""What an API server cannot be asked, or is not."""


@dataclass(frozen=True)
class Verification:
    """What the API servers said.

    Attributes:
        clusters: clusters asked, each with the server's name.
        replies: every answer.
        tenants: tenants asked about.
        of_tenants: tenants of those clusters.
    """

    clusters: Mapping[str, str]
    replies: tuple[Reply, ...]
    tenants: int
    of_tenants: int

    @property
    def verdict(self) -> Literal["verified", "differs", "undecided"]:
        """Verified if every answer is as claimed; it differs if one is not; undecided if one is missing."""
        verdicts = {reply.verdict for reply in self.replies}
        if verdicts & {"open", "lacking"}:
            return "differs"
        return "undecided" if "undecided" in verdicts or not self.replies else "verified"

    @property
    def counts(self) -> Mapping[About, Mapping[Verdict, int]]:
        """How many answers of each verdict there are, by what they are about."""
        found: dict[About, Counter[Verdict]] = {about: Counter() for about in get_args(About)}
        for reply in self.replies:
            found[reply.about][reply.verdict] += 1
        return found

    @property
    def deviations(self) -> tuple[Reply, ...]:
        """Answers that are not as claimed: what is open first, then what is lacking, then the undecided."""
        order = {"open": 0, "lacking": 1, "undecided": 2}
        found = (reply for reply in self.replies if reply.verdict != "as claimed")
        return tuple(sorted(found, key=lambda reply: order[reply.verdict]))


@dataclass(frozen=True)
class Scope:
    """What to ask about.

    Attributes:
        tenants: names of the tenants to ask about; empty for all.
        sample: most tenants per class; 0 for all.
        as_self: ask in the caller's own name only, not in the tenants'.
        platform: users and groups of the platform team, whose bindings are nobody else's.
        kubernetes: minor version the export is for.
    """

    tenants: frozenset[str] = frozenset()
    sample: int = 0
    as_self: bool = False
    platform: frozenset[str] = frozenset()
    kubernetes: str = DEFAULT_VERSION


def verify(
    clusters: Mapping[str, tuple[ApiServer, ObjectSet]], scope: Scope | None = None, tell: Told | None = None
) -> Verification:
    """Return what the API servers say of the export's claims; nothing is written to any.

    Args:
        clusters: by name, the server of a cluster and the objects the export has for it.
        scope: what to ask about.
        tell: told (done, total, what) after each tenant and object.

    Raises:
        UnreachableError: a server does not answer.
    """
    used = scope or Scope()
    replies: list[Reply] = []
    asked: set[str] = set()
    known: set[str] = set()
    for name, (server, objects) in clusters.items():
        one = _Cluster.of(name, server, objects, used)
        known |= set(one.tenancy.tenants)
        asked |= set(one.tenants)
        replies.extend(one.replies(tell))
    return Verification(
        {name: server.name for name, (server, _) in clusters.items()}, tuple(replies), len(asked), len(known)
    )


@dataclass(frozen=True)
class _Cluster:
    objects: ObjectSet
    tenancy: Tenancy
    tenants: tuple[str, ...]
    access: AccessQuestions
    admission: AdmissionQuestions
    presence: PresenceQuestions
    beside: Beside

    @classmethod
    def of(cls, name: str, server: ApiServer, objects: ObjectSet, scope: Scope) -> _Cluster:
        rules = AccessRules(objects)
        tenancy = Tenancy(objects, rules, {}, PLATFORM_GROUPS | scope.platform)
        probe = AdmissionProbe(objects, tenancy)
        discovery = Discovery(server)
        return cls(
            objects,
            tenancy,
            tuple(_chosen(tenancy, scope)),
            AccessQuestions(name, server, tenancy, rules),
            AdmissionQuestions(name, server, tenancy, probe, scope.as_self),
            PresenceQuestions(name, server, tenancy, discovery),
            Beside(name, server, objects, tenancy, discovery, scope.platform, scope.kubernetes),
        )

    def replies(self, tell: Told | None) -> Iterator[Reply]:
        everybody = self.tenancy.tenants
        following = dict(zip(everybody, (*everybody[1:], *everybody[:1]), strict=True))
        items = [item for item in self.objects if self._is_asked(item.namespace or item.name)]
        total = len(self.tenants) + len(items) + 1
        yield from self.beside.replies()
        if tell:
            tell(1, total, "what lives beside the export")
        for number, tenant in enumerate(self.tenants, start=2):
            after = following[tenant]
            yield from self.access.replies(tenant, after if after != tenant else "")
            yield from self.admission.replies(tenant)
            if tell:
                tell(number, total, f"tenant {tenant}")
        for number, item in enumerate(items, start=len(self.tenants) + 2):
            yield from self.presence.replies(item)
            if tell:
                tell(number, total, str(item))

    def _is_asked(self, namespace: str) -> bool:
        tenant = self.tenancy.by_namespace.get(namespace)
        return tenant is None or tenant in self.tenants


def _chosen(tenancy: Tenancy, scope: Scope) -> Iterable[str]:
    """Yield the tenants to ask about, class by class the first in alphabetical order."""
    seen: Counter[str] = Counter()
    for tenant in tenancy.tenants:
        if scope.tenants and tenant not in scope.tenants:
            continue
        labels = tenancy.objects.namespaces.get(tenancy.namespaces[tenant][0], {})
        group = labels.get(CLASS_LABEL, "")
        seen[group] += 1
        if not scope.sample or seen[group] <= scope.sample:
            yield tenant
