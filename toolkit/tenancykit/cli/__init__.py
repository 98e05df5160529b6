"""The command line.

Exit codes, the same for every command: 0 fine; 1 findings, or a question its input does not decide; 2 bad input, or no
answer from a server; 3 our own fault (please report it). 130 and 143 say that somebody stopped it.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import math
import os
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO, cast

from kubeanswers.errors import InputError, TenancyKitError, UndecidedError
from kubeanswers.inputs import PATIENCE, set_patience
from kubeanswers.terminal import Escaping, one_line
from kubeanswers.writing import refuse_same
from tenancykit.version import __version__

OK, FINDINGS, BAD_INPUT, OWN_FAULT, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143

_ALLOCATED: Final = 300_000
"""Objects made between two looks for circles of references: a command makes many that live until it ends, and looking
every 700, as Python does by itself, took a tenth of a comparison's time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    gc.set_threshold(_ALLOCATED)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them reads every installed package
    _prepare_streams()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)
    out, err = (cast("TextIO", Escaping(stream)) for stream in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        options = command_line().parse_args(arguments)
        try:
            return _run(options)
        except BrokenPipeError:
            _drop_output()
            return OK
        except (TenancyKitError, OSError) as error:
            return _failed(error)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line and by its own exit code
            return _own_fault(error, trace=options.debug)


def _run(options: argparse.Namespace) -> int:
    set_patience(options.patience)
    refuse_same(_named(options, _WRITTEN), () if _continues(options) else _named(options, _READ))
    module, function = options.run.split(":")
    code = int(getattr(importlib.import_module(f"tenancykit.cli.{module}"), function)(options))
    sys.stdout.flush()
    return code


_READ: Final = (
    *(
        "paths",
        "files",
        "scenario",
        "folder",
        "calibration",
        "catalogue",
        "record",
        "evidence",
        "resume",
        "kubeconfig",
        "before",
    ),
)
_WRITTEN: Final = ("to", "sarif", "junit", "save", "applied")
"""Options that name what a command reads and what it writes, in every command."""


def _named(options: argparse.Namespace, names: Sequence[str]) -> list[str]:
    found = [getattr(options, name, None) for name in names]
    return [text for one in found for text in (one if isinstance(one, list) else [one]) if text]


def _continues(options: argparse.Namespace) -> bool:
    """Return whether a command goes on with the file it writes: a sweep that is resumed and saved."""
    save, resume = getattr(options, "save", None), getattr(options, "resume", None)
    return bool(save and resume and Path(save).absolute() == Path(resume).absolute())


def _own_fault(error: Exception, *, trace: bool) -> int:
    """Say where the toolkit itself went wrong, without the values it was working on, which may be secret."""
    import traceback  # noqa: PLC0415 - not before something went wrong

    frames = [(Path(frame.filename).parts, frame) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(parts, frame) for parts, frame in frames if _PACKAGES.intersection(parts)]
    parts, place = (ours or frames)[-1]
    file = "/".join(parts[max(parts.index(name) for name in _PACKAGES.intersection(parts)) :] if ours else parts[-1:])
    print(
        f"error: our own fault: {type(error).__name__} at {file}:{place.lineno} in {place.name} "
        f"(tenancykit {__version__}); please report this line and the command, as "
        "SECURITY.md says; --debug shows the trace, which may quote what you gave it",
        file=sys.stderr,
    )
    if trace:
        traceback.print_exception(error)
    return OWN_FAULT


_PACKAGES: Final = frozenset({"tenancykit", "kubeanswers"})


def _terminated(_number: int, _frame: object) -> NoReturn:
    """Leave through every clean-up, so that nothing half-written stays behind."""
    raise SystemExit(TERMINATED)


def _prepare_streams() -> None:
    """Let a closed output swallow what is printed, and a terminal that lacks a character show its number."""
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _failed(error: TenancyKitError | OSError) -> int:
    """Say what went wrong, a line per fault, and return the exit code."""
    if isinstance(error, InputError):
        told = [str(fault) for fault in error.faults]
    elif isinstance(error, OSError):
        _drop_output()
        told = [f"{error.filename or 'output'}: {error.strerror or error}"]
    else:
        told = [str(error)]
    undecided = isinstance(error, UndecidedError)
    for line in told:
        print(f"{'undecided' if undecided else 'error'}: {one_line(line)}", file=sys.stderr)
    return FINDINGS if undecided else BAD_INPUT


def _drop_output() -> None:
    """Let what is still buffered go nowhere, so that leaving does not fail a second time."""
    with contextlib.suppress(io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Help(argparse.HelpFormatter):
    """Asks for the terminal's width once, not for every argument it is told of."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns(os.environ.get("COLUMNS")))


@cache
def _columns(_stated: str | None) -> int:
    return shutil.get_terminal_size().columns - 2


@cache
def command_line() -> argparse.ArgumentParser:
    """Return the parser of every command, made once a process; the docs print it."""
    parser = argparse.ArgumentParser(
        prog="tenancykit",
        formatter_class=_Help,
        description="Compare, explain and export Kubernetes tenancy designs for AI platforms.",
        epilog="Exit codes: 0 fine, 1 findings (nobody admitted, a check failed, not decided), "
        "2 bad input or no answer from a server, 3 our own fault.",
    )
    parser.add_argument("--version", action="version", version=f"tenancykit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _scenario_commands(commands)
    _design_commands(commands)
    _bill_command(commands)
    _space_commands(commands)
    _object_commands(commands)
    _queue_commands(commands)
    _trace_commands(commands)
    _live_commands(commands)
    return parser


def _scenario_commands(commands: Any) -> None:
    text = "ask what a scenario needs to say, with why, and write it as a commented file"
    init = _command(commands, "init", text, "beginning:init")
    init.add_argument("--to", default="scenario.yaml", metavar="FILE", help="file to write (default scenario.yaml)")
    init.add_argument("--questions", action="store_true", help="print the questions and stop")
    _force_argument(init)
    answers = init.add_argument_group("answers", "with any of these nobody is asked; the others take their defaults")
    for name in ANSWERS:
        answers.add_argument(f"--{name}", dest=f"answer_{name.replace('-', '_')}", metavar="ANSWER")

    check = _command(commands, "check", "read a scenario and report every fault in it", "checking:check")
    _scenario_argument(check)

    text = "write down what a scenario file of an earlier release left unsaid, comments kept"
    migrate = _command(commands, "migrate-scenario", text, "checking:migrate")
    _scenario_argument(migrate)
    migrate.add_argument("--to", metavar="FILE", help="file to write (default: the scenario's own)")


def _design_commands(commands: Any) -> None:
    compare = _command(commands, "compare", "rank the reference architectures for a scenario", "designs:compare")
    _scenario_argument(compare)
    _variant_argument(compare)

    explain = _command(commands, "explain", "open a design's figures down to their sources", "designs:explain")
    _scenario_argument(explain)
    explain.add_argument("design", nargs="?", help="design id (default: the one in first place)")
    explain.add_argument("other", nargs="?", help="second design id: why the first stands before or behind it")
    explain.add_argument("--criterion", help="isolation, effort, operations or cost (default: all four, in short)")
    explain.add_argument("--depth", type=int, help="levels of evidence to show (default: all; isolation: a page)")
    _variant_argument(explain)

    export = _command(commands, "export", "write a design's manifests and decision record", "designs:export")
    _scenario_argument(export)
    export.add_argument("--design", help="design id (default: the one in first place)")
    export.add_argument("--to", required=True, metavar="FOLDER", help="folder to write")
    _variant_argument(export)
    _paper_arguments(export)

    prove = _command(commands, "prove", "prove an export against its design's claim", "proving:prove")
    _scenario_argument(prove)
    prove.add_argument("folder", help="folder of the export")
    prove.add_argument("--design", help="design id or variant (default: the one the export names)")

    catalogue = _command(commands, "catalogue", "list what the catalogue holds, with sources", "listing:catalogue")
    catalogue.add_argument("what", choices=(*LISTINGS, "assumptions", "freshness", "tried"), help="what to list")
    text = "scenario whose ranking orders the assumptions, or on which expectations are tried (default: ml-platform)"
    catalogue.add_argument("scenario", nargs="?", default="ml-platform", help=text)
    catalogue.add_argument(
        "--stale",
        type=int,
        metavar="DAYS",
        help="only prices older than so many days; how long prices stay good (exit 1)",
    )

    lab = _command(commands, "lab", "open the notebooks in JupyterLab, or the studio as a page", "serving:lab")
    lab.add_argument("--app", action="store_true", help="serve the studio alone, without notebooks")
    lab.add_argument("--scenario", default="ml-platform", help="what the studio opens with (default: ml-platform)")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    text = "pages of the studio open at once (default: 4 per core, at most 20)"
    lab.add_argument("--sessions", type=int, default=0, metavar="NUMBER", help=text)
    lab.add_argument("--port", type=int, default=8888, help="port on loopback (default 8888)")
    text = "serve JupyterHub for so many participants, each with an account and a copy of the notebooks"
    lab.add_argument("--class", dest="seats", type=int, metavar="N", help=text)
    lab.add_argument("--roster", metavar="FILE", help="with --class: a name a line (default: participant-01, ...)")
    lab.add_argument("--folder", default="class", help="with --class: where copies and results go (default: class)")
    text = "with --class: address to serve, other than loopback only with TLS (default: 127.0.0.1)"
    lab.add_argument("--address", default="127.0.0.1", metavar="IP", help=text)
    lab.add_argument("--certificate", metavar="FILE", help="with --class: TLS certificate (PEM)")
    lab.add_argument("--key", metavar="FILE", help="with --class: its key (PEM)")


def _paper_arguments(export: argparse.ArgumentParser) -> None:
    """Add what people put on a decision record beside what is worked out."""
    export.add_argument("--author", default="", help="who wrote the record (default: a blank to fill in)")
    export.add_argument("--date", default="", metavar="YYYY-MM-DD", help="day it was written (default: a blank)")
    text = "draft, proposed, accepted, rejected or superseded (default: proposed)"
    export.add_argument("--status", default="proposed", help=text)
    text = "what stands today: a dump or repository, which is assessed, or a design id or variant"
    export.add_argument("--before", default="", metavar="PATH|DESIGN", help=text)
    _repeatable(export, "--sign-off", "NAME", "who signs (default: the scenario's stakeholders)")
    _repeatable(export, "--owner", "KIND=NAME", "owner of risks about security, schedule, budget, operations, decision")


def _space_commands(commands: Any) -> None:
    explore = _command(
        commands, "explore", "look for designs that none beats among all valid ones", "exploring:explore"
    )
    _scenario_argument(explore)
    _repeatable(explore, "--allow", "DIMENSION=OPTION,...", "keep only these options of a dimension")
    explore.add_argument("--limit", type=int, help="most designs to measure (default 100000; 5000 with --per-class)")
    explore.add_argument("--front", metavar="FILE", help="write the whole front as CSV")
    _force_argument(explore)
    explore.add_argument("--per-class", action="store_true", help="let each tenant class choose for itself (hybrids)")
    explore.add_argument("--prove", action="store_true", help="search on until the front is that of the whole space")
    explore.add_argument("--workers", type=int, default=1, help="processes to spread the work over (default 1)")
    explore.add_argument("--save", metavar="FILE", help="keep what was measured in a file, to go on later")
    explore.add_argument("--resume", metavar="FILE", help="go on from a file written by --save")

    robust = _command(commands, "robust", "say what would overturn the first place", "exploring:robust")
    _scenario_argument(robust)
    _variant_argument(robust)

    weigh = _command(
        commands, "weigh", "ask for weights by trade-offs or swings, and say what they mean", "weighing:weigh"
    )
    _scenario_argument(weigh)
    _repeatable(weigh, "--trade", "'1 GOOD = N cost'", "a trade-off: goods are isolation:CLASS, person_day, hour, cost")
    _repeatable(weigh, "--swing", "CRITERION=POINTS", "swing points: 100 for the swing wanted most")
    weigh.add_argument("--questions", action="store_true", help="print the questions and stop")

    text = "write one page in which people move weights, to send to those who decide"
    share = _command(commands, "share", text, "sharing:share")
    _scenario_argument(share)
    share.add_argument("--to", required=True, metavar="FILE", help="the page, such as page.html")
    _variant_argument(share)
    _force_argument(share)

    text = "say what the weights that came back mean together: agreement, conflict, a joint decision"
    collect = _command(commands, "collect", text, "sharing:collect")
    _scenario_argument(collect)
    collect.add_argument("files", nargs="+", metavar="FILE", help="files that a shared page made")
    text = "files the same people gave before they talked: says who moved and what it changed"
    collect.add_argument("--before", nargs="+", default=[], metavar="FILE", help=text)
    _variant_argument(collect)

    replay = _command(commands, "replay", "work a decision record, or published flaws, out again", "exploring:replay")
    replay.add_argument("record", nargs="?", help="decision.html, or the folder that holds it")
    replay.add_argument("--folder", help="folder of the files the scenario names (default: the record's)")
    replay.add_argument("--evidence", metavar="FILE", help="YAML file of published flaws to replay on the attack graph")


def _object_commands(commands: Any) -> None:
    audit = _command(commands, "audit", "compute what manifests mean: who reaches whom, and why", "objects:audit")
    audit.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, Kustomize bases, exports, dumps, or -")
    audit.add_argument(
        "--tenant", action="append", default=[], metavar="NAMESPACE=TENANT", help="where labels do not say it"
    )
    _repeatable(audit, "--tenant-label", "KEY", "further label of namespaces whose value names the tenant")
    audit.add_argument("--tenants", metavar="FILE", help="file of NAMESPACE=TENANT lines, globs allowed")
    audit.add_argument(
        "--platform", action="append", default=[], metavar="WHO", help="user or group of the platform team"
    )
    audit.add_argument("--pod-cidr", action="append", default=[], metavar="CIDR", help="where pods live")
    audit.add_argument("--sarif", metavar="FILE", help="also write the findings as SARIF 2.1.0")
    audit.add_argument("--junit", metavar="FILE", help="also write the checks as JUnit XML")
    _force_argument(audit)

    text = "read an existing cluster back as a design, with its gaps to a target"
    assess = _command(commands, "assess", text, "proving:assess")
    assess.add_argument("paths", nargs="+", metavar="PATH", help="dumps, repositories or exports, or -")
    assess.add_argument("--scenario", required=True, help="scenario file, its folder, or an example's name")
    assess.add_argument("--target", help="design or variant the gaps lead to (default: the best of the study)")
    assess.add_argument("--to", metavar="FOLDER", help="folder for the manifests that close the gap")
    _repeatable(assess, "--tenant", "NAMESPACE=TENANT", "where labels do not say it")

    validate = _command(commands, "validate", "say what an API server would refuse, by line", "validating:validate")
    validate.add_argument("paths", nargs="+", metavar="PATH", help="manifests, folders, Kustomize bases, dumps, or -")
    validate.add_argument(
        "--kubernetes", default="1.36", metavar="VERSION", help="minor version to hold them against (default 1.36)"
    )
    _repeatable(validate, "--crds", "PATH", "CustomResourceDefinitions that custom objects are held against")

    can_i = _command(
        commands, "can-i", "answer whether a user may do something by the RBAC objects of files", "objects:can_i"
    )
    can_i.add_argument("verb", nargs="?", default="", help="API verb, such as get")
    text = "pods, deploy, pods/web, pods/exec, roles.rbac.authorization.k8s.io, or a URL such as /metrics"
    can_i.add_argument("resource", nargs="?", default="", help=text)
    can_i.add_argument("name", nargs="?", default="", help="object name")
    can_i.add_argument("-n", "--namespace", default="", help="namespace; the whole cluster when absent")
    can_i.add_argument("-A", "--all-namespaces", dest="everywhere", action="store_true", help="in every namespace")
    can_i.add_argument("--subresource", default="", help="such as exec; TYPE/NAME is then a name")
    can_i.add_argument("--list", action="store_true", help="list every rule the user holds there")
    can_i.add_argument("--as", dest="user", default="", metavar="USER", help="user name")
    can_i.add_argument(
        "--as-group", dest="groups", action="append", default=[], metavar="GROUP", help="group; repeatable"
    )
    _files_argument(can_i)

    reach = _command(
        commands, "reach", "answer whether a pod can open a connection by the policies of files", "objects:reach"
    )
    reach.add_argument(
        "--from", dest="source", required=True, metavar="NS/POD|CIDR", help="where the connection starts"
    )
    reach.add_argument("--to", dest="target", required=True, metavar="NS/POD|CIDR", help="where it goes")
    reach.add_argument("--port", default="", help="443/tcp; any port when absent")
    _repeatable(reach, "--pod-cidr", "CIDR", "where pods live")
    _files_argument(reach)

    place = _command(commands, "place", "place a dump's pending pods as kube-scheduler would", "objects:place")
    _files_argument(place)
    text = "say which nodes an autoscaler would add for those that stay pending, of the kinds the dump holds"
    place.add_argument("--grow", action="store_true", help=text)
    text = "nodes that may be added too: a node type of the price book, or a YAML file of Nodes; implies --grow"
    _repeatable(place, "--node-type", "TYPE|FILE", text)


def _bill_command(commands: Any) -> None:
    bill = _command(commands, "bill", "show every tenant's bill under a design, and what stands idle", "designs:bill")
    _scenario_argument(bill)
    bill.add_argument("design", nargs="?", help="design id (default: the one in first place)")
    text = "idle capacity: distributed among the tenants of its machines, or shown apart (OpenCost leaves it open)"
    bill.add_argument("--idle", choices=("distributed", "apart"), default="distributed", help=text)
    text = "shared cost: in proportion to consumption, or uniform among tenants (OpenCost leaves it open)"
    bill.add_argument("--shared", choices=("proportional", "uniform"), default="proportional", help=text)
    _variant_argument(bill)


def _queue_commands(commands: Any) -> None:
    text = "say which workloads Kueue would admit, which wait and why, and which have to leave"
    admit = _command(commands, "admit", text, "queues:admit")
    _files_argument(admit)
    _repeatable(admit, "--against", "PATH", "the same with these files instead, and what changes")
    text = "decide by fair sharing (default: as a Kueue configuration among the files says)"
    admit.add_argument("--fair-sharing", action="store_true", help=text)
    text = "version whose rules apply (default: of the manager's image, else 0.19 for v1beta2 objects, else 0.13)"
    admit.add_argument("--kueue", default="", metavar="VERSION", help=text)
    text = "resources Kueue is told not to count (default: as a Kueue configuration or Helm values among the files say)"
    _repeatable(admit, "--exclude", "PREFIX", text)

    text = "simulate how long a job trace's tenants wait under each quota design, and the fleet each design needs"
    queue = _command(commands, "queue", text, "queues:queue")
    queue.add_argument("paths", nargs="+", metavar="FILE", help="traces of jobs, put together; gzip will do")
    queue.add_argument("--quotas", required=True, metavar="FILE", help="CSV of tenant and gpus; their sum is the fleet")
    queue.add_argument("--form", default="", help="format of the traces (default: the one whose columns they have)")
    _repeatable(queue, "--design", "NAME", "static, borrowing, fair or clusters (default: all)")
    queue.add_argument("--target", type=float, default=3600.0, metavar="SECONDS", help="longest wait that is on time")
    queue.add_argument("--machine", type=int, default=8, metavar="GPUS", help="GPUs of a machine, for one cluster each")
    queue.add_argument("--no-fleet", action="store_true", help="do not search for the smallest fleet")
    queue.add_argument("--picture", metavar="FILE", help="write waiting time by tenant as SVG")
    _force_argument(queue)
    queue.add_argument("--skip-bad-rows", action="store_true", help="leave bad rows and jobs out; say how many and why")


def _trace_commands(commands: Any) -> None:
    demand = _command(commands, "demand", "say what a trace's tenants need apart and together", "traces:demand")
    demand.add_argument("paths", nargs="+", metavar="FILE", help="traces of one format, added up; gzip will do")
    demand.add_argument("--form", default="", help="format of the traces (default: the one whose columns they have)")
    demand.add_argument("--resource", choices=("gpu", "cpu"), default="gpu", help="what jobs are counted in")
    demand.add_argument("--percentile", type=float, default=100.0, help="percent of the time to suffice (default 100)")
    demand.add_argument("--cap", type=float, help="capacity under which to queue")
    demand.add_argument("--backfill", action="store_true", help="let jobs that fit start before those that wait")
    _repeatable(demand, "--pool", "NAME=TENANT,...", "tenants who share a pool")
    text = "write each tenant's hours as the CSV that a scenario's demand of profile trace reads"
    demand.add_argument("--to", metavar="FILE", help=text)
    _force_argument(demand)
    demand.add_argument("--skip-bad-rows", action="store_true", help="leave bad rows out; say how many and why")


def _live_commands(commands: Any) -> None:
    apply = _command(commands, "apply", "try an export on API servers, or apply it", "live:apply")
    apply.add_argument("folder", help="folder of the export")
    _live_arguments(apply)
    apply.add_argument("--dry-run", action="store_true", help="write nothing (the default, said aloud)")
    apply.add_argument("--yes", action="store_true", help="apply it, if the server would take all of it")
    text = "take over fields that other managers own"
    apply.add_argument("--force-conflicts", action="store_true", help=text)
    text = "list of what was applied (default: FOLDER-applied.jsonl)"
    apply.add_argument("--applied", metavar="FILE", help=text)

    text = "ask API servers whether they enforce what an export claims; writes nothing"
    verify = _command(commands, "verify", text, "live:verify")
    _scenario_argument(verify)
    verify.add_argument("folder", help="folder of the export")
    _live_arguments(verify)
    verify.add_argument("--design", help="design id or variant (default: the one the export names)")
    _repeatable(verify, "--tenant", "NAME", "ask about this tenant only (its Kubernetes name)")
    verify.add_argument(
        "--sample", type=int, default=0, metavar="N", help="tenants per class to ask about (default all)"
    )
    verify.add_argument("--as-self", action="store_true", help="create as yourself, not in the tenants' names")
    _repeatable(verify, "--platform", "WHO", "user or group of the platform team, bound beside the export")
    verify.add_argument("--junit", metavar="FILE", help="also write the answers as JUnit XML")
    _force_argument(verify)
    verify.add_argument("--store", metavar="DIR", help="also add the dated result to a folder of results")

    probe = _command(commands, "probe", "write Jobs that try the data plane, or read what came back", "probing:probe")
    probe.add_argument("folder", nargs="?", default="", help="folder of the export")
    probe.add_argument("--to", metavar="FOLDER", help="folder of the pack")
    probe.add_argument("--image", default="", help="image with sh, nc, nslookup and wget, pinned by digest")
    probe.add_argument("--sample", type=int, default=1, metavar="N", help="tenants per class (default 1)")
    probe.add_argument("--junit", metavar="FILE", help="also write claimed against observed as JUnit XML")
    _repeatable(probe, "--read", "LOG", "logs of the Jobs; - reads standard input")
    _force_argument(probe)


def _live_arguments(parser: argparse.ArgumentParser) -> None:
    text = "kube context of a cluster; CONTEXT alone where the export has one cluster"
    _repeatable(parser, "--context", "CLUSTER=CONTEXT", text)
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: $KUBECONFIG or ~/.kube/config")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="per request (default 30)")


def _repeatable(parser: argparse.ArgumentParser, flag: str, metavar: str, text: str, **more: Any) -> None:
    parser.add_argument(flag, action="append", default=[], metavar=metavar, help=f"{text}; repeatable", **more)


def _files_argument(parser: argparse.ArgumentParser) -> None:
    text = "manifests or a dump; repeatable; - reads standard input"
    parser.add_argument("-f", "--file", dest="files", action="append", required=True, metavar="PATH", help=text)


ANSWERS: Final = (
    *("title", "teams", "teams-work", "teams-gpus", "teams-trust", "teams-isolation", "teams-crds"),
    *("customers", "customers-work", "customers-gpu", "customers-isolation", "compliance"),
    *("provider", "gpu-node", "gpu-nodes", "cpu-node", "cpu-nodes", "buying"),
    *("engineers", "automation", "weeks", "budget", "emphasis"),
)
"""Ids of the questions of init; listed here so that help need not load the catalogue (a test holds them equal)."""
LISTINGS = (
    *("options", "components", "references", "rules", "features", "accelerators", "sources", "prices", "facts"),
    *("tasks", "toil", "evidence"),
    *("levels", "beliefs", "expectations"),
)


def _command(commands: Any, name: str, text: str, run: str) -> argparse.ArgumentParser:
    told = f"{text[0].upper()}{text[1:]}."
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=told, formatter_class=_Help)
    parser.add_argument("--json", action="store_true", help="print JSON of a versioned format")
    _repeatable(parser, "--catalogue", "FOLDER", "own catalogue folder laid over ours")
    parser.add_argument("--debug", action="store_true", help="show the trace of a fault of our own")
    text = f"longest a pipe or standard input may say nothing (default {PATIENCE:g})"
    parser.add_argument("--patience", type=_seconds, default=PATIENCE, metavar="SECONDS", help=text)
    parser.set_defaults(run=run)
    return parser


def _force_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace files that were not written by this command")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError(text)
    return value


def _scenario_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help="scenario file, its folder, or an example's name such as ml-platform")


def _variant_argument(parser: argparse.ArgumentParser) -> None:
    text = "compare designs bare, not completed with what the scenario needs"
    parser.add_argument("--as-published", action="store_true", help=text)
    text = "CSV of measured tasks (task,days) that shifts the effort estimates"
    parser.add_argument("--calibration", metavar="FILE", help=text)
    _repeatable(
        parser, "--variant", "TEXT", "also evaluate a variation, such as 'RA01 +node_dedicated_tenant -pol_vap'"
    )
