"""Every reader and command, each with what it is normally given and a way to put something else before it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

import tenancykit as tk
from kubeanswers.errors import TenancyKitError
from kubeanswers.quantities import parse_quantity
from kubeanswers.reading import read_objects
from kubeanswers.source import parse_all
from kubeanswers.terminal import escaped
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.model import Dimension
from tenancykit.catalogue.workbook import load_work
from tenancykit.cli import main
from tenancykit.cli.arguments import ANSWERS as ANSWERS_OF_INIT
from tenancykit.criteria.effort.calibration import read_calibration
from tenancykit.criteria.isolation.records import read_records
from tenancykit.examples import example
from tenancykit.live.applying import Application
from tenancykit.live.client import Answer
from tenancykit.live.probing import MARK, read_results
from tenancykit.live.verifying import verify
from tenancykit.report.record_inputs import read_inputs
from tenancykit.scenario.trace_formats import FORMS, read_trace
from tenancykit.studio.classroom.roster import seats
from tenancykit.studio.files import parse_session, session_file
from tenancykit.study.collecting import read_answer
from tenancykit.study.saved import load_sweep
from tenancykit.study.sweeping import Question
from tests.evidence import FLAW

TESTS: Final = Path(__file__).parents[1]
CORPUS: Final = Path(__file__).parent / "corpus"

EVIDENCE: Final = (
    FLAW.replace("entries:", "  boundaries: {x/y: {near: a, far: b}}\nentries:")
    .replace("  source_url", "  preconditions: [x]\n  removed_by: [dedicated-cluster]\n  source_url")
    .encode()
)
"""All that a flaw may say."""
DUMP: Final = b"""apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: {name: n1, labels: {kubernetes.io/hostname: n1, zone: a}}
  spec: {taints: [{key: gpu, value: "yes", effect: NoSchedule}]}
  status: {allocatable: {cpu: "8", memory: 32Gi, pods: "110", nvidia.com/gpu: "4"}, images: [{names: [a], sizeBytes: 5}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: p, namespace: a, labels: {app: x}}
  spec:
    tolerations: [{key: gpu, operator: Exists}]
    affinity:
      nodeAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a]}]}]
    topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: x}}}]
    containers: [{name: c, image: i, args: [-e5], resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {nvidia.com/gpu: 1}}, ports: [{containerPort: 80, hostPort: 80}]}]
- apiVersion: scheduling.k8s.io/v1
  kind: PriorityClass
  metadata: {name: high}
  value: 1000
- apiVersion: v1
  kind: ResourceQuota
  metadata: {name: q, namespace: a}
  spec: {hard: {requests.cpu: "4", pods: "5"}}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: b, namespace: a}
  spec: {minAvailable: 50%, selector: {matchLabels: {app: x}}}
"""
KUSTOMIZATION: Final = b"""apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: other
namePrefix: pre-
resources: [base.yaml]
labels: [{pairs: {team: a}, includeSelectors: true}]
commonAnnotations: {note: x}
images: [{name: i, newTag: "1.2"}]
replicas: [{name: d, count: 3}]
configMapGenerator: [{name: cfg, literals: [a=b]}]
secretGenerator: [{name: sec, literals: [a=b], type: Opaque}]
patches:
- target: {kind: Deployment}
  patch: |-
    - op: replace
      path: /spec/replicas
      value: 2
replacements:
- source: {kind: ConfigMap, name: cfg, fieldPath: data.a}
  targets: [{select: {kind: Deployment}, fieldPaths: [metadata.annotations.x], options: {create: true}}]
"""
BASE: Final = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: a}
spec:
  replicas: 1
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: c, image: i}], volumes: [{name: v, configMap: {name: cfg}}]}
"""
WEIGHTS: Final = json.dumps(
    {
        "schema": "tenancykit/weights/v1", "question": "x", "who": "Ana",
        "weights": {"isolation": 30, "effort": 20, "operations": 25, "cost": 25},
    }
).encode()  # fmt: skip
WAITING: Final = b"""apiVersion: kueue.x-k8s.io/v1beta1
kind: WorkloadPriorityClass
metadata: {name: high}
value: 100
---
apiVersion: kueue.x-k8s.io/v1beta1
kind: Cohort
metadata: {name: ai}
spec: {parentName: root, resourceGroups: [], fairSharing: {weight: "2"}}
---
apiVersion: kueue.x-k8s.io/v1beta1
kind: Topology
metadata: {name: t}
spec: {levels: [{nodeLabel: rack}, {nodeLabel: kubernetes.io/hostname}]}
---
apiVersion: kueue.x-k8s.io/v1beta1
kind: Workload
metadata: {name: w1, namespace: vision, uid: u, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  queueName: main
  priority: 5
  podSets:
  - name: main
    count: 2
    minCount: 1
    topologyRequest: {required: rack, podSetSliceSize: 1}
    template: {spec: {containers: [{name: c, image: i, resources: {requests: {nvidia.com/gpu: 1}}}]}}
status:
  conditions: [{type: QuotaReserved, status: "True", lastTransitionTime: "2026-01-01T00:00:00Z"}]
  admission:
    clusterQueue: vision
    podSetAssignments:
    - {name: main, count: 2, flavors: {nvidia.com/gpu: h100}, topologyAssignment: {levels: [rack], domains: [{values: [r1], count: 2}]}}
---
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata: {name: s, namespace: speech, labels: {kueue.x-k8s.io/queue-name: main, kueue.x-k8s.io/priority-class: high}}
spec:
  replicatedJobs:
  - name: a
    replicas: 2
    template: {spec: {parallelism: 1, completions: 1, template: {spec: {containers: [{name: c, image: i}], initContainers: [{name: d, restartPolicy: Always}]}}}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {rack: r1, gpu.model: h100, kubernetes.io/hostname: n1}}
status: {allocatable: {cpu: "8", pods: "110", nvidia.com/gpu: "4"}, conditions: [{type: Ready, status: "True"}]}
"""
QUOTAS: Final = b"tenant,gpus\na,4\nb,8\n"
EXPORT: Final = "apiVersion: v1\nkind: Namespace\nmetadata: {name: blue, labels: {tenancykit.dev/tenant: blue}}\n"
ANSWERS: Final = tuple(
    json.dumps(one).encode()
    for one in (
        {
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1",
            "resources": [{"name": "namespaces", "kind": "Namespace", "namespaced": False, "verbs": ["get", "list"]}],
        },
        {
            "kind": "Namespace", "apiVersion": "v1",
            "metadata": {
                "name": "blue", "uid": "1", "resourceVersion": "5", "labels": {"tenancykit.dev/tenant": "blue"},
                "managedFields": [{"manager": "x", "operation": "Apply", "fieldsV1": {"f:metadata": {}}}],
            },
        },
        {
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "reason": "Forbidden", "code": 403,
            "details": {"name": "blue", "causes": [{"message": "x", "field": "f", "reason": "FieldManagerConflict"}]},
        },
        {"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": {"allowed": True, "reason": "x"}},
        {"kind": "NamespaceList", "apiVersion": "v1", "metadata": {"continue": ""}, "items": [{"metadata": {"name": "a"}}]},
    )
)  # fmt: skip
"""What an API server answers: each is also the answer to questions it does not belong to."""
KUBECONFIG: Final = b"""apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]
contexts: [{name: a, context: {cluster: a, user: u}}]
current-context: a
users: [{name: u, user: {}}]
"""
TRACES: Final = {
    "jobs": b"tenant,start,duration,cpu,memory,gpus,gpu_model\na,0,3600,1,1Gi,1,A100\nb,5,7200,500m,1Gi,0.5,\n",
    "activity": b"tenant,hour,active\na,0,1\na,1,2\nb,0,3\nb,1,0.5\n",
    "philly": json.dumps(
        [
            {
                "jobid": "j", "vc": "v", "submitted_time": "2017-10-09 07:02:16", "status": "Pass",
                "attempts": [
                    {
                        "start_time": "2017-10-09 07:02:34", "end_time": "2017-10-09 07:03:34",
                        "detail": [{"ip": "m1", "gpus": ["gpu0"]}],
                    }
                ],
            }
        ]
    ).encode(),
    "helios-changes": b"vc,minute,running_gpus\na,0,1\na,5,2\nb,0,3\n",
    "helios-hourly": b"hour,vc,max_demand\n2020-05-01 00:00:00,a,1\n2020-05-01 01:00:00,a,2\n",
}  # fmt: skip


@dataclass(frozen=True)
class Door:
    """A reader or command.

    Attributes:
        seeds: what it is normally given.
        open: puts bytes before it; raises nothing but the toolkit's own errors, and answers none but exit codes 0 to 2.
        weight: how often it is drawn.
    """

    seeds: tuple[bytes, ...]
    open: Callable[[bytes, Path], object]
    weight: float = 1.0


class OwnFaultError(Exception):
    """A command answered with another exit code than 0, 1 or 2."""


def command(*arguments: str) -> Callable[[bytes, Path], object]:
    """Return what runs a command on a file, in this process."""

    def run(data: bytes, folder: Path) -> object:
        file = folder / "input"
        file.write_bytes(data)
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = main([part.format(file=file, folder=folder) for part in (*arguments, "--debug")])
        if code not in (0, 1, 2):
            raise OwnFaultError(told.getvalue()[-3000:])
        return code

    return run


def reader(read: Callable[[Path], object], name: str = "input") -> Callable[[bytes, Path], object]:
    """Return what calls a reader on a file."""

    def run(data: bytes, folder: Path) -> object:
        file = folder / name
        file.write_bytes(data)
        return read(file)

    return run


def _kustomize(data: bytes, folder: Path) -> object:
    inner = folder / "kustomized"
    inner.mkdir(exist_ok=True)
    first, _, second = data.partition(b"\n=====\n")
    (inner / "kustomization.yaml").write_bytes(first)
    (inner / "base.yaml").write_bytes(second or BASE)
    return read_objects([inner])


def _trace(file: Path) -> object:
    try:
        return read_trace(file)
    except TenancyKitError:
        return [_quiet(lambda form=form: read_trace(file, form=form, skip_bad_rows=True)) for form in FORMS]  # type: ignore[misc]


def _live(data: bytes, folder: Path) -> object:
    """Apply an export to, and verify it against, a server whose answers are the input, whatever was asked."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return None  # the client answers for what is no JSON object, as tests/live shows
    home = folder / "export"
    home.mkdir(exist_ok=True)
    (home / "all.yaml").write_text(EXPORT)
    objects = read_objects([home]).objects
    code = body.get("code")
    statuses = (200, code if isinstance(code, int) and not isinstance(code, bool) else 201)
    server = _Server(body, statuses)
    told = [repr(verify({"a": (server, objects)}))] if server.asked % 2 else []
    works = (Application(server, objects).try_out, Application(server, objects, sleep=lambda _: None).apply)
    told += [outcome.why for work in works for outcome in work().outcomes]
    return escaped("".join(told))


class _Server:
    """Gives one answer to every second question, and what an API server would say to the others."""

    name = "fuzz"

    def __init__(self, body: Mapping[str, object], statuses: tuple[int, ...]) -> None:
        self.body, self.statuses, self.asked = body, statuses, len(str(body))

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        del method, query, headers
        self.asked += 1
        if self.asked % 2:
            return Answer(self.statuses[self.asked % 4 // 2], self.body)
        return Answer(200, body or (json.loads(ANSWERS[0]) if path.count("/") < 4 else json.loads(ANSWERS[1])))


_TRIALS: Final = json.dumps(
    {"schema": "tenancykit/probe-claims/v1", "trials": [{"id": "a/p", "crossing": "x", "claimed": "open"}]}
)
_LOG: Final = f'x {MARK}{{"id": "a/p", "observed": "closed"}}\n'


def _probed(data: bytes, _: Path) -> object:
    claims, _mark, log = data.decode("utf-8", "replace").partition("\n=====\n")
    try:
        told = json.loads(claims)
    except (ValueError, RecursionError):
        told = json.loads(_TRIALS)
    return read_results(told if isinstance(told, dict) else {}, log or claims)


def stand_beside(folder: Path) -> None:
    """Write what stands beside an input where a command takes several files."""
    for name in ("export", "pack"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "export" / "all.yaml").write_text(EXPORT)
    (folder / "pack" / "claims.json").write_text(_TRIALS)
    (folder / "dump.yaml").write_bytes(DUMP)
    (folder / "trace.csv").write_bytes(TRACES["jobs"])
    (folder / "quotas.csv").write_bytes(QUOTAS)


def _exported(*arguments: str) -> Callable[[bytes, Path], object]:
    """Return what runs a command beside an export."""
    run = command(*arguments)

    def beside(data: bytes, folder: Path) -> object:
        stand_beside(folder)
        return run(data, folder)

    return beside


def _quiet(read: Callable[[], object]) -> object:
    with contextlib.suppress(TenancyKitError):
        return read()
    return None


def _quantity(data: bytes, _: Path) -> object:
    with contextlib.suppress(ValueError):
        return parse_quantity(data.decode("utf-8", "replace"))
    return None


def _yaml(data: bytes, _: Path) -> object:
    return list(parse_all(data.decode("utf-8", "replace"), "x"))


def _scenario(data: bytes, _: Path) -> object:
    return tk.parse_scenario(data.decode("utf-8", "replace"))


def _session(data: bytes, _: Path) -> object:
    return parse_session(data.decode("utf-8", "replace"), "x")


@cache
def question() -> Question:
    """Return the question whose sweeps are read."""
    return Question.of(tk.load_scenario("saas-inference"), tk.load_catalogue(), NARROWED)


NARROWED: Final[Mapping[Dimension, list[str]]] = {"runtime": ["rt_runc"], "network": ["net_np_default_deny"]}


@cache
def swept() -> bytes:
    """Return a sweep as ``--save`` writes it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.npz"
        tk.explore(
            tk.load_scenario("saas-inference"),
            allowed={str(d): kept for d, kept in NARROWED.items()},
            limit=6,
            save=file,
        )
        return file.read_bytes()


def _unpacked(sweep: bytes) -> bytes:
    """Return a sweep's parts as JSON, so that a mutation changes one of them and not only the archive's checksum."""
    parts: dict[str, object] = {}
    with np.load(io.BytesIO(sweep), allow_pickle=False) as archive:
        for name in archive.files:
            array = archive[name]
            if name == "header":
                parts[name] = json.loads(array.tobytes())
            else:
                parts[name] = {"type": array.dtype.str, "shape": list(array.shape), "data": array.ravel().tolist()}
    return json.dumps(parts).encode()


def _packed(data: bytes, folder: Path) -> object:
    try:
        parts = json.loads(data)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name, part in parts.items():
                text = json.dumps(part).encode()
                said = {"type": "|u1", "shape": [len(text)], "data": list(text)} if name == "header" else part
                head = str({"descr": said["type"], "fortran_order": False, "shape": tuple(said["shape"])}).encode()
                body = np.array(said["data"], np.uint8 if said["type"] == "|u1" else np.float64).tobytes()
                archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + body)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return None  # what cannot be packed is no archive; "sweep" puts those before the reader
    file = folder / "sweep.npz"
    file.write_bytes(stream.getvalue())
    return load_sweep(file, question())


OWN: Final = "own"
"""Folder of a catalogue laid over ours."""


def _catalogue(data: bytes, folder: Path) -> object:
    """Lay one file over our catalogue: its first line, a comment, says where in the folder it goes."""
    place = data.split(b"\n", 1)[0].removeprefix(b"# ").decode("utf-8", "replace")
    place = place if place in _own_files() else "sources.yaml"
    shutil.rmtree(folder / OWN, ignore_errors=True)
    (folder / OWN / place).parent.mkdir(parents=True)
    (folder / OWN / place).write_bytes(data)
    return command("catalogue", "options", "--catalogue", str(folder / OWN))(b"", folder)


@cache
def _own_files() -> Mapping[str, bytes]:
    """Return one file of every folder of our catalogue, each under a line that says where it stands."""
    home = Path(str(resources.files("tenancykit.catalogue")))
    firsts = [min(inner.rglob("*.yaml"), default=None) for inner in sorted(home.iterdir()) if inner.is_dir()]
    files = [home / "sources.yaml", *(file for file in firsts if file is not None)]
    names = [file.relative_to(home).as_posix() for file in files]
    return {name: f"# {name}\n".encode() + file.read_bytes() for name, file in zip(names, files, strict=True)}


def _answered(data: bytes, folder: Path) -> object:
    """Answer the questions of init, a line each."""
    lines = _argument(data).splitlines()
    given = [f"--{name}={line}" for name, line in zip(ANSWERS_OF_INIT, lines, strict=False) if line]
    (folder / "made.yaml").unlink(missing_ok=True)
    return command("init", "--to", str(folder / "made.yaml"), *given)(b"", folder)


def _argument(data: bytes) -> str:
    """Return bytes as an argument of ``command``, whose places in braces it holds none of."""
    return data.decode("utf-8", "replace").replace("\0", "").replace("{", "{{").replace("}", "}}")


def _migrated(data: bytes, folder: Path) -> object:
    (folder / "migrated.yaml").unlink(missing_ok=True)
    return command("migrate-scenario", "{file}", "--to", "{folder}/migrated.yaml")(data, folder)


def _proven(data: bytes, folder: Path) -> object:
    """Prove an export of which one file was changed."""
    home = folder / "proven"
    if not home.exists():
        tk.export(tk.compare(tk.load_scenario("saas-inference")), home)
    files = sorted(file for file in home.rglob("*.yaml") if file.is_file())
    changed = files[len(data) % len(files)]
    kept = changed.read_bytes()
    changed.write_bytes(data)
    try:
        return command("prove", "saas-inference", str(home))(b"", folder)
    finally:
        changed.write_bytes(kept)


def _roster(file: Path) -> object:
    return seats(2, file)


def _traded(data: bytes, folder: Path) -> object:
    text = _argument(data)
    return command("weigh", "saas-inference", f"--trade={text}", f"--swing={text}")(b"", folder)


@cache
def doors() -> Mapping[str, Door]:
    """Return every door by name; the heavy ones are drawn seldom."""
    situations = tuple(file.read_bytes() for file in sorted((TESTS / "kubeanswers" / "situations").glob("*.yaml")))
    objects = (*(part for text in situations for part in _parts(text)), *_parts(DUMP), DUMP, BASE)
    scenarios = tuple(example(name).read_bytes() for name in ("saas-inference", "gpu-cloud", "regulated-hybrid"))
    study = tk.compare(tk.load_scenario("saas-inference"))
    page = tk.record(study).html.encode()
    block = page[page.index(b"<script") : page.index(b"</script>") + 9]
    session = _saved()
    queues = (TESTS / "kubeanswers" / "queueing" / "clusters" / "two-teams.yaml").read_bytes()
    return {
        "read": Door(objects, reader(lambda file: read_objects([file])), 20),
        "yaml": Door((*objects, *scenarios), _yaml, 10),
        "quantity": Door((b"500m", b"16Gi", b"1e3", b"0.5"), _quantity, 60),
        "kustomize": Door((KUSTOMIZATION + b"\n=====\n" + BASE, KUSTOMIZATION), _kustomize, 20),
        "scenario": Door(scenarios, _scenario, 8),
        "trace": Door(tuple(TRACES.values()), reader(_trace), 20),
        "evidence": Door((EVIDENCE,), reader(lambda file: read_records(file, load_isolation(tk.load_catalogue()))), 40),
        "calibration": Door(
            (b"task,days\nautoscaler_and_gangs.test,3\ncapsule_and_engine.work,6\n",),
            reader(lambda file: read_calibration(file, load_work(tk.load_catalogue()))),
            10,
        ),
        "session": Door((session,), _session, 30),
        "record": Door((block,), reader(read_inputs), 10),
        "sweep": Door((swept(),), reader(lambda file: load_sweep(file, question())), 2),
        "sweep-parts": Door((_unpacked(swept()),), _packed, 0.5),
        "audit": Door(objects, command("audit", "{file}"), 6),
        "place": Door((DUMP, *_parts(DUMP)), command("place", "-f", "{file}"), 15),
        "can-i": Door(objects, command("can-i", "get", "pods", "--as", "me", "-n", "a", "-f", "{file}"), 5),
        "reach": Door(objects, command("reach", "--from", "a/p", "--to", "a/p", "--port", "80/tcp", "-f", "{file}"), 5),
        "validate": Door(objects, command("validate", "{file}"), 5),
        "demand": Door(tuple(TRACES.values()), command("demand", "{file}", "--cap", "2"), 15),
        "check": Door(scenarios, command("check", "{file}"), 3),
        "replay-evidence": Door((EVIDENCE,), command("replay", "--evidence", "{file}"), 1),
        "compare": Door(scenarios, command("compare", "{file}", "--json"), 0.05),
        "replay": Door((block,), command("replay", "{file}"), 0.05),
        "assess": Door(objects, command("assess", "{file}", "--scenario", "saas-inference"), 0.05),
        "calibrated": Door(
            (b"task,days\nautoscaler_and_gangs.test,3\n",),
            command("compare", "saas-inference", "--calibration", "{file}"),
            0.02,
        ),
        "weights": Door((WEIGHTS,), reader(read_answer), 40),
        "answer": Door(ANSWERS, _live, 10),
        "probed": Door((f"{_TRIALS}\n=====\n{_LOG}".encode(), _TRIALS.encode()), _probed, 30),
        "admit": Door((queues, *_parts(queues), *(queues + b"---\n" + part for part in _parts(WAITING)), queues + b"---\n" + WAITING), command("admit", "-f", "{file}"), 0.5),
        "queue": Door(tuple(TRACES.values()), _exported("queue", "{file}", "--quotas", "{folder}/quotas.csv", "--no-fleet"), 2),
        "quotas": Door((QUOTAS,), _exported("queue", "{folder}/trace.csv", "--quotas", "{file}", "--no-fleet"), 10),
        "tenants": Door((b"# who\na=x\nteam-*=y\n",), _exported("audit", "{folder}/dump.yaml", "--tenants", "{file}"), 2),
        "catalogue": Door(tuple(_own_files().values()), _catalogue, 1),
        "init": Door((b"x\n8\ntraining\n4\n", b"\n0\n\n\n\n\n\n40\ninference\n0.5"), _answered, 2),
        "migrate": Door(scenarios, _migrated, 0.2),
        "roster": Door((b"Ada Lovelace\nGrace Hopper\n",), reader(_roster), 10),
        "traded": Door((b"1 person_day = 700 cost", b"isolation=100"), _traded, 0.02),
        "prove": Door(objects, _proven, 0.02),
        "bill": Door(scenarios, command("bill", "{file}"), 0.02),
        "explain": Door(scenarios, command("explain", "{file}"), 0.02),
        "export": Door(scenarios, command("export", "{file}", "--to", "{folder}/out"), 0.02),
        "share": Door(scenarios, command("share", "{file}", "--to", "{folder}/page.html"), 0.02),
        "collect": Door((WEIGHTS,), command("collect", "saas-inference", "{file}"), 0.01),
        "apply": Door((KUBECONFIG,), _exported("apply", "{folder}/export", "--kubeconfig", "{file}", "--timeout", "2"), 0.1),
    }  # fmt: skip


def _parts(text: bytes) -> list[bytes]:
    return [part for part in text.split(b"\n---\n") if part.strip()]


def _saved() -> bytes:
    from tenancykit.studio.session import Session

    session = Session(tk.load_scenario("saas-inference"))
    file = Path(os.devnull)
    saved = session_file(session.state, tk.load_scenario("saas-inference").weights, file)
    return saved.model_dump_json(by_alias=True).encode()
