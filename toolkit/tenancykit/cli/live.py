"""Commands that talk to clusters: apply, verify. Both read only, unless apply is told to write."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubeanswers.errors import Fault, InputError
from kubeanswers.writing import appending, make_parents, write_text
from tenancykit import api
from tenancykit.auditing import Reading
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import BAD_INPUT, FINDINGS, OK
from tenancykit.cli.arguments import LONGEST
from tenancykit.cli.designs import print_json, progress_line
from tenancykit.cli.proving import exported, exported_design
from tenancykit.live.applying import Application, Applied, Outcome
from tenancykit.live.client import KubeServer, UnreachableError
from tenancykit.live.contexts import chosen_contexts, clusters_of, read_cluster
from tenancykit.live.installers import installer_of
from tenancykit.live.verifying import Scope
from tenancykit.live.verifying import verify as verify_clusters
from tenancykit.report.live import (
    applied_data,
    applied_text,
    outcome_data,
    verification_data,
    verification_junit,
    verification_text,
)
from tenancykit.study.evaluation import evaluate
from tenancykit.study.proof import prove
from tenancykit.version import __version__


def apply(options: argparse.Namespace) -> int:
    """Try an export on API servers, or apply it; exit 1 when a server would not take it, 2 when it does not answer."""
    _check_numbers(options)
    if options.yes and options.dry_run:
        raise InputError(Fault("--dry-run", "and --yes exclude each other", cure="leave one out"))
    catalogue = load_catalogue(*options.catalogue)
    folder = Path(options.folder)
    clusters = clusters_of(folder)
    contexts = chosen_contexts(options.context, clusters)
    readings = {name: read_cluster(clusters[name]) for name in contexts}
    done: dict[str, tuple[str, Applied]] = {}

    def installer(group: str, cluster: str) -> str:
        return installer_of(group, folder, cluster, catalogue)

    broken: UnreachableError | None = None
    try:
        for name, server, one in _each(options, contexts, readings):
            done[name] = (server, one)
            if not options.json:
                print(applied_text(name, server, one, installer))
    except UnreachableError as error:
        broken = error
    if options.json:
        print_json(applied_data(str(folder), done, installer))
    else:
        _tell_end(options, done, sorted(clusters.keys() - done.keys()))
    if broken is not None:
        raise broken  # after telling what was done in the clusters before
    if any(outcome.result == "unknown" for _, one in done.values() for outcome in one.outcomes):
        return BAD_INPUT
    return FINDINGS if any(one.failures or one.stopped for _, one in done.values()) else OK


def _each(
    options: argparse.Namespace, contexts: dict[str, str], readings: dict[str, Reading]
) -> Iterator[tuple[str, str, Applied]]:
    """Yield cluster, server and what became of the objects, up to the first cluster that stops."""
    with ExitStack() as stack:
        log = stack.enter_context(_log(options)) if options.yes else None
        for name, context in contexts.items():

            def record(outcome: Outcome, cluster: str = name) -> None:
                if log is not None:
                    log(cluster, outcome)

            server = stack.enter_context(KubeServer(context, options.kubeconfig, timeout=options.timeout))
            objects, force = readings[name].objects, options.force_conflicts
            work = Application(server, objects, force, tell=progress_line(), record=record)
            done = work.apply() if options.yes else work.try_out()
            yield name, server.name, done
            if done.stopped:
                return


def _check_numbers(options: argparse.Namespace) -> None:
    if not 0 < options.timeout <= LONGEST:
        raise InputError(Fault("--timeout", f"{options.timeout:g} seconds", f"more than 0, at most {LONGEST:,}"))
    if getattr(options, "sample", 0) < 0:
        raise InputError(Fault("--sample", f"{options.sample} tenants per class", "0 (all) or more"))


def _tell_end(options: argparse.Namespace, done: dict[str, tuple[str, Applied]], rest: list[str]) -> None:
    if rest:
        more = f" and {len(rest) - 20} more" if len(rest) > 20 else ""
        print(f"clusters left alone: {', '.join(rest[:20])}{more}")
    if not options.yes:
        print("nothing was written; apply it with --yes (charts are installed by helm, as the export's README says)")
    elif any(one.written or one.failures for _, one in done.values()) and _log_file(options).exists():
        print(f"what was applied is listed in {_log_file(options)}")


def _log_file(options: argparse.Namespace) -> Path:
    folder = Path(options.folder)
    return Path(options.applied) if options.applied else folder.parent / f"{folder.name}-applied.jsonl"


@contextmanager
def _log(options: argparse.Namespace) -> Iterator[Callable[[str, Outcome], None]]:
    """Open the list of what was applied, beside the export: runs are added to it, none is ever taken out.

    That it can be written is known before anything is applied.
    """
    run = datetime.now(UTC).isoformat(timespec="seconds")
    with appending(_log_file(options), ours='{"run": "') as add:

        def record(cluster: str, outcome: Outcome) -> None:
            add(json.dumps({"run": run, **outcome_data(cluster, outcome)}, ensure_ascii=False))

        yield record


def verify(options: argparse.Namespace) -> int:
    """Hold an export's claims against the API servers' answers; exit 1 when they differ or one is missing."""
    _check_numbers(options)
    catalogue = load_catalogue(*options.catalogue)
    scenario = api.load_scenario(options.scenario, catalogue)
    folder = Path(options.folder)
    clusters = clusters_of(folder)
    contexts = chosen_contexts(options.context, clusters)
    readings = {name: read_cluster(clusters[name]) for name in contexts}
    design = api.variant(options.design, scenario, catalogue) if options.design else exported(folder, catalogue)
    design = design or api.variant(exported_design(folder), scenario, catalogue)
    proof = prove(evaluate(design, scenario, catalogue), scenario, catalogue, folder)
    scope = Scope(
        frozenset(options.tenant), options.sample, options.as_self, frozenset(options.platform), scenario.kubernetes
    )
    with ExitStack() as stack:
        asked = {
            name: (
                stack.enter_context(KubeServer(context, options.kubeconfig, timeout=options.timeout)),
                readings[name].objects,
            )
            for name, context in contexts.items()
        }
        found = verify_clusters(asked, scope, progress_line())
    if found.tenants == 0 and options.tenant:
        raise InputError(Fault("--tenant", f"names nobody of these clusters: {', '.join(options.tenant)}"))
    skipped = sorted(clusters.keys() - contexts.keys())
    data = verification_data(proof, found, skipped)
    if options.junit:
        write_text(Path(options.junit), verification_junit(found), ours="tenancykit verify", force=options.force)
    if options.store:
        print(f"stored: {_stored(Path(options.store), data)}", file=sys.stderr)
    if options.json:
        print_json(data)
    else:
        print(verification_text(proof, found, skipped))
    return OK if found.verdict == "verified" and proof.verdict == "proven" else FINDINGS


def _stored(folder: Path, data: dict[str, Any]) -> Path:
    """Write a dated result into a folder of results, as evidence that the control was operated; return its file.

    Results are added, never replaced: two runs of one second lie beside each other.
    """
    made = datetime.now(UTC)
    make_parents(folder)
    stem, number = f"verification-{made:%Y%m%dT%H%M%SZ}", 1
    while (file := folder / f"{stem}{f'-{number}' if number > 1 else ''}.json").exists():
        number += 1
    told = {**data, "date": made.isoformat(timespec="seconds"), "version": __version__}
    write_text(file, json.dumps(told, indent=1, ensure_ascii=False) + "\n", ours="tenancykit/verification")
    return file
