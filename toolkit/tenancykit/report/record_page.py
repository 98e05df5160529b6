"""The decision record as one page that can be read on a screen, printed, and worked out again."""

from __future__ import annotations

from html import escape
from typing import Final

from kubeanswers.terminal import counted
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.report import charts
from tenancykit.report.chart_colours import IN_DARK
from tenancykit.report.completing import made_of
from tenancykit.report.drawing import ranking_table, tree
from tenancykit.report.figures import interval_text, level_text
from tenancykit.report.paper import Paper
from tenancykit.report.payload import fingerprint
from tenancykit.report.reasons import contested, overruled, what_would_change_it, why_first
from tenancykit.report.record_board import METHOD, BoardEdition, table
from tenancykit.report.record_inputs import embedded_inputs
from tenancykit.scenario.model import Requirements, TenantClass
from tenancykit.scenario.naming import tenant_count
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.version import __version__

DIMENSIONS: Final = {
    "control_plane": "Control plane",
    "node_isolation": "Nodes",
    "runtime": "Container runtime",
    "network": "Network",
    "storage": "Storage",
    "gpu_sharing": "GPU sharing",
    "scheduling_quota": "Scheduling and quota",
    "policy_admission": "Admission policy",
    "identity_gitops": "Identity and delivery",
    "observability_chargeback": "Observability and chargeback",
}
"""Titles of the dimensions of a design, in the order they are shown."""

_STYLE: Final = (
    ":root{color-scheme:light dark;--ink:#1c1c1c;--soft:#5c5c5c;--line:#ddd;--ground:#fff;--lead:#fdf8ee;"
    "--link:#0b57a4}@media screen and (prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#b3b3b3;--line:#444;"
    "--ground:#161616;--lead:#2b2415;--link:#8ec5ff}"
    f"{IN_DARK}}}"
    "body{max-width:1060px;margin:2em auto;padding:0 1.5em;font:15px/1.5 system-ui,sans-serif;color:var(--ink);"
    "background:var(--ground)}h1{font-size:1.7em;line-height:1.25;margin:0 0 .2em}h2{font-size:1.2em;"
    "margin:1.8em 0 .5em;border-bottom:2px solid var(--line);padding-bottom:.2em}.meta{color:var(--soft);"
    "font-size:.85em}table{border-collapse:collapse;font-size:13px;width:100%}td,th{padding:4px 8px;text-align:left;"
    "vertical-align:top;border-bottom:1px solid var(--line)}th{font-weight:600}.n{text-align:right;white-space:nowrap}"
    ".out,small{color:var(--soft)}h3{font-size:1em;margin:1em 0 .4em}.status{display:flex;flex-wrap:wrap;"
    "gap:.2em 2.5em;margin:.8em 0}.status dt,.said dt{font-size:.85em;color:var(--soft)}"
    ".said{border-left:4px solid #d98e04;background:var(--lead);padding:.4em 1em .8em;margin:1em 0}"
    ".words{columns:2;column-gap:2em}.sign td{height:2.2em}.sources{font-size:.8em;columns:2;padding-left:1.2em}"
    "code{font-size:.9em;overflow-wrap:anywhere}a{color:var(--link);overflow-wrap:anywhere}summary{cursor:pointer}svg{max-width:100%;height:auto}.tag{background:#fff3cd;color:#222;"
    "padding:0 4px;border-radius:3px}dt{font-weight:600;margin-top:.5em}dd{margin:0}"
    "@page{size:A4;margin:15mm 15mm 18mm;@bottom-right{content:counter(page) ' / ' counter(pages);font:9px sans-serif}}"
    "@media print{body{margin:0;padding:0;max-width:none;font-size:11px}table{font-size:10px}"
    "tr,svg,.said>dd{break-inside:avoid}h2,h3{break-after:avoid}.evidence{display:none}.sheet{break-after:page}"
    ".said{-webkit-print-color-adjust:exact;print-color-adjust:exact}}"
)


SCALES: Final = (
    "The ends of the scales are stated in the scenario, or follow from it and the catalogue; they do not depend on the "
    "designs compared."
)


def record_page(study: Study, chosen: Evaluation, digest: str, paper: Paper) -> str:
    """Return the self-contained page of a decision: no script, no request to any host.

    Raises:
        InputError: the design that stands today is not among those compared.
    """
    title = f"Decision: {chosen.name} ({chosen.id})"
    board = BoardEdition(study, chosen, paper)
    parts = [
        board.first_page(digest),
        _place(study, chosen),
        _section("Architecture before and after", board.pictures()),
        _section("Plan", board.plan()),
        _section("Costs over three years", board.money()),
        _section("Risks", board.register()),
        _section("Alternatives, and why not", board.instead()),
        _section("Not admitted", _refused(study)),
        _section("What was asked", _asked(study)),
        _section("Why", _why(study, chosen)),
        _section("What is chosen", _choices(study, chosen)),
        _section("What it means", _consequences(chosen)),
        _section("What it was compared with", ranking_table(study), charts.pareto(study).svg),
        _section("Method and sources", f"<p>{escape(METHOD)}</p>", board.sources()),
        _section("Work it out again", _again(study, chosen)),
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(study.scenario.title or study.scenario.name)}</h1>",
            f"<p>Decision: {escape(chosen.name)}</p>",
            *parts,
            (
                f'<p class="meta">Decision <code>{digest}</code>, scenario <code>{fingerprint(study.scenario)}</code>, '
                f"tenancykit {__version__}, Kubernetes {escape(study.scenario.kubernetes)}</p>"
            ),
            embedded_inputs(study, chosen.id, digest, paper),
            "</body></html>",
            "",
        ]
    )


def _section(title: str, *parts: str) -> str:
    return f"<h2>{title}</h2>{''.join(parts)}"


def _place(study: Study, chosen: Evaluation) -> str:
    """Return where the design decided for stands, and its figures."""
    rank = study.rank(chosen.id)
    admitted = 0 if study.admitted is None else len(study.admitted)
    place = f"rank {rank} of {admitted} admitted designs" if rank else "not admitted, chosen by hand"
    figures = "; ".join(f"{TITLES[n].lower()} {level_text(s)}" for n, s in chosen.scores.items())
    return (
        f'<p class="meta">{escape(chosen.id)} {escape(chosen.name)}: {place}, {len(study.evaluations)} compared. '
        f"{escape(figures[:1].upper() + figures[1:])}.</p>"
    )


def _asked(study: Study) -> str:
    scenario = study.scenario
    head = ["Tenant class", "Kind", "Tenants", "Growth per year", "What must hold"]
    rows = [
        [
            c.name or c.id,
            c.kind,
            f"{c.count:,}",
            f"{c.growth_per_year:+.0%}" if c.growth_per_year else "",
            _wishes(c, scenario.requirements),
        ]
        for c in scenario.tenants.classes
    ]
    limits = _limits(scenario.requirements, scenario.infrastructure.currency)
    who = {"decision": study, **study.stakeholders}
    weights = [
        [
            name,
            *(f"{weight:.2f}" for weight in view.weights.values),
            view.ranking.winner if view.ranking else "nobody is admitted",
        ]
        for name, view in who.items()
    ]
    return (
        f"<p>{escape(scenario.description) or 'No description was given.'}</p>"
        f"<p>{counted(tenant_count(scenario), 'tenant')}. {escape(limits)}</p>"
        + table(head, rows, numbers={2, 3})
        + "<p></p>"
        + table(["Weights", *(TITLES[n] for n in CRITERIA), "Puts first"], weights, numbers={1, 2, 3, 4})
    )


def _wishes(tenant_class: TenantClass, platform: Requirements) -> str:
    wishes = tenant_class.requirements
    told = [
        f"isolation {wishes.isolation or platform.isolation}" if wishes.isolation or platform.isolation else "",
        f"control plane {wishes.control_plane}" if wishes.control_plane else "",
        f"data plane {wishes.data_plane}" if wishes.data_plane else "",
        "own CRDs" if wishes.own_crds else "",
        f"with {', '.join(wishes.require_options)}" if wishes.require_options else "",
        f"without {', '.join(wishes.forbid_options)}" if wishes.forbid_options else "",
        f"data stays in {', '.join(tenant_class.residency)}" if tenant_class.residency else "",
        ", ".join(tenant_class.compliance),
    ]
    return "; ".join(filter(None, told)) or "nothing in particular"


def _limits(asked: Requirements, currency: str) -> str:
    told = [
        f"at most {asked.budget_per_month:,.0f} {currency} per month" if asked.budget_per_month is not None else "",
        f"live within {asked.go_live_weeks:g} weeks" if asked.go_live_weeks is not None else "",
        f"run by at most {asked.platform_engineers:g} people" if asked.platform_engineers is not None else "",
    ]
    given = ", ".join(filter(None, told))
    return f"The platform is to be: {given}." if given else "No limit holds for the whole platform."


def _why(study: Study, chosen: Evaluation) -> str:
    reason = why_first(study) if study.rank(chosen.id) == 1 else overruled(study, chosen)
    told = [
        ("The reason", reason),
        ("Where views differ", contested(study)),
        ("What would change it", what_would_change_it(study)),
    ]
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in told if text) + "</dl>"


def _choices(study: Study, chosen: Evaluation) -> str:
    """Return what each dimension is built from, a column per group of classes that choose alike."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for found in chosen.resolved.classes:
        groups.setdefault(tuple(found.choice.options), []).append(found.tenant_class.name or found.tenant_class.id)
    options = study.catalogue.options
    rows = []
    for dimension, title in DIMENSIONS.items():
        cells = [
            "; ".join(f"{options[o].name} ({o})" for o in chosen_here if options[o].dimension == dimension)
            for chosen_here in groups
        ]
        if any(cells):
            rows.append([title, *cells])
    heads = ["all classes"] if len(groups) == 1 else [", ".join(names) for names in groups.values()]
    made = "".join(f"<li>{escape(text)}</li>" for text in made_of(chosen))
    broken = "".join(f"<li>{escape(str(violation))}</li>" for violation in chosen.resolved.violations)
    told = table(["", *heads], rows) + (f"<ul>{made}</ul>" if made else "")
    return told + (f"<p>It breaks rules here:</p><ul>{broken}</ul>" if broken else "")


def _consequences(chosen: Evaluation) -> str:
    rows = "".join(
        f"<tr><th>{TITLES[name]}</th><td class='n'>{escape(level_text(score))}</td>"
        f"<td class='n'>{interval_text(score)}</td><td>{escape(score.summary)}"
        f'<details class="evidence"><summary>evidence</summary>{tree(score.evidence)}</details></td></tr>'
        for name, score in chosen.scores.items()
    )
    return (
        "<table><thead><tr><th>Criterion</th><th class='n'>Value</th><th class='n'>P10 - P90</th><th>Finding</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _refused(study: Study) -> str:
    out = [e for e in study.order if study.rank(e.id) is None]
    if not out:
        return "<p>Every design compared is admitted.</p>"
    return table(["Design", "What it misses"], [[f"{e.id} {e.name}", "; ".join(study.exclusions(e.id))] for e in out])


def _again(study: Study, chosen: Evaluation) -> str:
    files = "" if study.scenario.folder is None else ", beside the files the scenario names,"
    return (
        f"<p>This page carries its inputs: <code>tenancykit replay decision.html</code>{files} works every figure out "
        f"again and says what changed. {escape(SCALES)} {escape(chosen.id)} is exported with this record's number on "
        "every object.</p>"
    )
