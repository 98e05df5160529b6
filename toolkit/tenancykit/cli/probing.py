"""The command that tries the data plane: probe writes a pack of Jobs, and reads what came back."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from kubeanswers.errors import Fault, InputError
from kubeanswers.inputs import read_bytes, read_stdin
from kubeanswers.source import read_yaml
from kubeanswers.terminal import xml_text
from kubeanswers.writing import make_parents, write_text
from tenancykit.cli import FINDINGS, OK
from tenancykit.cli.designs import print_json
from tenancykit.live.contexts import clusters_of, read_cluster
from tenancykit.live.probing import Observed, expected, pack, read_results
from tenancykit.manifests.yaml_writer import write_document

_OURS = "tenancykit.dev/probe"
_LOG_BYTES = 64 * 1024 * 1024
"""Largest log read. Assumption: 10,000 trials answer in 1 KiB each, with room to spare."""


def probe(options: argparse.Namespace) -> int:
    """Write the pack, or read its logs; exit 1 where something is open or lacking, or no answer came back."""
    if options.read:
        return _read(options)
    if not options.to or not options.image or not options.folder:
        cure = "probe OUT --to FOLDER --image REPOSITORY@sha256:DIGEST, or probe --to FOLDER --read LOG"
        raise InputError(Fault("probe", "takes an export, a folder and an image", cure=cure))
    count = 0
    for name, folder in clusters_of(Path(options.folder)).items():
        objects = read_cluster(folder).objects
        try:
            files, trials = pack(objects, options.image, sample=options.sample)
        except InputError as error:
            if "no tenant" in str(error):
                continue  # a cluster of the platform's own
            raise
        target = Path(options.to) / name
        make_parents(target)
        for file, jobs in files.items():
            text = "---\n".join(write_document(one) for one in jobs)
            write_text(target / file, text, ours=_OURS, force=options.force)
        write_text(
            target / "claims.json",
            json.dumps(expected(trials), indent=1) + "\n",
            ours="tenancykit/probe-claims",
            force=options.force,
        )
        count += len(trials)
        print(f"{target}: {len(files)} Jobs, {len(trials)} trials")
    print(f"{count} trials. kubectl apply -f FOLDER; kubectl logs -A -l {_OURS} --tail=-1 > LOG; then probe --read LOG")
    return OK


def _read(options: argparse.Namespace) -> int:
    if not options.to:
        raise InputError(Fault("--to", "names no pack", cure="name the folder the pack was written to"))
    log = "\n".join(
        read_stdin(sys.stdin, _LOG_BYTES)
        if name == "-"
        else read_bytes(name, _LOG_BYTES).decode("utf-8", "replace")  # a log may hold what programs printed
        for name in options.read
    )
    files = sorted(Path(options.to).rglob("claims.json"))
    if not files:
        raise InputError(Fault(options.to, "holds no claims.json", cure="name the folder the pack was written to"))
    found: list[Observed] = []
    for file in files:
        data = read_yaml(file).data
        found += read_results(data if isinstance(data, dict) else {}, log)
    if options.junit:
        write_text(options.junit, _junit(found), ours="tenancykit probe", force=options.force)
    if options.json:
        rows = [{"id": o.id, "crossing": o.crossing, "claimed": o.claimed, "observed": o.observed, "verdict": o.verdict,
                 "note": o.note} for o in found]  # fmt: skip
        print_json({"schema": "tenancykit/probe/v1", "trials": rows})
    else:
        for one in sorted(found, key=lambda one: (one.verdict == "as claimed", one.id)):
            crossing = f" ({one.crossing})" if one.crossing else ""
            note = f"; {one.note}" if one.note else ""
            print(f"{one.verdict}: {one.id}{crossing}: claimed {one.claimed}, observed {one.observed}{note}")
    return OK if all(one.verdict in ("as claimed", "observed") for one in found) else FINDINGS


def _junit(found: list[Observed]) -> str:
    root = ET.Element("testsuite", {"name": "tenancykit probe", "tests": str(len(found))})
    for one in found:
        case = ET.SubElement(root, "testcase", {"name": one.id, "classname": one.crossing or "probe"})
        if one.verdict not in ("as claimed", "observed"):
            tag = "error" if one.verdict == "undecided" else "failure"
            ET.SubElement(case, tag, {"message": f"{one.verdict}: claimed {one.claimed}, observed {one.observed}"})
    ET.indent(root)
    return xml_text(ET.tostring(root, encoding="unicode", xml_declaration=True)) + "\n"
