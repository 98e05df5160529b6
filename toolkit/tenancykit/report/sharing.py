"""A study as one file to send: weights to move, consequences to read, two designs to compare, without a server."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from html import escape
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import UndecidedError
from kubeanswers.source import read_text
from kubeanswers.writing import write_text
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.report.apart import names_apart
from tenancykit.report.chart_colours import IN_DARK
from tenancykit.report.drawing import exclusions, tree
from tenancykit.report.figures import estimate, interval_text, level_text, short_value
from tenancykit.report.opening_days import days_in_words, open_to
from tenancykit.report.opening_page import opening_html
from tenancykit.study.comparison import Study, bounds_of
from tenancykit.study.evaluation import Evaluation
from tenancykit.version import __version__

POINTS: Final = 100
"""Points of the most valued swing, as swing weighting has it."""
_SCRIPT: Final = Path(__file__).with_name("share_page.js")
_MADE_BY: Final = '<meta name="generator" content="tenancykit share">'

_UNDRAWN: Final = (
    "<noscript><p><b>Here the weights cannot be moved:</b> whatever shows this page runs no scripts, as previews of "
    "attachments do. Save the file and open it in a browser.</p></noscript>"
)
_STYLE: Final = (
    ":root{color-scheme:light dark;--ink:#1c1c1c;--soft:#5c5c5c;--line:#ccc;--ground:#fff;--lead:#fdf8ee;"
    "--link:#0b57a4}"
    "@media (prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#b3b3b3;--line:#444;--ground:#161616;"
    "--lead:#2b2415;"
    f"--link:#8ec5ff}}{IN_DARK}}}"
    "body{max-width:1060px;margin:1.5em auto;padding:0 1em;font:15px/1.5 system-ui,sans-serif;"
    "color:var(--ink);background:var(--ground)}h1{font-size:1.6em}h2{font-size:1.2em;margin:1.6em 0 .4em}"
    "table{border-collapse:collapse;width:100%;font-size:13px}td,th{padding:4px 8px;text-align:left;"
    "vertical-align:top;border-bottom:1px solid var(--line)}.wide{overflow-x:auto}small,.soft{color:var(--soft)}"
    ".lead{border-left:4px solid #d98e04;background:var(--lead);padding:.4em 1em}.weight{display:grid;"
    "grid-template-columns:minmax(200px,2fr) 3fr 150px;gap:8px;align-items:center;margin:4px 0}"
    "a{color:var(--link);overflow-wrap:anywhere}summary{cursor:pointer}input,select,button{font:inherit;"
    "padding:3px 6px;max-width:100%}#first{font-weight:600}.tag{background:#fff3cd;color:#222;padding:0 4px}"
    "@media (max-width:600px){.weight{grid-template-columns:1fr}}"
)


def share(study: Study, path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write a study as one page, without a server, in which people move weights and give them back; return its path.

    Args:
        study: the designs.
        path: the HTML file.
        force: replace a file that is no such page.

    Raises:
        UndecidedError: no design is admitted, so there is nothing to weigh.
        OutputError: the file is somebody else's, or cannot be written.
    """
    write_text(path, shared_page(study), ours=_MADE_BY, force=force)
    return Path(path)


def question_of(study: Study) -> str:
    """Return a hash of what weights are asked about: the criteria and the ends of their scales.

    Weights mean nothing without these ranges, so those given for other ends cannot be taken over.
    """
    leaves = [[leaf.name, leaf.share, *leaf.function.ends] for leaf in study.scales.tree.leaves]
    told = json.dumps([list(CRITERIA), leaves, sorted(study.scales.tree.silent)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def shared_data(study: Study) -> dict[str, Any]:
    """Return what the page computes with: utilities of the admitted designs, names and figures as text.

    Raises:
        UndecidedError: no design is admitted.
    """
    if study.scaled is None or study.ranking is None:
        raise UndecidedError(study.nobody())
    table = study.scaled.table
    designs = [study[label] for label in table.labels]
    rows = [table.row(label) for label in study.ranking.ordered(2)]
    called = names_apart(designs)
    bounds = bounds_of(study.scales)
    low, high = bounds["cost"]
    silent = study.scales.tree.silent
    return {
        "question": question_of(study),
        "keys": list(CRITERIA),
        "criteria": [TITLES[name] for name in CRITERIA],
        "silent": [name in silent for name in CRITERIA],
        "labelRank": [int(place) for place in table.label_rank],
        "utilities": study.scaled.utilities.tolist(),
        "names": [f"{e.id} {called[e.id]}" for e in designs],
        "figures": [[short_value(e.scores[name]) for name in CRITERIA] for e in designs],
        "days": [days_in_words(e, what=False) for e in designs],
        "told": [_consequences(e) for e in designs],
        "ends": [_ends(study, name) for name in CRITERIA],
        "currency": study.scenario.infrastructure.currency,
        "costSpan": high - low,
        "opened": [rows[0], rows[-1]],
    }


def _ends(study: Study, name: str) -> tuple[str, str]:
    """Return the worse and the better end of a criterion's scale in words."""
    if name == "isolation":
        return "only what each class must have", "what would be plenty for each class"
    low, high = bounds_of(study.scales)[name]
    unit = study.evaluations[0].scores[name].unit
    return f"{estimate(high)} {unit}", f"{estimate(low)} {unit}"


def _consequences(evaluation: Evaluation) -> list[str]:
    told = [
        f"{TITLES[name]}: {level_text(score)}, P10 to P90 {interval_text(score)}. {score.summary}"
        for name, score in evaluation.scores.items()
    ]
    told.append(f"Days a year open to {open_to(evaluation.scenario)}: {days_in_words(evaluation)}.")
    return told


def shared_page(study: Study) -> str:
    """Return the page: no request to any host, one script known by its hash, names of others only as text.

    Raises:
        UndecidedError: no design is admitted.
    """
    data = json.dumps(shared_data(study))
    for character in "<>&":
        data = data.replace(character, f"\\u{ord(character):04x}")
    script = read_text(_SCRIPT)
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{known}'; form-action 'none'"
    title = f"What matters to you? {study.scenario.title or study.scenario.name}"
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{_MADE_BY}',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(title)}</h1>",
        '<div class="lead">',
        opening_html(study),
        "</div>",
        _UNDRAWN,
        _weights(study),
        '<p id="first" role="status" aria-live="polite"></p><ul id="means"></ul>',
        _ranking(study),
        _pair(),
        "<h2>Where the figures come from</h2>",
        *(_explained(evaluation) for evaluation in study.order if study.rank(evaluation.id)),
        "<h2>Not admitted</h2>",
        exclusions(study) or "<p>Every design compared meets every requirement.</p>",
        _back(),
        f'<p class="soft">tenancykit {__version__}, question <code>{question_of(study)}</code>.</p></main>',
        f'<script type="application/json" id="data">{data}</script>',
        f"<script>{script}</script></body></html>\n",
    ]
    return "\n".join(parts)


def _weights(study: Study) -> str:
    top = float(max(study.weights.values)) or 1.0
    rows = []
    for place, name in enumerate(CRITERIA):
        worse, better = _ends(study, name)
        silent = study.scales.tree.silent.get(name)
        note = f"does not count here: {silent}" if silent else f"from {worse} to {better}"
        value = round(POINTS * study.weights[name] / top)
        rows.append(
            f'<div class="weight"><label for="w{place}">{TITLES[name]}<br><small>{escape(note)}</small></label>'
            f'<input type="range" id="w{place}" min="0" max="{POINTS}" step="1" value="{value}">'
            f'<output id="o{place}" for="w{place}"></output></div>'
        )
    return (
        "<h2>Your weights</h2><p>Imagine a design at the worse end of everything. Which one improvement would you buy "
        f"first? Give it {POINTS} points, and every other one its share of that.</p>{''.join(rows)}"
    )


def _ranking(study: Study) -> str:
    first = study.evaluations[0]
    heads = "".join(f'<th scope="col">{TITLES[n]} <small>{escape(first.scores[n].unit)}</small></th>' for n in CRITERIA)
    return (
        '<h2>The ranking by your weights</h2><div class="wide"><table><thead><tr><th scope="col">Rank</th>'
        f'<th scope="col">Design</th>{heads}<th scope="col">Score</th></tr></thead>'
        '<tbody id="ranking"></tbody></table></div>'
    )


def _pair() -> str:
    return (
        '<h2>Two designs beside each other</h2><p><label>First <select id="left"></select></label> '
        '<label>Second <select id="right"></select></label></p><div class="wide"><table><thead><tr>'
        '<th scope="col">Criterion</th><th scope="col">First</th><th scope="col">Second</th>'
        '<th scope="col">Lead of the first, by your weights</th></tr></thead>'
        '<tbody id="compared"></tbody></table></div>'
    )


def _explained(evaluation: Evaluation) -> str:
    found = "".join(
        f"<h3>{TITLES[name]}: {escape(level_text(score))}</h3>{tree(score.evidence, open_levels=0)}"
        for name, score in evaluation.scores.items()
    )
    return f"<details><summary>{escape(evaluation.id)} {escape(evaluation.name)}</summary>{found}</details>"


def _back() -> str:
    return (
        "<h2>Give your weights back</h2><p>The file holds your name and your points, nothing else; nothing leaves this "
        'page by itself.</p><p><label>Your name <input id="who" maxlength="80" autocomplete="name"></label> '
        '<button id="give" type="button">Download my weights</button></p><p id="given" role="status"></p>'
    )


__all__ = ["POINTS", "question_of", "share", "shared_data", "shared_page"]
