"""The public API: the functions that notebooks, scripts and the command line use, and nothing below them.

Each function imports its room when it is called, so that checking a scenario does not wait for what an audit needs.
"""

# ruff: noqa: PLC0415 - as the first paragraph says

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, TextIO

from kubeanswers.errors import InputError
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.drawing import drawn_by
from tenancykit.examples import EXAMPLES, example, file_or_example
from tenancykit.scenario.model import Scenario

if TYPE_CHECKING:
    from kubeanswers.questions import Held
    from kubeanswers.scheduling.dump import DumpPlacement
    from tenancykit.auditing import AccessAnswer, AuditReport, ObjectSet, ReachQuestion
    from tenancykit.auditing.validity import Validity
    from tenancykit.design.model import Design
    from tenancykit.report.handover import Handover
    from tenancykit.report.paper import Paper
    from tenancykit.report.record import Record
    from tenancykit.report.replaying import Replay
    from tenancykit.study.admitting import AdmitAnswer
    from tenancykit.study.assessing import Assessment
    from tenancykit.study.collecting import Collected
    from tenancykit.study.comparison import Progress, Study
    from tenancykit.study.evaluation import Evaluation
    from tenancykit.study.exploration import Exploration
    from tenancykit.study.proof import Proof

PathLike = str | os.PathLike[str]

__all__ = [
    "EXAMPLES",
    "admit",
    "assess",
    "audit",
    "can_i",
    "collect",
    "compare",
    "example",
    "explore",
    "export",
    "load_scenario",
    "own_design",
    "paper",
    "parse_scenario",
    "place",
    "prove",
    "reach",
    "record",
    "replay",
    "replay_evidence",
    "validate",
    "variant",
]


def _forms() -> None:
    """Register how results draw themselves."""
    from tenancykit.report import drawing, exploring, proving, robust  # noqa: F401 - for drawing alone


drawn_by(_forms)


def load_scenario(path: str | os.PathLike[str], catalogue: Catalogue | None = None) -> Scenario:
    """Return the checked scenario of a file, of a folder that holds ``scenario.yaml``, or of a shipped example.

    Args:
        path: file, folder, or name of an example (``ml-platform``).
        catalogue: where node types are looked up; the package's own by default.

    Raises:
        InputError: every fault of the file at once.
    """
    from tenancykit.design.wishes import known_to
    from tenancykit.scenario.reading import read_scenario

    return read_scenario(file_or_example(path), known_to(catalogue or load_catalogue()))


def parse_scenario(text: str, catalogue: Catalogue | None = None) -> Scenario:
    """Return the checked scenario written in YAML text.

    Raises:
        InputError: every fault of the text at once.
    """
    from tenancykit.design.wishes import known_to
    from tenancykit.scenario import reading

    return reading.parse_scenario(text, known_to(catalogue or load_catalogue()))


def compare(
    scenario: Scenario,
    catalogue: Catalogue | None = None,
    *,
    designs: Iterable[Design | str] = (),
    calibration: PathLike | None = None,
    as_published: bool = False,
    progress: Progress | None = None,
    processes: int = 1,
) -> Study:
    """Return the reference architectures compared for a scenario, with further designs or variants beside them.

    Every design is completed with the cheapest options that provide what the scenario needs and it lacks.

    Args:
        scenario: what is asked.
        catalogue: what could be done; the package's own by default.
        designs: further designs, or variants as text (``RA01 +node_dedicated_tenant``).
        calibration: CSV of measured tasks (``task,days``); shifts the effort estimates and narrows their interval.
        as_published: compare the designs bare, as though the scenario needed nothing.
        progress: called with (done, total, name) after each design.
        processes: 2 shares the work with a copy of this process, for programs without threads on Linux; the answer is
            the same.

    Raises:
        InputError: a variant or the calibration file is wrong.
    """
    from tenancykit.catalogue.workbook import load_work
    from tenancykit.criteria.effort.calibration import read_calibration
    from tenancykit.design.needs import without_needs
    from tenancykit.study import comparison

    used = catalogue or load_catalogue()
    if as_published:
        scenario = without_needs(scenario, used)
    measured = read_calibration(calibration, load_work(used)) if calibration else None
    further = [variant(d, scenario, used) if isinstance(d, str) else d for d in designs]
    return comparison.compare(scenario, used, further, calibration=measured, progress=progress, processes=processes)


def variant(text: str, scenario: Scenario, catalogue: Catalogue | None = None) -> Design:
    """Return a reference architecture with options added (``+id``) or dropped (``-id``).

    Raises:
        InputError: unknown ids, or a layer left empty that must not be.
    """
    from tenancykit.design import variants

    return variants.variant(text, scenario, catalogue or load_catalogue())


def own_design(
    identifier: str,
    name: str,
    options: Iterable[str] | Mapping[str, Iterable[str]],
    scenario: Scenario,
    catalogue: Catalogue | None = None,
) -> Design:
    """Return an own design: the same options for every class, or options per class id.

    Raises:
        InputError: an option or class is unknown, two options share a layer, a layer is missing, or a class has no
            options.
    """
    from tenancykit.design import variants

    return variants.own_design(identifier, name, options, scenario, catalogue or load_catalogue())


def export(
    evaluation: Evaluation | Study,
    directory: str | os.PathLike[str],
    *,
    study: Study | None = None,
    paper: Paper | None = None,
) -> Handover:
    """Write the manifests of a design and, from a study, its decision record.

    Args:
        evaluation: the design to export; a study exports its best.
        directory: folder to write; an earlier export is replaced, files of others are kept.
        study: the study the design was chosen in, for the decision record.
        paper: author, date, status, signatures and owners of risks, for the same.

    Raises:
        OutputError: the folder cannot be written; whatever stood there before still stands.
        UndecidedError: the study admits no design.
    """
    from tenancykit.report import handover
    from tenancykit.study.comparison import Study

    chosen_in = evaluation if isinstance(evaluation, Study) else study
    chosen = evaluation.best if isinstance(evaluation, Study) else evaluation
    return handover.export(chosen, Path(directory), chosen_in, paper)


def record(study: Study, design_id: str | None = None, *, paper: Paper | None = None) -> Record:
    """Return the decision record of a study, for its best design or the one named.

    Args:
        study: the comparison.
        design_id: the design decided for; the best by default.
        paper: author, date, status, signatures and owners of risks (:func:`paper`); blanks to fill in by default.

    Raises:
        InputError: the study holds no such design.
        UndecidedError: no design is named and none is admitted.
    """
    from tenancykit.report import record as recording

    return recording.record(study, design_id, paper)


def paper(**added: Any) -> Paper:
    """Return what people add to a decision record.

    Args:
        added: ``author``, ``date`` (2026-11-30), ``status`` (proposed), ``before`` (id of the compared design that
            stands today), ``sign_off`` (names), ``owners`` (by kind of risk: security, schedule, budget, operations,
            decision).

    Raises:
        InputError: every fault of it at once.
    """
    from tenancykit.report.paper import paper_of

    return paper_of(added)


def collect(study: Study, given: Iterable[PathLike | tuple[str, bytes]]) -> Collected:
    """Return what the weights that came back from a shared page mean together.

    Args:
        study: the comparison whose page was shared.
        given: files, or name and content of each where they were uploaded.

    Raises:
        InputError: every fault of every file, two people share a name, or the scales have changed since.
        UndecidedError: the study admits no design.
    """
    from tenancykit.report.sharing import question_of
    from tenancykit.study import collecting

    return collecting.collect(study, given, question=question_of(study))


def audit(
    *paths: PathLike,
    tenants: Mapping[str, str] | None = None,
    platform: Iterable[str] = (),
    pod_cidrs: Iterable[str] = (),
    tenant_labels: Iterable[str] = (),
    stdin: TextIO | None = None,
) -> AuditReport:
    """Return what manifests mean for tenants: who reaches whom, over which crossing, with findings and named checks.

    Args:
        paths: files, folders, Kustomize bases, exports, dumps, or ``-`` for standard input.
        tenants: tenant by namespace or glob of namespaces, where labels do not say it; ``*`` stands for what the
            glob's star matched.
        platform: users and groups of the platform team.
        tenant_labels: further labels of namespaces that name the tenant.
        pod_cidrs: where pods live; decides whether an ipBlock may mean them.
        stdin: what ``-`` reads.
    """
    from kubeanswers.collector import paused_collector
    from tenancykit.auditing import AuditOptions, audit_clusters, read_clusters

    options = AuditOptions(
        dict(tenants or {}), frozenset(platform), tuple(pod_cidrs), tenant_labels=tuple(tenant_labels)
    )
    with paused_collector():
        return audit_clusters(read_clusters(paths, stdin=stdin or sys.stdin), options)


def validate(
    *paths: PathLike, kubernetes: str | None = None, crds: Iterable[PathLike] = (), stdin: TextIO | None = None
) -> Validity:
    """Return what an API server would refuse of manifests, by file, line and field, and what they refer to in vain.

    Args:
        paths: files, folders, Kustomize bases, exports, dumps, or ``-`` for standard input.
        kubernetes: minor version they are held against, such as ``1.36``; by default the one an export was written for,
            else the newest known.
        crds: files and folders with CustomResourceDefinitions that custom objects are held against.
        stdin: what ``-`` reads.

    Raises:
        InputError: the version is unknown, or a file of definitions cannot be read or defines nothing.
    """
    from tenancykit.auditing import validity

    return validity.validate(paths, kubernetes=kubernetes, crds=crds, stdin=stdin or sys.stdin)


def prove(evaluation: Evaluation | Study, directory: PathLike) -> Proof:
    """Return whether the manifests of a folder are what a design claims; a study proves its best.

    The proof's ``isolation`` is the design's isolation with checked manifests; None where it is not proven.

    Raises:
        UndecidedError: the study admits no design.
    """
    from tenancykit.study import proof
    from tenancykit.study.comparison import Study

    chosen = evaluation.best if isinstance(evaluation, Study) else evaluation
    return proof.prove(chosen, chosen.scenario, chosen.catalogue, directory)


def assess(
    paths: PathLike | Iterable[PathLike],
    scenario: Scenario,
    catalogue: Catalogue | None = None,
    *,
    target: str = "",
    tenants: Mapping[str, str] | None = None,
) -> Assessment:
    """Return what an existing cluster amounts to as a design, beside the reference architectures, with its gaps.

    Args:
        paths: a dump, repository or export, or several; ``-`` reads standard input.
        scenario: what is asked of the cluster.
        catalogue: what could be done; the package's own by default.
        target: design or variant the gaps lead to; the best of the comparison by default.
        tenants: tenant by namespace, where labels do not say it.

    Raises:
        InputError: the target is unknown.
    """
    from tenancykit.study import assessing

    named = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    used = catalogue or load_catalogue()
    return assessing.assess(named, scenario, used, target=target, tenants=tenants, stdin=sys.stdin)


def can_i(
    verb: str,
    resource: str,
    name: str = "",
    *,
    paths: Iterable[PathLike],
    namespace: str = "",
    user: str = "",
    groups: Iterable[str] = (),
    subresource: str = "",
) -> AccessAnswer:
    """Return whether a user may do something by the RBAC objects of the manifests, and the binding that allows it.

    Raises:
        InputError: nobody is named, or a file cannot be read.
    """
    from tenancykit import auditing

    return auditing.can_i(
        _objects(paths), verb, resource, name, namespace=namespace, user=user, groups=groups, subresource=subresource
    )


def held_rules(
    *, paths: Iterable[PathLike], namespace: str = "", user: str = "", groups: Iterable[str] = ()
) -> tuple[Held, ...]:
    """Return every rule a user holds in a namespace (empty: cluster-wide only), each with the binding that gives it.

    Raises:
        InputError: nobody is named, or a file cannot be read.
    """
    from kubeanswers import questions

    return questions.held_rules(_objects(paths), namespace=namespace, user=user, groups=groups)


def reach(
    source: str, target: str, port: str = "", *, paths: Iterable[PathLike], pod_cidrs: Iterable[str] = ()
) -> ReachQuestion:
    """Return whether one pod can open a connection to another pod or address, and the policy that decides.

    Args:
        source: ``NAMESPACE/POD`` or an address range.
        target: ``NAMESPACE/POD`` or an address range.
        port: ``443/tcp``; any port when empty.
        paths: files, folders, Kustomize bases, exports, dumps, or ``-``.
        pod_cidrs: where pods live.

    Raises:
        InputError: an end is unknown, or a file cannot be read.
    """
    from tenancykit import auditing

    return auditing.reach(_objects(paths), source, target, port, pod_cidrs=pod_cidrs)


def _objects(paths: Iterable[PathLike]) -> ObjectSet:
    from tenancykit.auditing import read_objects

    reading = read_objects(list(paths), stdin=sys.stdin)
    if reading.faults:
        raise InputError(reading.faults)
    return reading.objects


def explore(
    scenario: Scenario,
    catalogue: Catalogue | None = None,
    *,
    allowed: Mapping[str, Sequence[str]] | None = None,
    limit: int = 20_000,
    per_class: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
    save: PathLike | None = None,
    resume: PathLike | None = None,
    stop: Event | None = None,
    prove: bool = False,
    bills: int = 5_000,
) -> Exploration:
    """Return the designs that none beats among all valid ones, and what is known of the rest.

    Args:
        scenario: what is asked.
        catalogue: what could be done; the package's own by default.
        allowed: option ids to keep, for dimensions that are narrowed; optional layers may still stay empty. A need
            asked by default that nothing is left to provide is not asked then.
        limit: most designs to measure.
        per_class: let each tenant class choose for itself (hybrids), shared components paid once.
        executor: any ``concurrent.futures`` executor; Dask's is ``Client.get_executor()``.
        progress: called with (done, total, text).
        save: file that keeps what was measured, after each lot.
        resume: file of an earlier sweep of the same scenario, catalogue and narrowing to go on from.
        stop: set it to stop; what is measured is kept. Control-C does the same.
        prove: search on by branch and bound until the front is that of the whole space; takes minutes. Not for hybrids.
        bills: most designs to price in full for the fronts, which takes longest; what may be on them beyond is counted.

    Raises:
        InputError: an unknown dimension or option, a limit or bills below one, a saved sweep of another question or
            version, or a criterion beside the four has a weight.
        UndecidedError: no design is valid; names what refuses most.
    """
    from tenancykit.study import exploration

    return exploration.explore(
        scenario,
        catalogue or load_catalogue(),
        allowed=allowed,
        limit=limit,
        per_class=per_class,
        executor=executor,
        progress=progress,
        save=Path(save) if save else None,
        resume=Path(resume) if resume else None,
        stop=stop,
        prove=prove,
        bills=bills,
    )


def replay(record_path: PathLike, catalogue: Catalogue | None = None, *, folder: PathLike | None = None) -> Replay:
    """Return a decision record worked out again from the inputs embedded in it, and what changed.

    Args:
        record_path: ``decision.html``, or the folder that holds it.
        catalogue: what it is worked out with; the package's own by default.
        folder: folder of the files the scenario names (default: the record's).

    Raises:
        InputError: the file holds no decision record, or a file it needs is missing.
    """
    from tenancykit.report import replaying

    return replaying.replay(Path(record_path), catalogue or load_catalogue(), folder=Path(folder) if folder else None)


def replay_evidence(path: PathLike, catalogue: Catalogue | None = None) -> list[dict[str, str]]:
    """Return what each design choice alone does to each published flaw of a file, derived from the attack graph.

    Args:
        path: a YAML file with ``entries`` (component, boundary, attacker position, preconditions, source) and the
            vocabulary of design choices in ``meta``.
        catalogue: whose crossings and barriers decide; the package's own by default.

    Returns:
        Rows of ``entry``, ``choice``, ``outcome`` (contained, crossed, undetermined, inexpressible), ``asset``,
        ``path`` and ``source``, in the order of the file.

    Raises:
        InputError: the file cannot be read, an entry has no source, or a boundary is unknown.
    """
    from tenancykit.criteria.isolation.records import replay_file

    return replay_file(path, catalogue or load_catalogue())


def admit(
    *paths: PathLike,
    against: Iterable[PathLike] = (),
    fair_sharing: bool | None = None,
    kueue: tuple[int, int] | None = None,
    exclude: Iterable[str] = (),
) -> AdmitAnswer:
    """Return what Kueue would do with the workloads of files: who is admitted, who waits and why, who has to leave.

    Hazards of the queues' design come with it, and where the pods of what is admitted go if there are nodes.

    Args:
        paths: dumps or manifests with ClusterQueue, LocalQueue, Cohort, ResourceFlavor, Topology, Workload or jobs
            that name a queue, and Node; ``-`` for standard input.
        against: files to decide on instead, for what would change.
        fair_sharing: whether shares decide; by default as a Kueue configuration among the files says.
        kueue: minor version whose rules apply; by default that of the manager's image among the files, else 0.19 for
            objects of the v1beta2 API and 0.13 (as recorded) for older ones.
        exclude: beginnings of the names of resources Kueue is told not to count; besides those of a Kueue
            configuration, or Helm values with one, among the files.

    Raises:
        InputError: every fault of the objects, by file, line and field.
    """
    from tenancykit.study import admitting

    return admitting.answer(
        paths, sys.stdin, against=against, fair_sharing=fair_sharing, version=kueue, exclude=exclude
    )


def place(*paths: PathLike, grow: bool = False, node_types: Iterable[PathLike] = ()) -> DumpPlacement:
    """Return where the pending pods of a cluster's dump would go, as kube-scheduler decides, or why they stay pending.

    Args:
        paths: dumps as ``kubectl get nodes,pods,... -o yaml`` prints them, or ``-`` for standard input.
        grow: asks which nodes an autoscaler would add for those that stay pending (``growth`` of the result).
        node_types: nodes that may be added beside those of the dump: node types of the price book, or YAML files with
            Node objects. Implies ``grow``.

    Raises:
        InputError: every fault of the objects; a node type is not known.
    """
    from tenancykit.study import placing

    return placing.place(paths, sys.stdin, grow=grow, node_types=node_types)
