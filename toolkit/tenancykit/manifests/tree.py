"""Writes a design as a Kustomize tree: a folder per cluster, ``base`` for the platform, one per tenant."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.manifests import charts, readme, trace
from tenancykit.manifests.assemble import Finish, base_manifests, by_file, class_scopes, plain_files, tenant_manifests
from tenancykit.manifests.checked import Gate, Namespaces
from tenancykit.manifests.model import Manifest
from tenancykit.manifests.output import Changes, Digests, StagedTree
from tenancykit.manifests.plan import ClusterPlan, common_clusters, own_cluster, tenants_of
from tenancykit.manifests.scope import ClassScope, TenantScope, tenant_namespace
from tenancykit.manifests.yaml_writer import scalar, write_document, write_documents
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import Tenant, class_tenants

KUSTOMIZATION: Final = {
    "apiVersion": "kustomize.config.k8s.io/v1beta1",
    "kind": "Kustomization",
    "sortOptions": {"order": "fifo"},
}
"""Head of every kustomization. Objects go in the order of the files, fences before workloads: left to itself,
``kubectl apply -k`` sends policies after the Deployments they fence in."""


@dataclass(frozen=True)
class ExportResult:
    """What an export wrote.

    Attributes:
        directory: the tree's folder.
        objects: Kubernetes objects written.
        tenants: tenants written.
        clusters: folders below ``clusters/``.
        changes: how it differs from the export before it.
    """

    directory: Path
    objects: int
    tenants: int
    clusters: int
    changes: Changes


def export(
    design: ResolvedDesign,
    scenario: Scenario,
    catalogue: Catalogue,
    directory: str | os.PathLike[str],
    *,
    decision_hash: str = "",
    extra_files: Mapping[str, str | bytes] | None = None,
) -> ExportResult:
    """Write a design's manifests and return how they differ from those already there.

    The tree is replaced as a whole or not at all; files of others are carried over. The same design, scenario and
    catalogue give the same bytes. Secrets are never written. Memory does not grow with the number of tenants.

    Args:
        design: the design to write.
        scenario: the scenario it was resolved for.
        catalogue: the catalogue it was resolved with.
        directory: folder of the tree; its parent is created where missing.
        decision_hash: hash of the decision record, put on every object.
        extra_files: further files by path inside the tree, such as the decision record.

    Raises:
        OutputError: the tree cannot be written, or an API server would refuse an object of it; what was there before
            is unchanged.
    """
    header = {
        "design": design.id,
        "scenario": scenario.name,
        "kubernetes": scenario.kubernetes,
        "decision": decision_hash,
    }
    with StagedTree(Path(directory), header) as tree:
        writer = _Writer(tree, design, scenario, catalogue, decision_hash)
        writer.write()
        for path, text in sorted((extra_files or {}).items()):
            tree.write(path, text)
        changes = tree.commit()
        return ExportResult(tree.target, writer.objects, writer.tenants, writer.clusters, changes)


def digests(
    design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue, *, decision_hash: str = ""
) -> Mapping[str, str]:
    """Return the SHA-256 of every file :func:`export` writes of a design, by path, without writing or judging any."""
    found = Digests()
    _Writer(found, design, scenario, catalogue, decision_hash).write()
    return found.files


@dataclass
class _Writer:
    """One export under way; counts what it writes and notes which objects carry which requirement."""

    tree: StagedTree | Digests
    design: ResolvedDesign
    scenario: Scenario
    catalogue: Catalogue
    decision: str
    objects: int = 0
    tenants: int = 0
    clusters: int = 0
    carriers: trace.Carriers = field(default_factory=trace.Carriers)
    namespaces: Namespaces = field(default_factory=Namespaces)

    def __post_init__(self) -> None:
        self.finish = Finish(self.design.id, self.decision)
        self.gate = Gate(self.scenario.kubernetes) if isinstance(self.tree, StagedTree) else None
        self.scopes = class_scopes(self.design, self.scenario, self.catalogue)
        self.plans = common_clusters(self.design)
        self.own_classes = [f for f in self.design.classes if self._own(f) is not None]
        self.first_ordinals = self._ordinals()

    def _own(self, found: ClassDesign) -> ClusterPlan | None:
        return own_cluster(found, next(class_tenants(self.scenario, found.tenant_class)))

    def _ordinals(self) -> dict[str, int]:
        """Return the number of tenants in the classes before each class."""
        first, ordinals = 0, {}
        for tenant_class in self.scenario.tenants.classes:
            ordinals[tenant_class.id] = first
            first += tenant_class.count
        return ordinals

    def write(self) -> None:
        for plan in self.plans:
            self._common_cluster(plan)
        bases = {found.tenant_class.id: self._class_base(found) for found in self.own_classes}
        for found in self.own_classes:
            for tenant in class_tenants(self.scenario, found.tenant_class):
                self._own_cluster(found, tenant, has_base=bases[found.tenant_class.id])
        self._index()
        self.tree.write("trace.yaml", trace.trace_text(self.design, self.carriers))
        self.tree.write("README.md", self._readme())

    def _readme(self) -> str:
        return readme.readme(self.design, self.scenario, self.scopes, self.plans, self.namespaces.missing)

    def _common_cluster(self, plan: ClusterPlan) -> None:
        root = f"clusters/{plan.name}"
        has_base = self._base(plan, f"{root}/base", root)
        folders = ["base"] if has_base else []
        with ExitStack() as stack:
            listing: Any = None
            for found, tenant in tenants_of(self.scenario, plan):
                made = tenant_manifests(self._scope(found, tenant, plan))
                if not made:
                    continue
                if listing is None:
                    listing = stack.enter_context(self.tree.stream(f"{root}/tenants/kustomization.yaml"))
                    listing.write(write_document(KUSTOMIZATION) + "resources:\n")
                    folders.append("tenants")
                listing.write(f"- {scalar(tenant.kubernetes_name)}\n")
                folder = f"{root}/tenants/{tenant.kubernetes_name}"
                self._tenant_folder(f"{root}/tenants", made, self.scopes[found.tenant_class.id], tenant)
                self._tenant_charts(folder, self._scope(found, tenant, plan))
        if folders:
            self.clusters += 1
            self.tree.write(f"{root}/kustomization.yaml", _kustomization(folders))

    def _scope(self, found: ClassDesign, tenant: Tenant, plan: ClusterPlan) -> TenantScope:
        ordinal = self.first_ordinals[found.tenant_class.id] + tenant.index
        return TenantScope(tenant, self.scopes[found.tenant_class.id], plan, ordinal)

    def _class_base(self, found: ClassDesign) -> bool:
        """Write what the clusters of a class have in common, once; return whether there is anything."""
        own = self._own(found)
        plan = ClusterPlan(found.tenant_class.id, own.role if own else "tenant", (found,))
        root = f"classes/{found.tenant_class.id}"
        return self._base(plan, root, root)

    def _base(self, plan: ClusterPlan, folder: str, root: str) -> bool:
        made = base_manifests(plan, self.scopes)
        if made:
            self._folder(folder, made, plan.classes)
        for release in charts.releases(plan, self.scopes):
            for path, text in charts.chart_files(release, self.decision):
                self.tree.write(f"{root}/{path}", text)
            self.namespaces.made.setdefault(root, set()).add(release.namespace)
            self.carriers.add(plan.classes, release.requirement, f"{root}/helm/{release.name}", "HelmRelease")
        for file in plain_files(plan):
            if self.gate is not None:
                self.gate.check_file(f"{root}/{file.path}", file.text)
            self.tree.write(f"{root}/{file.path}", f"# {file.purpose}\n{file.text}")
        return bool(made)

    def _own_cluster(self, found: ClassDesign, tenant: Tenant, *, has_base: bool) -> None:
        plan = own_cluster(found, tenant)
        if plan is None:
            return
        root, name = f"clusters/{plan.name}", tenant.kubernetes_name
        folders = []
        if has_base:
            folders.append("base")
            self.tree.write(
                f"{root}/base/kustomization.yaml", _kustomization([f"../../../classes/{found.tenant_class.id}"])
            )
        made = tenant_manifests(self._scope(found, tenant, plan))
        if made:
            folders.append("tenants")
            self._tenant_folder(f"{root}/tenants", made, self.scopes[found.tenant_class.id], tenant)
            self.tree.write(f"{root}/tenants/kustomization.yaml", _kustomization([name]))
        if folders:
            self.clusters += 1
            self.tree.write(f"{root}/kustomization.yaml", _kustomization(folders))

    def _folder(self, folder: str, made: Iterable[Manifest], classes: Iterable[ClassDesign]) -> None:
        """Write the files of a cluster's base."""
        self._files(folder, folder, made, tuple(classes), None, "")

    def _tenant_folder(self, parent: str, made: Iterable[Manifest], cls: ClassScope, tenant: Tenant) -> None:
        """Write the files of one tenant in a cluster."""
        shown = "clusters/<tenant>/tenants" if own_cluster(cls.found, tenant) and self._is_own(parent) else parent
        name = tenant.kubernetes_name
        self._files(f"{parent}/{name}", f"{shown}/<tenant>", made, (cls.found,), cls, name)

    def _is_own(self, parent: str) -> bool:
        return parent.split("/")[1] not in {plan.name for plan in self.plans}

    def _files(
        self,
        folder: str,
        shown: str,
        made: Iterable[Manifest],
        classes: tuple[ClassDesign, ...],
        cls: ClassScope | None,
        tenant: str,
    ) -> None:
        names = []
        for name, objects in by_file(made):
            finished = [self.finish(one, cls, tenant) for one in objects]
            text = write_documents(finished)
            if self.gate is not None:
                self.gate.check(f"{folder}/{name}", text, finished, tenant)
            self.tree.write(f"{folder}/{name}", text)
            names.append(name)
            self.objects += len(objects)
            root = "/".join(folder.split("/")[:2])
            if cls is not None and self._is_own(folder):
                root = f"classes/{cls.id}"
            self.namespaces.note(root, finished)
            for one in objects:
                self.carriers.add(classes, one.requirement, f"{shown}/{name}", one.data["kind"])
        self.tree.write(f"{folder}/kustomization.yaml", _kustomization(names))

    def _tenant_charts(self, folder: str, scope: TenantScope) -> None:
        for release in charts.tenant_releases(scope):
            for path, text in charts.chart_files(release, self.decision):
                self.tree.write(f"{folder}/{path}", text)
            shown = f"{folder.rsplit('/', 1)[0]}/<tenant>/helm/<tenant>"
            self.carriers.add((scope.cls.found,), release.requirement, shown, "HelmRelease")

    def _index(self) -> None:
        """Write what to apply in which order, and which folder is whose."""
        with self.tree.stream("index.yaml") as stream:
            head: dict[str, Any] = {
                "schema": "tenancykit/export-index/v1",
                "design": self.design.id,
                "name": self.design.name,
                "scenario": self.scenario.name,
                "kubernetes": self.scenario.kubernetes,
                "decision": self.decision,
                "options": {found.tenant_class.id: list(found.choice.options) for found in self.design.classes},
                "apply": list(readme.steps(self.scopes, self.plans, self.own_classes, self.namespaces.missing)),
            }
            stream.write(write_document(head) + "tenants:\n")
            for found in self.design.classes:
                for tenant in class_tenants(self.scenario, found.tenant_class):
                    self.tenants += 1
                    text = write_document({"tenant": self._entry(found, tenant)})
                    lines = text.splitlines()[1:]
                    stream.write("- " + "\n".join(lines)[2:] + "\n")

    def _entry(self, found: ClassDesign, tenant: Tenant) -> dict[str, Any]:
        own = own_cluster(found, tenant)
        shared = next((p.name for p in self.plans if p.role == "shared" and found in p.classes), "")
        hub = next((p.name for p in self.plans if p.role in ("hub", "logical") and found in p.classes), "")
        places = [f"clusters/{name}/tenants/{tenant.kubernetes_name}" for name in (hub, shared) if name]
        if own:
            places.append(f"clusters/{own.name}")
        return {
            "name": tenant.name,
            "kubernetesName": tenant.kubernetes_name,
            "class": found.tenant_class.id,
            "namespace": tenant_namespace(tenant),
            "folders": places,
        }


def _kustomization(resources: list[str]) -> str:
    return write_document({**KUSTOMIZATION, "resources": resources})
