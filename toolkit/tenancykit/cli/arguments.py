"""The commands, and the arguments of each."""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kubeanswers.inputs import PATIENCE
from kubeanswers.scalars import decimal_number, whole_number

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


LONGEST: Final = 31_536_000
"""Seconds an option may ask to wait: a year (assumption: nobody means longer)."""


def common_arguments(parser: ArgumentParser) -> None:
    """Add what every command takes."""
    parser.add_argument("--json", action="store_true", help="print JSON of a versioned format")
    _repeatable(parser, "--catalogue", "FOLDER", "own catalogue folder laid over ours")
    parser.add_argument("--debug", action="store_true", help="show the trace of a fault of our own")
    text = f"longest a pipe or standard input may say nothing (default {PATIENCE:g})"
    parser.add_argument("--patience", type=_seconds, default=PATIENCE, metavar="SECONDS", help=text)


def _whole(text: str) -> int:
    size = whole_number(text.removeprefix("-"))
    if size is None:
        raise ArgumentTypeError(f"{text!r} is not a whole number; allowed: digits")
    return -size if text.startswith("-") else size


def _decimal(text: str) -> float:
    value = decimal_number(text)
    if value is None or math.isinf(value):
        raise ArgumentTypeError(f"{text!r} is not a number; allowed: digits, with a decimal point where one is needed")
    return value


def _seconds(text: str) -> float:
    value = _decimal(text)
    if not 0 < value <= LONGEST:
        raise ArgumentTypeError(f"is {text}; allowed: above 0, up to {LONGEST:,} seconds")
    return value


def _init(parser: ArgumentParser) -> None:
    parser.add_argument("--to", default="scenario.yaml", metavar="FILE", help="file to write (default scenario.yaml)")
    parser.add_argument("--questions", action="store_true", help="print the questions and stop")
    _force_argument(parser)
    answers = parser.add_argument_group("answers", "with any of these nobody is asked; the others take their defaults")
    for name in ANSWERS:
        answers.add_argument(f"--{name}", dest=f"answer_{name.replace('-', '_')}", metavar="ANSWER")


def _check(parser: ArgumentParser) -> None:
    _scenario_argument(parser)


def _migrate_scenario(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    parser.add_argument("--to", metavar="FILE", help="file to write (default: the scenario's own)")


def _compare(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    _variant_argument(parser)


def _explain(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    parser.add_argument("design", nargs="?", help="design id (default: the one in first place)")
    parser.add_argument("other", nargs="?", help="second design id: why the first stands before or behind it")
    parser.add_argument("--criterion", help="isolation, effort, operations or cost (default: all four, in short)")
    parser.add_argument("--depth", type=_whole, help="levels of evidence to show (default: all; isolation: a page)")
    parser.add_argument("--attacker", default="", metavar="CLASS", help="isolation between two classes, path by path")
    parser.add_argument("--victim", default="", metavar="CLASS", help="whose assets (default: who is open most)")
    parser.add_argument("--picture", metavar="FILE", help="write the pair's attack graph as SVG (default: worst pair)")
    _force_argument(parser)
    _variant_argument(parser)


def _export(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    parser.add_argument("--design", help="design id (default: the one in first place)")
    parser.add_argument("--to", required=True, metavar="FOLDER", help="folder to write")
    _variant_argument(parser)
    _paper_arguments(parser)


def _prove(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    parser.add_argument("folder", help="folder of the export")
    parser.add_argument("--design", help="design id or variant (default: the one the export names)")


def _catalogue(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=(*LISTINGS, "assumptions", "freshness", "tried"), help="what to list")
    text = "scenario whose ranking orders the assumptions, or on which expectations are tried (default: ml-platform)"
    parser.add_argument("scenario", nargs="?", default="ml-platform", help=text)
    parser.add_argument(
        "--stale",
        type=_whole,
        metavar="DAYS",
        help="only prices older than so many days; how long prices stay good (exit 1)",
    )


def _lab(parser: ArgumentParser) -> None:
    parser.add_argument("--app", action="store_true", help="serve the studio alone, without notebooks")
    parser.add_argument("--scenario", default="ml-platform", help="what the studio opens with (default: ml-platform)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    text = "pages of the studio open at once (default: 4 per core, at most 20)"
    parser.add_argument("--sessions", type=_whole, default=0, metavar="NUMBER", help=text)
    parser.add_argument("--port", type=_whole, default=8888, help="port on loopback (default 8888)")
    text = "serve JupyterHub for so many participants, each with an account and a copy of the notebooks"
    parser.add_argument("--class", dest="seats", type=_whole, metavar="N", help=text)
    parser.add_argument("--roster", metavar="FILE", help="with --class: a name a line (default: participant-01, ...)")
    parser.add_argument("--folder", default="class", help="with --class: where copies and results go (default: class)")
    text = "with --class: address to serve, other than loopback only with TLS (default: 127.0.0.1)"
    parser.add_argument("--address", default="127.0.0.1", metavar="IP", help=text)
    parser.add_argument("--certificate", metavar="FILE", help="with --class: TLS certificate (PEM)")
    parser.add_argument("--key", metavar="FILE", help="with --class: its key (PEM)")


def _bill(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    parser.add_argument("design", nargs="?", help="design id (default: the one in first place)")
    text = "idle capacity: distributed among the tenants of its machines, or shown apart (OpenCost leaves it open)"
    parser.add_argument("--idle", choices=("distributed", "apart"), default="distributed", help=text)
    text = "shared cost: in proportion to consumption, or uniform among tenants (OpenCost leaves it open)"
    parser.add_argument("--shared", choices=("proportional", "uniform"), default="proportional", help=text)
    _variant_argument(parser)


def _explore(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    _repeatable(parser, "--allow", "DIMENSION=OPTION,...", "keep only these options of a dimension")
    parser.add_argument("--limit", type=_whole, help="most designs to measure (default 20000; 8000 with --per-class)")
    text = "most designs to price in full for the front, which takes longest (default 5000); what is left out is said"
    parser.add_argument("--bills", type=_whole, default=5_000, metavar="N", help=text)
    parser.add_argument("--front", metavar="FILE", help="write the whole front and the handful as CSV")
    _force_argument(parser)
    parser.add_argument("--per-class", action="store_true", help="let each tenant class choose for itself (hybrids)")
    parser.add_argument("--prove", action="store_true", help="search on until the front is that of the whole space")
    parser.add_argument("--workers", type=_whole, default=1, help="processes to spread the work over (default 1)")
    parser.add_argument("--save", metavar="FILE", help="keep what was measured in a file, to go on later")
    parser.add_argument("--resume", metavar="FILE", help="go on from a file written by --save")


def _robust(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    _variant_argument(parser)


def _weigh(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    _repeatable(
        parser, "--trade", "'1 GOOD = N cost'", "a trade-off: goods are isolation:CLASS, person_day, hour, cost"
    )
    _repeatable(parser, "--swing", "CRITERION=POINTS", "swing points: 100 for the swing wanted most")
    parser.add_argument("--questions", action="store_true", help="print the questions and stop")


def _share(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    parser.add_argument("--to", required=True, metavar="FILE", help="the page, such as page.html")
    _variant_argument(parser)
    _force_argument(parser)


def _collect(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    parser.add_argument("files", nargs="+", metavar="FILE", help="files that a shared page made")
    text = "files the same people gave before they talked: says who moved and what it changed"
    parser.add_argument("--before", nargs="+", default=[], metavar="FILE", help=text)
    _variant_argument(parser)


def _replay(parser: ArgumentParser) -> None:
    parser.add_argument("record", nargs="?", help="decision.html, or the folder that holds it")
    parser.add_argument("--folder", help="folder of the files the scenario names (default: the record's)")
    parser.add_argument("--evidence", metavar="FILE", help="YAML file of published flaws to replay on the attack graph")


def _audit(parser: ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="files, folders, Kustomize bases, exports, dumps, or -"
    )
    parser.add_argument(
        "--tenant", action="append", default=[], metavar="NAMESPACE=TENANT", help="where labels do not say it"
    )
    _repeatable(parser, "--tenant-label", "KEY", "further label of namespaces whose value names the tenant")
    parser.add_argument("--tenants", metavar="FILE", help="file of NAMESPACE=TENANT lines, globs allowed")
    parser.add_argument(
        "--platform", action="append", default=[], metavar="WHO", help="user or group of the platform team"
    )
    parser.add_argument("--pod-cidr", action="append", default=[], metavar="CIDR", help="where pods live")
    parser.add_argument("--sarif", metavar="FILE", help="also write the findings as SARIF 2.1.0")
    parser.add_argument("--junit", metavar="FILE", help="also write the checks as JUnit XML")
    _force_argument(parser)


def _assess(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="dumps, repositories or exports, or -")
    parser.add_argument("--scenario", required=True, help="scenario file, its folder, or an example's name")
    parser.add_argument("--target", help="design or variant the gaps lead to (default: the best of the study)")
    parser.add_argument("--to", metavar="FOLDER", help="folder for the manifests that close the gap")
    _repeatable(parser, "--tenant", "NAMESPACE=TENANT", "where labels do not say it")


def _validate(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="manifests, folders, Kustomize bases, dumps, or -")
    text = "minor version to hold them against (default: what an export was written for, else the newest known)"
    parser.add_argument("--kubernetes", metavar="VERSION", help=text)
    _repeatable(parser, "--crds", "PATH", "CustomResourceDefinitions that custom objects are held against")


def _can_i(parser: ArgumentParser) -> None:
    parser.add_argument("verb", nargs="?", default="", help="API verb, such as get")
    text = "pods, deploy, pods/web, pods/exec, roles.rbac.authorization.k8s.io, or a URL such as /metrics"
    parser.add_argument("resource", nargs="?", default="", help=text)
    parser.add_argument("name", nargs="?", default="", help="object name")
    parser.add_argument("-n", "--namespace", default="", help="namespace; the whole cluster when absent")
    parser.add_argument("-A", "--all-namespaces", dest="everywhere", action="store_true", help="in every namespace")
    parser.add_argument("--subresource", default="", help="such as exec; TYPE/NAME is then a name")
    parser.add_argument("--list", action="store_true", help="list every rule the user holds there")
    parser.add_argument("--as", dest="user", default="", metavar="USER", help="user name")
    parser.add_argument(
        "--as-group", dest="groups", action="append", default=[], metavar="GROUP", help="group; repeatable"
    )
    _files_argument(parser)


def _reach(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--from", dest="source", required=True, metavar="NS/POD|CIDR", help="where the connection starts"
    )
    parser.add_argument("--to", dest="target", required=True, metavar="NS/POD|CIDR", help="where it goes")
    parser.add_argument("--port", default="", help="443/tcp; any port when absent")
    _repeatable(parser, "--pod-cidr", "CIDR", "where pods live")
    _files_argument(parser)


def _place(parser: ArgumentParser) -> None:
    _files_argument(parser)
    text = "say which nodes an autoscaler would add for those that stay pending, of the kinds the dump holds"
    parser.add_argument("--grow", action="store_true", help=text)
    text = "nodes that may be added too: a node type of the price book, or a YAML file of Nodes; implies --grow"
    _repeatable(parser, "--node-type", "TYPE|FILE", text)


def _admit(parser: ArgumentParser) -> None:
    _files_argument(parser)
    _repeatable(parser, "--against", "PATH", "the same with these files instead, and what changes")
    text = "decide by fair sharing (default: as a Kueue configuration among the files says)"
    parser.add_argument("--fair-sharing", action="store_true", help=text)
    text = "version whose rules apply (default: of the manager's image, else 0.19 for v1beta2 objects, else 0.13)"
    parser.add_argument("--kueue", default="", metavar="VERSION", help=text)
    text = "resources Kueue is told not to count (default: as a Kueue configuration or Helm values among the files say)"
    _repeatable(parser, "--exclude", "PREFIX", text)


def _queue(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="FILE", help="traces of jobs, put together; gzip will do")
    parser.add_argument(
        "--quotas", required=True, metavar="FILE", help="CSV of tenant and gpus; their sum is the fleet"
    )
    parser.add_argument("--form", default="", help="format of the traces (default: the one whose columns they have)")
    _repeatable(parser, "--design", "NAME", "static, borrowing, fair or clusters (default: all)")
    parser.add_argument(
        "--target", type=_decimal, default=3600.0, metavar="SECONDS", help="longest wait that is on time"
    )
    parser.add_argument(
        "--machine", type=_whole, default=8, metavar="GPUS", help="GPUs of a machine, for one cluster each"
    )
    text = "interruptions of a machine a month, by reclaimed spot capacity or faults (default 0)"
    parser.add_argument("--interruptions", type=_decimal, default=0.0, metavar="NUMBER", help=text)
    text = "seconds of work after which a job saves it (default: never, it starts again from nothing)"
    parser.add_argument("--checkpoint", type=_decimal, metavar="SECONDS", help=text)
    parser.add_argument("--no-fleet", action="store_true", help="do not search for the smallest fleet")
    parser.add_argument("--picture", metavar="FILE", help="write waiting time by tenant as SVG")
    _force_argument(parser)
    parser.add_argument(
        "--skip-bad-rows", action="store_true", help="leave bad rows and jobs out; say how many and why"
    )


def _demand(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="FILE", help="traces of one format, added up; gzip will do")
    parser.add_argument("--form", default="", help="format of the traces (default: the one whose columns they have)")
    parser.add_argument("--resource", choices=("gpu", "cpu"), default="gpu", help="what jobs are counted in")
    parser.add_argument(
        "--percentile", type=_decimal, default=100.0, help="percent of the time to suffice (default 100)"
    )
    parser.add_argument("--cap", type=_decimal, help="capacity under which to queue")
    parser.add_argument("--backfill", action="store_true", help="let jobs that fit start before those that wait")
    _repeatable(parser, "--pool", "NAME=TENANT,...", "tenants who share a pool")
    text = "write each tenant's hours as the CSV that a scenario's demand of profile trace reads"
    parser.add_argument("--to", metavar="FILE", help=text)
    _force_argument(parser)
    parser.add_argument("--skip-bad-rows", action="store_true", help="leave bad rows out; say how many and why")


def _apply(parser: ArgumentParser) -> None:
    parser.add_argument("folder", help="folder of the export")
    _live_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="write nothing (the default, said aloud)")
    parser.add_argument("--yes", action="store_true", help="apply it, if the server would take all of it")
    text = "take over fields that other managers own"
    parser.add_argument("--force-conflicts", action="store_true", help=text)
    text = "list of what was applied (default: FOLDER-applied.jsonl)"
    parser.add_argument("--applied", metavar="FILE", help=text)


def _verify(parser: ArgumentParser) -> None:
    _scenario_argument(parser)
    parser.add_argument("folder", help="folder of the export")
    _live_arguments(parser)
    parser.add_argument("--design", help="design id or variant (default: the one the export names)")
    _repeatable(parser, "--tenant", "NAME", "ask about this tenant only (its Kubernetes name)")
    parser.add_argument(
        "--sample", type=_whole, default=0, metavar="N", help="tenants per class to ask about (default all)"
    )
    parser.add_argument("--as-self", action="store_true", help="create as yourself, not in the tenants' names")
    _repeatable(parser, "--platform", "WHO", "user or group of the platform team, bound beside the export")
    parser.add_argument("--junit", metavar="FILE", help="also write the answers as JUnit XML")
    _force_argument(parser)
    parser.add_argument("--store", metavar="DIR", help="also add the dated result to a folder of results")


def _probe(parser: ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", default="", help="folder of the export")
    parser.add_argument("--to", metavar="FOLDER", help="folder of the pack")
    parser.add_argument("--image", default="", help="image with sh, nc, nslookup and wget, pinned by digest")
    parser.add_argument("--sample", type=_whole, default=1, metavar="N", help="tenants per class (default 1)")
    parser.add_argument("--junit", metavar="FILE", help="also write claimed against observed as JUnit XML")
    _repeatable(parser, "--read", "LOG", "logs of the Jobs; - reads standard input")
    _force_argument(parser)


def _paper_arguments(parser: ArgumentParser) -> None:
    """Add what people put on a decision record beside what is worked out."""
    parser.add_argument("--author", default="", help="who wrote the record (default: a blank to fill in)")
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help="day it was written (default: a blank)")
    text = "draft, proposed, accepted, rejected or superseded (default: proposed)"
    parser.add_argument("--status", default="proposed", help=text)
    text = "what stands today: a dump or repository, which is assessed, or a design id or variant"
    parser.add_argument("--before", default="", metavar="PATH|DESIGN", help=text)
    _repeatable(parser, "--sign-off", "NAME", "who signs (default: the scenario's stakeholders)")
    _repeatable(parser, "--owner", "KIND=NAME", "owner of risks about security, schedule, budget, operations, decision")


def _live_arguments(parser: ArgumentParser) -> None:
    text = "kube context of a cluster; CONTEXT alone where the export has one cluster"
    _repeatable(parser, "--context", "CLUSTER=CONTEXT", text)
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: $KUBECONFIG or ~/.kube/config")
    parser.add_argument("--timeout", type=_decimal, default=30.0, metavar="SECONDS", help="per request (default 30)")


def _repeatable(parser: ArgumentParser, flag: str, metavar: str, text: str, **more: Any) -> None:
    parser.add_argument(flag, action="append", default=[], metavar=metavar, help=f"{text}; repeatable", **more)


def _files_argument(parser: ArgumentParser) -> None:
    text = "manifests or a dump; repeatable; - reads standard input"
    parser.add_argument("-f", "--file", dest="files", action="append", required=True, metavar="PATH", help=text)


def _force_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace files that were not written by this command")


def _scenario_argument(parser: ArgumentParser) -> None:
    parser.add_argument("scenario", help="scenario file, its folder, or an example's name such as ml-platform")


def _variant_argument(parser: ArgumentParser) -> None:
    text = "compare designs bare, not completed with what the scenario needs"
    parser.add_argument("--as-published", action="store_true", help=text)
    text = "CSV of measured tasks (task,days) that shifts the effort estimates"
    parser.add_argument("--calibration", metavar="FILE", help=text)
    _repeatable(
        parser, "--variant", "TEXT", "also evaluate a variation, such as 'RA01 +node_dedicated_tenant -pol_vap'"
    )
    text = "file that explore --front wrote: its designs may be named by their ids, here and as variants"
    parser.add_argument("--front", metavar="FILE", help=text)


class Command(NamedTuple):
    """A command: what it is called, what it does, where it runs, and how its arguments are added to its parser."""

    name: str
    text: str
    run: str
    arguments: Callable[[ArgumentParser], None]


COMMANDS: Final = (
    Command(
        "init", "ask what a scenario needs to say, with why, and write it as a commented file", "beginning:init", _init
    ),
    Command("check", "read a scenario and report every fault in it", "checking:check", _check),
    Command(
        "migrate-scenario",
        "write down what a scenario file of an earlier release left unsaid, comments kept",
        "checking:migrate",
        _migrate_scenario,
    ),
    Command("compare", "rank the reference architectures for a scenario", "designs:compare", _compare),
    Command("explain", "open a design's figures down to their sources", "designs:explain", _explain),
    Command("export", "write a design's manifests and decision record", "designs:export", _export),
    Command("prove", "prove an export against its design's claim", "proving:prove", _prove),
    Command("catalogue", "list what the catalogue holds, with sources", "listing:catalogue", _catalogue),
    Command("lab", "open the notebooks in JupyterLab, or the studio as a page", "serving:lab", _lab),
    Command("bill", "show every tenant's bill under a design, and what stands idle", "designs:bill", _bill),
    Command("explore", "look for designs that none beats among all valid ones", "exploring:explore", _explore),
    Command("robust", "say what would overturn the first place", "exploring:robust", _robust),
    Command("weigh", "ask for weights by trade-offs or swings, and say what they mean", "weighing:weigh", _weigh),
    Command(
        "share", "write one page in which people move weights, to send to those who decide", "sharing:share", _share
    ),
    Command(
        "collect",
        "say what the weights that came back mean together: agreement, conflict, a joint decision",
        "sharing:collect",
        _collect,
    ),
    Command("replay", "work a decision record, or published flaws, out again", "exploring:replay", _replay),
    Command("audit", "compute what manifests mean: who reaches whom, and why", "objects:audit", _audit),
    Command(
        "assess", "read an existing cluster back as a design, with its gaps to a target", "proving:assess", _assess
    ),
    Command("validate", "say what an API server would refuse, by line", "validating:validate", _validate),
    Command("can-i", "answer whether a user may do something by the RBAC objects of files", "objects:can_i", _can_i),
    Command("reach", "answer whether a pod can open a connection by the policies of files", "objects:reach", _reach),
    Command("place", "place a dump's pending pods as kube-scheduler would", "objects:place", _place),
    Command(
        "admit",
        "say which workloads Kueue would admit, which wait and why, and which have to leave",
        "queues:admit",
        _admit,
    ),
    Command(
        "queue",
        "simulate how long a job trace's tenants wait under each quota design, and the fleet each design needs",
        "queues:queue",
        _queue,
    ),
    Command("demand", "say what a trace's tenants need apart and together", "traces:demand", _demand),
    Command("apply", "try an export on API servers, or apply it", "live:apply", _apply),
    Command(
        "verify", "ask API servers whether they enforce what an export claims; writes nothing", "live:verify", _verify
    ),
    Command("probe", "write Jobs that try the data plane, or read what came back", "probing:probe", _probe),
)
