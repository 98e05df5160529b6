"""Reading and auditing the tree of a cluster with 10,000 tenants, beside parsing the same files with PyYAML alone.

Run: python benchmarks/audit_export.py [--json]
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness import line, report
from tenancykit.auditing import audit, read_objects

TENANTS = 10_000
_TENANT = """apiVersion: v1
kind: Namespace
metadata:
  name: t-NAME
  labels:
    tenancykit.dev/tenant: NAME
    tenancykit.dev/class: research
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/enforce-version: v1.36
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: all, namespace: t-NAME}
spec:
  hard:
    requests.cpu: "10"
    requests.memory: 20Gi
    requests.storage: 1Ti
    requests.nvidia.com/gpu: "8"
    persistentvolumeclaims: "9"
    pods: "50"
    services: "9"
    services.loadbalancers: "0"
    services.nodeports: "0"
    secrets: "50"
    configmaps: "50"
---
apiVersion: v1
kind: LimitRange
metadata: {name: defaults, namespace: t-NAME}
spec:
  limits:
  - type: Container
    default: {cpu: 500m, memory: 512Mi}
    defaultRequest: {cpu: 100m, memory: 128Mi}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: members, namespace: t-NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: member}
subjects:
- {kind: Group, apiGroup: rbac.authorization.k8s.io, name: "tenant:NAME"}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: t-NAME}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: same-tenant, namespace: t-NAME}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {}}]}]
  egress: [{to: [{podSelector: {}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: t-NAME}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
      podSelector: {matchLabels: {k8s-app: kube-dns}}
    ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-gateway, namespace: t-NAME}
spec:
  podSelector: {matchLabels: {tenancykit.dev/workload: api}}
  policyTypes: [Ingress]
  ingress:
  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: tenancykit-ingress}}}]
    ports: [{protocol: TCP, port: 8080}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: workload, namespace: t-NAME}
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: t-NAME}
spec:
  selector: {matchLabels: {tenancykit.dev/workload: api}}
  template:
    metadata: {labels: {tenancykit.dev/workload: api}}
    spec:
      serviceAccountName: workload
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: api
        image: registry.example.com/api:1
        ports: [{name: http, containerPort: 8080}]
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: "1", memory: 1Gi}}
"""
_BASE = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: member}
rules:
- {apiGroups: [""], resources: [pods, services, configmaps, secrets], verbs: [get, list, create, update, delete]}
- {apiGroups: [apps], resources: [deployments], verbs: [get, list, create, update, delete]}
"""


def _write(root: Path) -> int:
    size = 0
    for i in range(TENANTS):
        folder = root / "tenants" / f"v{i:05d}x"
        folder.mkdir(parents=True)
        text = _TENANT.replace("NAME", f"v{i:05d}x")
        size += len(text)
        (folder / "all.yaml").write_text(text, encoding="utf-8")
        (folder / "kustomization.yaml").write_text("resources: [all.yaml]\n", encoding="utf-8")
    (root / "base.yaml").write_text(_BASE, encoding="utf-8")
    names = "".join(f"- tenants/v{i:05d}x\n" for i in range(TENANTS))
    (root / "kustomization.yaml").write_text(f"resources:\n- base.yaml\n{names}", encoding="utf-8")
    return size


def export() -> Sequence[dict[str, object]]:
    """Time reading and auditing once each, with the process's peak memory; a run takes most of a minute."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        size = _write(root)
        start = time.perf_counter()
        for path in sorted((root / "tenants").glob("*/all.yaml")):
            for _ in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
                pass
        bare = time.perf_counter() - start
        start = time.perf_counter()
        reading = read_objects([root])
        read = time.perf_counter() - start
        found = audit(reading)
        whole = time.perf_counter() - start
        assert not reading.faults
        assert len(found.tenants) == TENANTS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    more: dict[str, Any] = {"objects": len(reading.objects), "mib_of_yaml": round(size / 2**20, 1)}
    ratio = {"parsing the files with PyYAML (C loader)": round(read / bare, 2)}
    return [
        line("read an export of 10,000 tenants", read, "s", n=1, ratio_to=ratio, **more),
        line("read and audit an export of 10,000 tenants", whole, "s", n=1, peak_memory_mib=round(peak), **more),
    ]


if __name__ == "__main__":
    report(__doc__ or "", [export])
