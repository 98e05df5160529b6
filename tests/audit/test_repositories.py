"""Any repository or dump is read: YAML first, overlays apart, tenants found or the way to name them shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubeanswers.objects import from_dicts
from kubeanswers.reading import read_objects
from tenancykit import api
from tenancykit.auditing import AuditOptions, audit, to_text
from tests.audit.situations import binding, tenants

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team-a}
spec:
  replicas: 1
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    "body",
    [
        "data:\n  config: |\n    {{- if .Values.x }}\n    a: {{ .Values.x }}\n    {{- end }}\n",
        "data: {template: '{{ .Values.name }}'}\n",
        "data: {a: '{{ include \"x\" . }}'}\n",
    ],
)
def test_braces_inside_strings_are_data(body: str, tmp_path: Path) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m, namespace: mesh}}\n{body}"
    reading = read_objects([write(tmp_path, {"m.yaml": text}) / "m.yaml"])
    assert [item.name for item in reading.objects] == ["m"]
    assert reading.faults == ()


def test_documents_before_a_template_are_kept(tmp_path: Path) -> None:
    text = f"{DEPLOYMENT}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {{{{ .Values.x }}}} }}\n"
    reading = read_objects([write(tmp_path, {"m.yaml": text}) / "m.yaml"])
    assert [item.name for item in reading.objects] == ["web"]
    assert "template" in reading.faults[0].what


def test_a_chart_in_a_repository_is_said_not_to_be_read_and_hides_nothing(tmp_path: Path) -> None:
    files = {
        "apps/web.yaml": DEPLOYMENT,
        "charts/c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "charts/c/templates/d.yaml": "kind: {{ .Values.kind }}\n",
        "charts/c/templates/e.yaml": "kind: {{ .Values.kind }}\n",
    }
    reading = read_objects([write(tmp_path, files)])
    assert [item.name for item in reading.objects] == ["web"]
    assert reading.faults == ()
    assert len(reading.unread) == 1
    assert "2 templates" in reading.unread[0]


def overlays(*names: str) -> dict[str, str]:
    files = {"base/web.yaml": DEPLOYMENT, "base/kustomization.yaml": "resources: [web.yaml]\n"}
    for number, name in enumerate(names, 2):
        files[f"overlays/{name}/kustomization.yaml"] = (
            f"resources: [../../base]\nreplicas: [{{name: web, count: {number}}}]\n"
        )
    return files


@pytest.mark.parametrize("names", [("staging", "prod"), ("eu", "us", "asia")])
def test_overlays_of_one_base_are_sets_of_their_own(names: tuple[str, ...], tmp_path: Path) -> None:
    report = api.audit(write(tmp_path, overlays(*names)))
    assert report.sets == tuple(sorted(names))
    assert not [finding for finding in report.findings if finding.rule == "duplicate-object"]


def test_what_flux_delivers_to_each_cluster_is_read_apart(tmp_path: Path) -> None:
    kustomization = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        "metadata: {{name: tenants, namespace: flux-system}}\n"
        "spec: {{interval: 5m, path: ./tenants/{name}, prune: true, sourceRef: {{kind: GitRepository, name: r}}}}\n"
    )
    files = {}
    for name in ("staging", "production"):
        files[f"clusters/{name}/tenants.yaml"] = kustomization.format(name=name)
        files[f"tenants/{name}/space.yaml"] = (
            "apiVersion: v1\nkind: Namespace\n"
            f"metadata: {{name: apps, labels: {{toolkit.fluxcd.io/tenant: t-{name}}}}}\n"
        )
    report = api.audit(write(tmp_path, files))
    assert report.sets == ("production", "staging")
    assert set(report.tenants) == {"t-staging", "t-production"}


def space(name: str, **labels: str) -> dict[str, object]:
    written = {key.replace("__", "/").replace("_", "."): value for key, value in labels.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": written}}


PROFILE = {
    "apiVersion": "kubeflow.org/v1",
    "kind": "Profile",
    "metadata": {"name": "x"},
    "spec": {"owner": {"kind": "User", "name": "u"}},
}
ANCHOR = {
    "apiVersion": "hnc.x-k8s.io/v1alpha2",
    "kind": "SubnamespaceAnchor",
    "metadata": {"name": "child", "namespace": "root"},
}
VCLUSTER = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "v", "namespace": "vc", "labels": {"app": "vcluster"}},
}


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ([space("n", toolkit_fluxcd_io__tenant="dev")], {"dev": ("n",)}),
        ([space("n", capsule_clastix_io__tenant="oil")], {"oil": ("n",)}),
        ([space("n", kubesphere_io__workspace="w")], {"w": ("n",)}),
        ([space("n", example_com__tenant="acme")], {"acme": ("n",)}),
        ([space("n", tenant="acme")], {"acme": ("n",)}),
        ([space("n", team="pay"), space("kube-system", team="ops")], {"pay": ("n",)}),
        ([PROFILE, space("x")], {"x": ("x",)}),
        ([ANCHOR, space("root"), space("child")], {"root": ("child", "root")}),
        ([VCLUSTER, space("vc")], {"vc": ("vc",)}),
        ([PROFILE], {"x": ("x",)}),
        ([ANCHOR, space("root")], {"root": ("child", "root")}),
    ],
)
def test_tenants_are_found_by_what_people_use(
    objects: list[dict[str, object]], found: dict[str, tuple[str, ...]]
) -> None:
    assert audit(from_dicts(objects)).tenants == found


def test_where_no_tenant_is_found_the_report_says_so_first_and_how_to_name_them() -> None:
    objects = [space("shop", purpose="x"), space("blog", purpose="y"), space("kube-system")]
    text = to_text(audit(from_dicts(objects)))
    assert text.startswith("NO TENANT WAS FOUND")
    assert "--tenant shop=shop" in text
    assert "--tenant-label purpose" in text
    assert set(audit(from_dicts(objects), AuditOptions(tenant_labels=("purpose",))).tenants) == {"x", "y"}
    assert set(audit(from_dicts(objects), AuditOptions({"*": "*"})).tenants) == {"shop", "blog"}
    assert set(audit(from_dicts(objects), AuditOptions({"s*": "s"})).tenants) == {"s"}


def test_one_cause_in_many_namespaces_is_told_once_and_counted() -> None:
    spaces = [space(f"t{number}", tenancykit_dev__tenant=f"tenant{number}") for number in range(9)]
    text = to_text(audit(from_dicts(spaces)))
    assert "(9 tenants, 9 objects)" in text
    assert "Fix these three first:" in text
    assert text.count("quota-unbounded") == 2


def test_a_namespace_somebody_is_bound_in_that_belongs_to_nobody_is_named_with_the_line_to_paste() -> None:
    report = audit(from_dicts([*tenants(), binding("x", "view", "Group a-devs", "a-extra"), space("a-extra")]))
    finding = next(f for f in report.findings if f.rule == "namespace-unowned")
    assert "--tenant a-extra=a" in finding.fix


def test_a_service_that_claims_addresses_is_named() -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": "team-a"},
        "spec": {"ports": [{"port": 80}], "externalIPs": ["203.0.113.7"]},
    }
    found = audit(from_dicts([*tenants(), service])).findings
    assert any(f.rule == "service-external-ips" and "203.0.113.7" in f.what for f in found)


def test_what_is_filled_in_elsewhere_is_told_softly_and_not_called_refused(tmp_path: Path) -> None:
    ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a, namespace: x}\n"
    named = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'c-{{.Replica}}', namespace: x}\n"
    text = f"{ingress}spec: {{rules: [{{host: '${{DEX_HOST}}'}}]}}\n---\n{named}"
    report = audit(read_objects([write(tmp_path, {"all.yaml": text})]))
    found = [item for item in report.findings if item.rule == "object-invalid"]
    assert len(found) == 2
    assert all("filled in elsewhere" in item.what and item.severity.name == "LOW" for item in found)


def test_what_sops_encrypted_is_decrypted_before_it_is_applied(tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: t}\nstringData: {k: 'ENC[AES256_GCM,data:x]'}\n"
    )
    sealed = write(tmp_path / "sealed", {"s.yaml": f"{text}sops: {{mac: 'ENC[AES256_GCM,data:y]', version: 3.9.0}}\n"})
    odd = write(tmp_path / "odd", {"s.yaml": f"{text}sopz: {{mac: x}}\n"})
    (found,) = [f for f in audit(read_objects([sealed])).findings if f.rule == "object-invalid"]
    assert (str(found.severity), "decrypted first" in found.what) == ("low", True)
    (found,) = [f for f in audit(read_objects([odd])).findings if f.rule == "object-invalid"]
    assert str(found.severity) == "medium"


def test_a_patch_that_lies_about_is_no_object(tmp_path: Path) -> None:
    patch = "$patch: delete\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
    reading = read_objects([write(tmp_path, {"a.yaml": DEPLOYMENT, "removals/s.yaml": patch})])
    assert [item.name for item in reading.objects] == ["web"]
    assert "is a patch of Kustomize" in " ".join(reading.skipped)


def test_a_finalizer_without_a_domain_is_refused_of_built_in_kinds_only(tmp_path: Path) -> None:
    meta = "metadata: {name: a, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}\n"
    source = "{repoURL: 'https://a.example/b', path: .}"
    spec = f"spec: {{project: p, destination: {{server: 'https://k', namespace: x}}, source: {source}}}\n"
    custom = f"apiVersion: argoproj.io/v1alpha1\nkind: Application\n{meta}{spec}"
    folder = write(tmp_path, {"a.yaml": custom, "b.yaml": f"apiVersion: v1\nkind: ConfigMap\n{meta}"})
    refused = [item.subject for item in audit(read_objects([folder])).findings if item.rule == "object-invalid"]
    assert refused == ["ConfigMap argocd/a"]


def test_an_object_named_by_a_placeholder_is_not_read_as_one_of_that_name(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {TENANT_ID}\n"
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")
    found = read_objects([tmp_path])
    assert not list(found.objects)
    assert "placeholder" in str(found.faults[0])


def test_a_guard_that_was_being_deleted_is_not_counted_on() -> None:
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    named = [{"name": "deny", "namespace": f"team-{name}"} for name in "ab"]
    held = [{**deny, "metadata": metadata} for metadata in named]
    leaving = [{**deny, "metadata": {**one, "deletionTimestamp": "2026-11-30T00:00:00Z"}} for one in named]
    assert audit(from_dicts([*tenants(), *held])).open_crossings().get("pod-network-to-victim", 0) == 0
    report = audit(from_dicts([*tenants(), *leaving]))
    assert report.open_crossings()["pod-network-to-victim"]
    assert [f.what for f in report.findings if f.rule == "policy-invalid" and "being deleted" in f.what]


def test_switches_and_names_to_fill_in_are_not_offered_as_tenants() -> None:
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        for name, labels in (("shop", {"istio-injection": "enabled", "owner": "x"}), ("org-${name}", {}))
    ]
    text = to_text(audit(from_dicts(spaces)))
    assert "--tenant shop=shop" in text
    assert "--tenant-label owner" in text
    assert "istio-injection" not in text
    assert "org-${name}=" not in text
