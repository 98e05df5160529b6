"""How results draw themselves in a notebook: self-contained HTML with a plain-text form beside it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from tenancykit.auditing import AuditReport, to_text
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.score import Evidence
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.drawing import html_of, picture_of, text_of
from tenancykit.report import charts
from tenancykit.report.admitting import admission_lines
from tenancykit.report.chart_colours import IN_NOTEBOOKS, INK, ORANGE
from tenancykit.report.figures import interval_text, number, short_value, value_text
from tenancykit.report.opening_page import opening_html
from tenancykit.report.reasons import contested, what_would_change_it, why_first
from tenancykit.report.serving import queue_lines
from tenancykit.report.text import evaluation_text, explanation_text, standing, study_text
from tenancykit.study.admitting import AdmitAnswer
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation, Explanation
from tenancykit.study.serving import QueueAnswer

_STYLE = (
    "<style>.tk{font-family:system-ui,sans-serif;font-size:13px;color:var(--jp-content-font-color1,#222);"
    "background:var(--jp-layout-color0,#fff)}.tk table{border-collapse:collapse;max-width:100%}"
    ".tk td,.tk th{padding:3px 8px;text-align:left!important;vertical-align:top;white-space:normal!important;"
    "border-bottom:1px solid var(--jp-border-color2,#ddd)}.tk th{font-weight:600}"
    ".tk .out,.tk small{color:color-mix(in srgb,var(--jp-content-font-color1,#222) 75%,transparent)}"
    ".tk ul{margin:2px 0 2px 18px;padding:0}"
    ".tk summary{cursor:pointer}.tk .tag{background:#fff3cd;color:#222;padding:0 4px;border-radius:3px}"
    ".tk a{color:var(--jp-content-link-color,#0b57a4);text-decoration:underline;overflow-wrap:anywhere}"
    f"{IN_NOTEBOOKS}</style>"
)
"""Colours follow JupyterLab's theme; elsewhere, and without a kernel, dark on white."""


def _page(*parts: str) -> str:
    return f'{_STYLE}<div class="tk">{"".join(parts)}</div>'


@html_of.register
def study_html(study: Study) -> str:
    """Return the ranking with bars, the reason for first place, the scatter of isolation and cost, and exclusions."""
    return _page(
        f"<h3>{escape(study.scenario.title or study.scenario.name)}</h3>",
        opening_html(study),
        ranking_table(study),
        f"<p><b>First place.</b> {escape(why_first(study))}</p>" if study.ranking else "",
        f"<p>{escape(contested(study))} {escape(what_would_change_it(study))}</p>",
        charts.pareto(study).svg,
        exclusions(study),
    )


def ranking_table(study: Study) -> str:
    """Return the designs by rank with a bar per criterion; a longer bar is better on every criterion."""
    first = study.evaluations[0]
    head = "".join(f"<th>{TITLES[name]}<br><small>{escape(first.scores[name].unit)}</small></th>" for name in CRITERIA)
    rows = [_row(study, evaluation) for evaluation in study.order]
    levels = ", ".join(f"{level.id} {level.title}" for level in load_isolation(study.catalogue).levels.values())
    note = (
        "<p><small>Longer bars are better. * on the Pareto front; \u2013: not admitted, see below. "
        f"Isolation levels: {escape(levels)}.</small></p>"
    )
    heads = f"<thead><tr><th>Rank</th><th>Design</th>{head}<th>Score</th></tr></thead>"
    return f"<table>{heads}<tbody>{''.join(rows)}</tbody></table>{note}"


def _row(study: Study, evaluation: Evaluation) -> str:
    rank = study.rank(evaluation.id)
    shown, total = standing(study, evaluation)
    cells = []
    for name in CRITERIA:
        score = evaluation.scores[name]
        share = min(1.0, max(0.0, study.value_of(evaluation.id, name)))
        cells.append(f"<td>{bar(share, short_value(score), emphasis=rank == 1)}</td>")
    css = "" if rank else ' class="out"'
    name = f"{escape(evaluation.id)} {escape(evaluation.name)}"
    if not rank:
        shown = '<span title="not admitted" aria-label="not admitted">\u2013</span>'
    return f"<tr{css}><td>{shown}</td><td>{name}</td>{''.join(cells)}<td>{total}</td></tr>"


def exclusions(study: Study) -> str:
    """Return the designs that are not admitted with every reason, folded away."""
    out = [e for e in study.order if study.rank(e.id) is None]
    if not out:
        return ""
    items = "".join(
        f"<li><b>{escape(e.id)} {escape(e.name)}</b><ul>"
        + "".join(f"<li>{escape(reason)}</li>" for reason in study.exclusions(e.id))
        + "</ul></li>"
        for e in out
    )
    return f"<details><summary>{len(out)} designs are not admitted, and why</summary><ul>{items}</ul></details>"


@html_of.register
def evaluation_html(evaluation: Evaluation) -> str:
    """Return one design: options per class, and each criterion with its evidence folded away."""
    classes = "".join(
        f"<li><b>{escape(c.tenant_class.id)}</b>{f' ({escape(c.choice.tier)})' if c.choice.tier else ''}: "
        f"{escape(', '.join(c.choice.options))}</li>"
        for c in evaluation.resolved.classes
    )
    broken = "".join(f"<li>{escape(str(v))}</li>" for v in evaluation.resolved.violations)
    rows = "".join(
        f"<tr><th>{TITLES[n]}</th><td>{escape(value_text(s))}</td><td>{interval_text(s)}</td>"
        f"<td>{escape(s.summary)}{_folded(s.evidence)}</td></tr>"
        for n, s in evaluation.scores.items()
    )
    return _page(
        f"<h3>{escape(evaluation.id)} {escape(evaluation.name)}</h3><ul>{classes}</ul>",
        f"<p>Not valid here:</p><ul>{broken}</ul>" if broken else "",
        "<table><thead><tr><th>Criterion</th><th>Value</th><th>P10 - P90</th><th>Finding</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>",
    )


@html_of.register
def explanation_html(explanation: Explanation) -> str:
    """Return the tree of evidence, the first two levels open."""
    score = explanation.score
    return _page(
        f"<h3>{escape(explanation.design)}: {TITLES[explanation.criterion]} {escape(value_text(score))}</h3>",
        f"<p>{escape(score.summary)} <small>P10 - P90: {interval_text(score)}</small></p>",
        tree(explanation.evidence, open_levels=2),
    )


def _folded(evidence: Evidence) -> str:
    return f"<details><summary>evidence</summary>{tree(evidence, open_levels=1)}</details>"


def tree(line: Evidence, *, open_levels: int = 1) -> str:
    """Return a line of evidence and those below it as nested, foldable lists."""
    text = f"{escape(line.label)}"
    if line.value is not None:
        text += f": <b>{number(line.value)}</b> {escape(line.unit)}"
    if line.note:
        text += f" <small>{escape(line.note)}</small>"
    if line.assumption:
        text += ' <span class="tag">assumption</span>'
    source = f"<small>{link(line.source)}</small>" if line.source else ""
    if not line.children:
        return f"<div>{text} {source}</div>"
    below = "".join(f"<li>{tree(child, open_levels=open_levels - 1)}</li>" for child in line.children)
    return f"<details{' open' if open_levels > 0 else ''}><summary>{text}</summary>{source}<ul>{below}</ul></details>"


def link(source: str) -> str:
    """Return a source as HTML; an address opens elsewhere, and what is read here stays."""
    if source.startswith("https://"):
        return f'<a href="{escape(source)}" target="_blank" rel="noopener noreferrer">{escape(source)}</a>'
    return escape(source)


text_of.register(Study, study_text)
text_of.register(AuditReport, to_text)
picture_of.register(Study, charts.pareto)
picture_of.register(Evaluation, charts.architecture)


@picture_of.register
def explanation_picture(explanation: Explanation) -> charts.Chart:
    """Return the picture of the criterion explained: open days, Gantt, toil, or bill."""
    pictures = {
        "isolation": charts.open_days,
        "effort": charts.gantt,
        "operations": lambda evaluation: charts.toil([evaluation]),
        "cost": charts.bill,
    }
    return pictures[explanation.criterion](explanation.evaluation)


@html_of.register
def audit_html(report: AuditReport) -> str:
    """Return the report's matrix, findings and checks as text."""
    return f"<pre>{escape(to_text(report))}</pre>"


text_of.register(Evaluation, evaluation_text)
text_of.register(Explanation, explanation_text)


@html_of.register
def queue_html(found: QueueAnswer) -> str:
    """Return who waits under each quota design: the picture, and all figures folded away below it."""
    return charts.waiting_times(found).html() + _details(queue_lines(found), "All figures")


@html_of.register
def admission_html(found: AdmitAnswer) -> str:
    """Return what Kueue lets in, as the command line tells it."""
    return _pre(admission_lines(found))


def _pre(lines: Iterable[str]) -> str:
    return f'<pre style="white-space:pre-wrap">{escape(chr(10).join(lines))}</pre>'


def _details(lines: Iterable[str], summary: str) -> str:
    return f"<details><summary>{summary}</summary>{_pre(lines)}</details>"


def bar(share: float, text: str, *, emphasis: bool = False, width: int = 96) -> str:
    """Return a table cell's bar: ``share`` (0-1) of the width filled, with its text on top."""
    shade = f'class="first" fill="{ORANGE}"' if emphasis else 'fill="#9ecae1"'
    scaling = f"max-width:100%;height:auto;min-width:{width - 8}px"
    return (
        f'<svg class="tk-bar" viewBox="0 0 {width} 18" width="{width}" height="18" style="{scaling}" role="img" '
        f'aria-label="{escape(text)}"><rect width="{width}" height="18" fill="#f0f0f0"/><rect '
        f'{shade} width="{share * width:.1f}" height="18"/>'
        f'<text x="4" y="13" font-size="11" font-family="system-ui, sans-serif" fill="{INK}">'
        f"{escape(text)}</text></svg>"
    )


@text_of.register
def queue_text(found: QueueAnswer) -> str:
    """Return how tenants are served, for a terminal."""
    return "\n".join(queue_lines(found))


@text_of.register
def admission_text(found: AdmitAnswer) -> str:
    """Return what Kueue lets in, for a terminal."""
    return "\n".join(admission_lines(found))


picture_of.register(QueueAnswer, charts.waiting_times)
