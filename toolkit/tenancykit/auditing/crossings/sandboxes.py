"""Can a tenant have a pod on the node's own kernel, outside the sandbox its class is meant to run in?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from kubeanswers.objects import ObjectSet, Where, scalar_text
from kubeanswers.pods import pods_of
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe, Taken
from tenancykit.auditing.crossings.probe_pods import Change
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import Tenancy

CROSSING: Final = "pod-through-kernel"
_SANDBOX_HANDLERS: Final = ("runsc", "gvisor", "kata", "firecracker", "sysbox", "quark")
"""How handlers of runtimes with a kernel of their own are called: gVisor, Kata and what builds on it, and others."""


@dataclass(frozen=True)
class Sandboxes:
    """The runtimes each tenant's pods can have.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
        probe: their admission.
    """

    objects: ObjectSet
    tenancy: Tenancy
    probe: AdmissionProbe

    @cached_property
    def _sandboxed(self) -> Mapping[str, bool]:
        """Whether each RuntimeClass has a kernel of its own."""
        return {
            item.name: scalar_text(item.data.get("handler")).startswith(_SANDBOX_HANDLERS)
            for item in self.objects.of("node.k8s.io", "RuntimeClass")
        }

    def kernel(self, namespace: str) -> tuple[Taken, str]:
        """Return whether the namespace takes a pod on the node's kernel, and under which RuntimeClass (empty: none)."""
        tried = [(self.probe.takes_changed(namespace, Change(drop=("runtimeClassName",))), "")]
        tried.extend(
            (self.probe.takes_changed(namespace, Change(spec={"runtimeClassName": name})), name)
            for name, sandboxed in self._sandboxed.items()
            if not sandboxed
        )
        for verdict in ("yes", "undecided"):
            for taken, name in tried:
                if taken.verdict == verdict:
                    return taken, name
        return tried[0]

    @cached_property
    def answers(self) -> Mapping[str, tuple[str, str]]:
        """Verdict and reason for every tenant: the most permissive of its namespaces."""
        found: dict[str, tuple[str, str]] = {}
        for tenant, namespaces in self.tenancy.namespaces.items():
            for namespace in namespaces:
                taken, name = self.kernel(namespace)
                how = f"under RuntimeClass {name}" if name else "without a RuntimeClass"
                why = taken.by if taken.verdict != "yes" else f"{namespace} takes pods {how}"
                if tenant not in found or _RANK[taken.verdict] > _RANK[found[tenant][0]]:
                    found[tenant] = (taken.verdict, why)
        return found

    def victims(self, neighbours: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """Return, for each tenant that can be on a node's kernel, those whose pods that node may run."""
        return {t: neighbours.get(t, frozenset()) for t, (verdict, _) in self.answers.items() if verdict != "no"}

    @property
    def undecided(self) -> frozenset[str]:
        """Tenants for which something not evaluated may stand in the way."""
        return frozenset(tenant for tenant, (verdict, _) in self.answers.items() if verdict == "undecided")

    @property
    def reasons(self) -> dict[str, str]:
        """Why, by tenant."""
        return {tenant: why for tenant, (_, why) in self.answers.items()}

    def findings(self) -> Iterator[Finding]:
        """Yield tenants whose workloads run in a sandbox that their pods may leave out."""
        yield from self._misnamed()
        meant: dict[str, str] = {}
        for pod in pods_of(self.objects):
            name = scalar_text(pod.spec.get("runtimeClassName"))
            tenant = self.tenancy.by_namespace.get(pod.namespace)
            if tenant and self._sandboxed.get(name):
                meant.setdefault(tenant, name)
        for tenant, name in sorted(meant.items()):
            verdict, why = self.answers[tenant]
            if verdict == "no":
                continue
            namespace = self.tenancy.namespaces[tenant][0]
            item = self.objects.get("", "Namespace", "", namespace)
            subject, where = about(item) if item else (f"Namespace {namespace}", Where("<input>"))
            yield Finding(
                "runtime-open",
                Severity.HIGH if verdict == "yes" else Severity.LOW,
                subject,
                where,
                f"workloads of tenant {tenant} run under {name}, but its pods may not: {why}",
                f"{tenant} -> pod outside the sandbox -> Linux kernel of its node -> every pod on it",
                f"refuse pods whose runtimeClassName is not {name} by admission policy",
                CROSSING,
                (),
                (tenant,),
            )

    def _misnamed(self) -> Iterator[Finding]:
        """Yield RuntimeClasses called after a sandbox whose handler is none."""
        for item in self.objects.of("node.k8s.io", "RuntimeClass"):
            if item.name.startswith(_SANDBOX_HANDLERS) and not self._sandboxed[item.name]:
                subject, where = about(item)
                handler = scalar_text(item.data.get("handler"))
                yield Finding(
                    "runtime-open",
                    Severity.HIGH,
                    subject,
                    where,
                    f"pods that ask for {item.name} run under handler {handler!r}, which is no sandbox known here",
                    f"pod under {item.name} -> Linux kernel of its node -> every pod on it",
                    "name the sandbox's own handler",
                    CROSSING,
                )


_RANK: Final = {"no": 0, "undecided": 1, "yes": 2}
