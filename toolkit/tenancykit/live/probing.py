"""A pack of Jobs that try on the data plane what no API tells, and what came back against what the export claims.

NetworkPolicy is only as good as the network plugin. Each Job is the least demanding ordinary pod of its namespace, with
another image and command: nothing privileged, bounded in time, deleted by itself. It prints one line per trial.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from kubeanswers.access.rbac import AccessRules, Request
from kubeanswers.errors import Fault, InputError
from kubeanswers.objects import ObjectSet, mapping, mappings, scalar_text
from kubeanswers.pods import pods_of
from kubeanswers.questions import reach
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe
from tenancykit.auditing.tenants import PLATFORM_GROUPS, Tenancy
from tenancykit.labels import CLASS_LABEL
from tenancykit.live.excess import least_demanding

LABEL: Final = "tenancykit.dev/probe"
MARK: Final = "tenancykit-probe "
"""How a line of a log begins that is a result."""
SECONDS: Final = 300
"""Longest life of a probe's pod."""
KEPT: Final = 3600
"""Seconds a finished Job is kept for its log to be read."""
_DIGEST: Final = re.compile(r".+@sha256:[0-9a-f]{64}")
_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path

_UNREACHED: Final = 124
"""Exit code of a trial that did not reach the API server."""
_NOTE: Final = "the pod does not reach the API server, so what its account may do was not asked"
_UNRESOLVED: Final = ("bad address", "getaddrinfo", "ould not resolve", "not known")
"""What programs print on standard error where a host name does not resolve."""

State = Literal["open", "closed", "unknown"]


@dataclass(frozen=True)
class Trial:
    """One thing a probe tries.

    Attributes:
        id: what it is called in the log.
        crossing: id of the crossing that stands open if it succeeds; empty for what must be open.
        claimed: what the export claims; unknown where it claims nothing that can be worked out.
        command: shell command that succeeds if it is open.
        because: what the claim rests on.
    """

    id: str
    crossing: str
    claimed: State
    command: str
    because: str


@dataclass(frozen=True)
class Observed:
    """A trial's claim beside what came back.

    Attributes:
        id: the trial, ``NAMESPACE/WHAT``.
        crossing: crossing it is about.
        claimed: what the export claims.
        observed: what the log says; unknown where no line of it came back, or what tries it is missing.
        note: what was not tried all the same; empty for nothing.
    """

    id: str
    crossing: str
    claimed: State
    observed: State
    note: str = ""

    @property
    def verdict(self) -> str:
        """As claimed, open (more than that), lacking (less), undecided (no answer), observed (nothing claimed)."""
        if self.observed == "unknown":
            return "undecided"
        if self.claimed == "unknown":
            return "observed"
        if self.observed == self.claimed:
            return "as claimed"
        return "open" if self.observed == "open" else "lacking"


def checked_image(image: str) -> str:
    """Return an image that is pinned by digest.

    Raises:
        InputError: it is not.
    """
    if not _DIGEST.fullmatch(image):
        cure = "name one with sh, nc, nslookup and wget, such as a mirror of busybox, as REPOSITORY@sha256:DIGEST"
        raise InputError(Fault("--image", f"{image!r} is not pinned by digest", "REPOSITORY@sha256:...", cure))
    return image


def pack(objects: ObjectSet, image: str, *, sample: int = 1) -> tuple[dict[str, list[dict[str, Any]]], list[Trial]]:
    """Return the Jobs by file and every trial, of the first tenants of each class.

    Args:
        objects: the export's objects of one cluster.
        image: image pinned by digest.
        sample: tenants per class.

    Raises:
        InputError: the image is not pinned, or no tenant may run pods.
    """
    checked_image(image)
    access = AccessRules(objects)
    tenancy = Tenancy(objects, access, {}, PLATFORM_GROUPS)
    probe = AdmissionProbe(objects, tenancy)
    files: dict[str, list[dict[str, Any]]] = {}
    trials: list[Trial] = []
    chosen = list(_chosen(tenancy, sample))
    everybody = list(tenancy.tenants)
    for tenant in chosen:
        neighbour = next((other for other in (*chosen, *everybody) if other != tenant), "")
        for namespace in tenancy.namespaces[tenant][:1]:
            ordinary = least_demanding(probe, namespace)
            account = scalar_text(mapping(ordinary.get("spec")).get("serviceAccountName")) or "default"
            found = list(_trials(objects, tenancy, access, f"{namespace}:{account}", neighbour))
            files[f"{namespace}.yaml"] = [job(namespace, ordinary, found, image)]
            trials += found
    if not files:
        raise InputError(Fault("OUT", "holds no tenant's namespace", cure="name the folder of an export"))
    return files, trials


def _chosen(tenancy: Tenancy, sample: int) -> Iterator[str]:
    seen: dict[str, int] = {}
    for tenant in tenancy.tenants:
        spaces = tenancy.namespaces[tenant]
        label = tenancy.objects.namespaces.get(spaces[0], {}).get(CLASS_LABEL, "") if spaces else ""
        seen[label] = seen.get(label, 0) + 1
        if spaces and seen[label] <= sample:
            yield tenant


def _trials(objects: ObjectSet, tenancy: Tenancy, access: AccessRules, account: str, neighbour: str) -> Iterator[Trial]:
    namespace = account.partition(":")[0]
    pods = [pod for pod in pods_of(objects) if pod.namespace == namespace]
    source = str(pods[0]) if pods else ""
    yield Trial(f"{namespace}/dns", "", "open", "nslookup kubernetes.default.svc", "names must be found")
    yield _network(objects, source, namespace, "metadata-service", "pod-to-metadata", "169.254.169.254", 80)
    yield _network(objects, source, namespace, "egress-internet", "", "1.1.1.1", 443)
    text = 'nc -w 3 "$TENANCYKIT_NODE" 10250 </dev/null'
    yield Trial(f"{namespace}/node-kubelet", "", "unknown", text, "node addresses are not in manifests")
    text = "ls /dev/nvidia[0-9]* /dev/kfd /var/run/docker.sock /run/containerd/containerd.sock 2>/dev/null | grep -q ."
    yield Trial(f"{namespace}/devices-unasked", "api-user-to-node", "closed", text, "the pod asks for no device")
    for space in tenancy.namespaces.get(neighbour, ())[:1]:
        yield from _neighbour(objects, access, source, account, space)


def _network(
    objects: ObjectSet, source: str, namespace: str, name: str, crossing: str, address: str, port: int
) -> Trial:
    claimed: State = "unknown"
    because = "no workload of the namespace stands for the probe"
    if source:
        found = reach(objects, source, f"{address}/32", f"{port}/tcp")
        claimed = "unknown" if found.undecided else "open" if found.allowed else "closed"
        because = found.answer.why
    return Trial(f"{namespace}/{name}", crossing, claimed, f"nc -w 3 {address} {port} </dev/null", because)


def _neighbour(objects: ObjectSet, access: AccessRules, source: str, account: str, space: str) -> Iterator[Trial]:
    namespace = account.partition(":")[0]
    for service in [item for item in objects.of("", "Service") if item.namespace == space][:1]:
        port = next((p.get("port") for p in mappings(service.spec.get("ports"))), 80)
        selector = mapping(service.spec.get("selector"))
        there = next(
            (p for p in pods_of(objects) if p.namespace == space and selector.items() <= p.labels.items()), None
        )
        claimed: State = "unknown"
        because = "no workload stands behind the Service"
        if source and there is not None:
            found = reach(objects, source, str(there))
            claimed = "unknown" if found.undecided else "open" if found.allowed else "closed"
            because = found.answer.why
        text = f"nc -w 3 {service.name}.{space}.svc {port} </dev/null"
        yield Trial(f"{namespace}/service-of-{space}", "pod-network-to-victim", claimed, text, because)
    user = f"system:serviceaccount:{account}"
    groups = frozenset({"system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"})
    answer = access.can(Request(user, "list", groups, "", "secrets", namespace=space))
    url = f"https://kubernetes.default.svc/api/v1/namespaces/{space}/secrets?limit=1"
    header = f'--header "Authorization: Bearer $(cat {_TOKEN}/token)"'
    ready = f"test -s {_TOKEN}/token && command -v nc >/dev/null || exit 125; "
    ready += f"nc -w 3 kubernetes.default.svc 443 </dev/null || exit {_UNREACHED}; "
    text = f"{ready}wget -T 5 -q -O /dev/null --no-check-certificate {header} '{url}'"
    state: State = "open" if answer.allowed else "closed"
    yield Trial(f"{namespace}/secrets-of-{space}", "api-user-to-shared-api", state, text, answer.reason or "RBAC")


def job(namespace: str, ordinary: Mapping[str, Any], trials: Sequence[Trial], image: str) -> dict[str, Any]:
    """Return the Job of a namespace: its ordinary pod with another image and command."""
    spec = mapping(ordinary.get("spec"))
    first = mappings(spec.get("containers"))[0]
    kept = {key: first[key] for key in ("resources", "securityContext") if key in first}
    node = {"name": "TENANCYKIT_NODE", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
    never = {"exec": {"command": ["false"]}}  # it has its workload's labels: no Service may send it anybody's requests
    container = {"name": "probe", "image": image, **kept, "command": ["sh", "-c", script(trials)], "env": [node]}
    container["readinessProbe"] = never
    dropped = ("containers", "initContainers", "volumes", "restartPolicy", "hostname", "subdomain", "resourceClaims")
    pod = {key: value for key, value in spec.items() if key not in dropped}
    labels = {**mapping(mapping(ordinary.get("metadata")).get("labels")), LABEL: "true"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "tenancykit-probe", "namespace": namespace, "labels": {LABEL: "true"}},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": SECONDS,
            "ttlSecondsAfterFinished": KEPT,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    **pod,
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": True,  # what the account may do is tried with its own token
                    "containers": [container],
                },
            },
        },
    }


def script(trials: Iterable[Trial]) -> str:
    """Return the shell script that tries everything and prints a line each.

    What cannot be tried is no closed path: a command the image lacks, a name that does not resolve.
    """
    unknown = "12[5-7]\\ *|" + "|".join(f"*'{text}'*" for text in _UNRESOLVED)
    lines = [
        't() { e=$(sh -c "$2" 2>&1 >/dev/null); c=$?; n=""; case "$c $e" in',
        f"  0\\ *) r=open;; {unknown}) r=unknown;;",
        f"  {_UNREACHED}\\ *) r=closed; n=', \"reached\": false';; *) r=closed;; esac",
        '  printf \'%s{"id": "%s", "observed": "%s"%s}\\n\' \'' + MARK + '\' "$1" "$r" "$n"; }',
    ]
    lines += [f"t '{trial.id}' {_quoted(trial.command)}" for trial in trials]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def expected(trials: Iterable[Trial]) -> dict[str, Any]:
    """Return the claims as plain data, to be read beside the logs (format ``tenancykit/probe-claims/v1``)."""
    entries = [{"id": t.id, "crossing": t.crossing, "claimed": t.claimed, "because": t.because} for t in trials]
    return {"schema": "tenancykit/probe-claims/v1", "trials": entries}


def read_results(claims: Mapping[str, Any], log: str) -> list[Observed]:
    """Return claimed against observed; a trial of which no line came back is unknown, one that says both is open.

    Raises:
        InputError: the claims are of another format.
    """
    if claims.get("schema") != "tenancykit/probe-claims/v1" or not isinstance(claims.get("trials"), list):
        raise InputError(Fault("claims.json", "is no list of a probe's claims", cure="name the folder of the pack"))
    seen: dict[str, set[str]] = {}
    unreached: set[str] = set()
    for line in log.splitlines():
        start = line.find(MARK)
        try:
            told = json.loads(line[start + len(MARK) :]) if start >= 0 else None
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict) and told.get("observed") in ("open", "closed"):
            name = scalar_text(told.get("id"))
            seen.setdefault(name, set()).add(told["observed"])
            if told.get("reached") is False:
                unreached.add(name)
    found = []
    for one in mappings(claims["trials"]):
        name, claimed = scalar_text(one.get("id")), scalar_text(one.get("claimed"))
        answers = seen.get(name, set())
        observed: State = "open" if "open" in answers else "closed" if answers else "unknown"
        state: State = "open" if claimed == "open" else "closed" if claimed == "closed" else "unknown"
        note = _NOTE if name in unreached and observed == "closed" else ""
        found.append(Observed(name, scalar_text(one.get("crossing")), state, observed, note))
    return found
