"""The command line: check, compare, explain, export, catalogue, lab. Exit codes: 0 fine, 1 findings, 2 bad input."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tenancykit import __version__
from tenancykit.errors import InputError, TenancyKitError

if TYPE_CHECKING:
    from tenancykit.catalogue.reading import Catalogue
    from tenancykit.study.comparison import Progress, Study

OK, FINDINGS, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except InputError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return BAD_INPUT
    except TenancyKitError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tenancykit", description=__doc__.split(":", maxsplit=1)[0] if __doc__ else ""
    )
    parser.description = "Compare, explain and export Kubernetes tenancy designs for AI platforms."
    parser.epilog = "Exit codes: 0 fine, 1 findings (nobody admitted, differences), 2 bad input."
    parser.add_argument("--version", action="version", version=f"tenancykit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = _command(commands, "check", "read a scenario and report every fault in it", _check)
    _scenario_argument(check)

    compare = _command(commands, "compare", "rank the reference architectures for a scenario", _compare)
    _scenario_argument(compare)
    _variant_argument(compare)

    explain = _command(commands, "explain", "open a design's figures down to their sources", _explain)
    _scenario_argument(explain)
    explain.add_argument("design", nargs="?", help="design id (default: the one in first place)")
    explain.add_argument("--criterion", help="isolation, effort, operations or cost (default: all four, in short)")
    explain.add_argument("--depth", type=int, help="levels of evidence to show (default: all)")
    _variant_argument(explain)

    export = _command(commands, "export", "write a design's manifests and decision record", _export)
    _scenario_argument(export)
    export.add_argument("--design", help="design id (default: the one in first place)")
    export.add_argument("--to", required=True, metavar="FOLDER", help="folder to write")
    _variant_argument(export)

    catalogue = _command(commands, "catalogue", "list what the catalogue holds, with sources", _catalogue)
    catalogue.add_argument("what", choices=_LISTINGS, help="what to list")

    lab = _command(commands, "lab", "open the notebooks in JupyterLab", _lab)
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.add_argument("--port", type=int, default=8888, help="port on loopback (default 8888)")
    return parser


_LISTINGS = ("options", "components", "references", "rules", "sources", "prices", "facts")


def _command(commands: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--json", action="store_true", help="print JSON of a versioned format")
    parser.add_argument(
        "--catalogue",
        action="append",
        default=[],
        metavar="FOLDER",
        help="own catalogue folder laid over ours; repeatable",
    )
    parser.set_defaults(run=run)
    return parser


def _scenario_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help="scenario file, its folder, or an example's name such as ml-platform")


def _variant_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="TEXT",
        help="also evaluate a variation, such as 'RA01 +node_dedicated_tenant -pol_vap'; repeatable",
    )


def _loaded(options: argparse.Namespace) -> Catalogue:
    from tenancykit.catalogue.reading import load_catalogue

    return load_catalogue(*options.catalogue)


def _study(options: argparse.Namespace) -> Study:
    from tenancykit import face

    catalogue = _loaded(options)
    scenario = face.load_scenario(options.scenario, catalogue)
    return face.compare(scenario, catalogue, designs=options.variant, progress=_progress())


def _progress() -> Progress | None:
    """Return a one-line progress display where a person is watching, else nothing."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int, name: str) -> None:
        text = f"\r{done}/{total} {name}"[:100].ljust(100)
        print(text if done < total else "\r" + " " * 100 + "\r", end="", file=sys.stderr, flush=True)

    return show


def _print_json(data: Any) -> None:
    from tenancykit.report.payload import to_json

    print(to_json(data))


def _check(options: argparse.Namespace) -> int:
    from tenancykit import face
    from tenancykit.report.payload import fingerprint
    from tenancykit.scenario.naming import all_tenants, tenant_count

    scenario = face.load_scenario(options.scenario, _loaded(options))
    named = {
        tenant.name: tenant.kubernetes_name for tenant in all_tenants(scenario) if tenant.name != tenant.kubernetes_name
    }
    if options.json:
        _print_json(
            {
                "schema": "tenancykit/check/v1",
                "scenario": scenario.name,
                "fingerprint": fingerprint(scenario),
                "tenants": tenant_count(scenario),
                "kubernetes_names": named,
                "faults": [],
            }
        )
        return OK
    print(f"{scenario.name}: {tenant_count(scenario)} tenants, {len(scenario.workloads)} workload templates; no faults")
    for name, short in named.items():
        print(f"  {name}  ->  {short}")
    return OK


def _compare(options: argparse.Namespace) -> int:
    from tenancykit.report import payload, text

    study = _study(options)
    if options.json:
        _print_json(payload.comparison(study))
    else:
        print(text.study_text(study))
    return OK if study.ranking is not None else FINDINGS


def _explain(options: argparse.Namespace) -> int:
    from tenancykit.report import payload, text
    from tenancykit.study.evaluation import CRITERIA

    study = _study(options)
    chosen = study[options.design] if options.design else study.best
    criteria = [options.criterion] if options.criterion else list(CRITERIA)
    found = [chosen.explain(criterion) for criterion in criteria]
    if options.json:
        data = [payload.explanation(one) for one in found]
        _print_json(data[0] if options.criterion else {"schema": "tenancykit/explanations/v1", "explanations": data})
        return OK
    depth = options.depth if options.depth is not None or options.criterion else 1
    print("\n\n".join(text.explanation_text(one, depth) for one in found))
    return OK


def _export(options: argparse.Namespace) -> int:
    from tenancykit import face

    study = _study(options)
    chosen = study[options.design] if options.design else study.best
    handover = face.export(chosen, options.to, study=study)
    if options.json:
        _print_json(handover.data())
    else:
        print(handover.text())
    return OK


def _catalogue(options: argparse.Namespace) -> int:
    from tenancykit.report.listing import listing

    found = listing(options.what, _loaded(options))
    if options.json:
        _print_json(found.data())
    else:
        print(found.text())
    return OK


def _lab(options: argparse.Namespace) -> int:
    from tenancykit.report.lab import open_lab

    return open_lab(port=options.port, browser=not options.no_browser)


if __name__ == "__main__":
    sys.exit(main())
