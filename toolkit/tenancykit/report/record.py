"""The architecture decision record: what was asked, compared, excluded and chosen, and how to repeat it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Final

from kubeanswers.records import dataclass
from kubeanswers.terminal import counted, escaped
from kubeanswers.writing import write_text
from tenancykit.criterion_names import CRITERIA, TITLES
from tenancykit.drawing import Drawable, html_of, text_of
from tenancykit.report import drawing as _drawing  # noqa: F401 - registers how studies draw themselves
from tenancykit.report.apart import names_apart
from tenancykit.report.completing import made_of
from tenancykit.report.figures import interval_text, level_text, short_value
from tenancykit.report.opening import opening
from tenancykit.report.paper import Paper
from tenancykit.report.payload import fingerprint
from tenancykit.report.reasons import contested, overruled, what_would_change_it, why_first
from tenancykit.report.record_board import BoardEdition
from tenancykit.report.record_inputs import digest_of
from tenancykit.report.record_page import SCALES, record_page
from tenancykit.report.risks import risks
from tenancykit.report.text import standing
from tenancykit.sentences import three_digits
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation
from tenancykit.version import __version__


@dataclass(frozen=True)
class Record(Drawable):
    """A decision record.

    Attributes:
        design: the design decided for.
        digest: hash of scenario, weights, candidates and tool version; stands on every exported object.
        markdown: the record as Markdown.
        html: the record as one self-contained page.
    """

    design: str
    digest: str
    markdown: str
    html: str

    def write(self, folder: Path, *, force: bool = False) -> tuple[Path, Path]:
        """Write ``decision.md`` and ``decision.html`` into a folder and return their paths.

        Args:
            folder: the folder.
            force: replace files of these names that are no records.

        Raises:
            OutputError: a file is somebody else's, or cannot be written.
        """
        files = (folder / "decision.md", folder / "decision.html")
        write_text(files[0], self.markdown, ours="# Decision: ", force=force)
        write_text(files[1], self.html, ours="<title>Decision: ", force=force)
        return files


def record(study: Study, design_id: str | None = None, paper: Paper | None = None) -> Record:
    """Return the decision record of a study, for its best design or the one named.

    The arguments are those of :func:`tenancykit.record`.

    Raises:
        InputError: the study holds no such design, or none such that stands today.
        UndecidedError: no design is named and none is admitted.
    """
    chosen = study[design_id] if design_id else study.best
    digest = digest_of(study, chosen)
    added = paper or Paper()
    return Record(chosen.id, digest, _markdown(study, chosen, digest, added), record_page(study, chosen, digest, added))


def _markdown(study: Study, chosen: Evaluation, digest: str, paper: Paper) -> str:
    scenario, board = study.scenario, BoardEdition(study, chosen, paper)
    lines = [
        f"# Decision: {_line(chosen.name)} ({_line(chosen.id)}) for {_line(scenario.title or scenario.name)}",
        "",
        (
            f"Decision `{digest}`, scenario `{fingerprint(scenario)}`, tenancykit {__version__}, "
            f"Kubernetes {scenario.kubernetes}."
        ),
        "",
        f"Status: {paper.status}. Date: {paper.date or 'not stated'}. Author: {_line(paper.author) or 'not stated'}.",
        "",
        "## Context",
        "",
        _line(scenario.description) or "No description was given.",
        "",
        "| class | kind | tenants | requirement |",
        "|---|---|---|---|",
    ]
    for tenant_class in scenario.tenants.classes:
        wanted = tenant_class.requirements.isolation or scenario.requirements.isolation or "none"
        lines.append(f"| {tenant_class.id} | {tenant_class.kind} | {tenant_class.count} | isolation {wanted} |")
    lines += [
        "",
        "## Decision",
        "",
        *(_opened(study) if study.rank(chosen.id) == 1 else ()),
        _line(why_first(study) if study.rank(chosen.id) == 1 else overruled(study, chosen)),
    ]
    sure = " ".join(filter(None, (_beside(study, chosen), contested(study), what_would_change_it(study))))
    lines += ["", _line(sure), "", "Options chosen:", ""]
    for class_design in chosen.resolved.classes:
        options = ", ".join(f"`{o}`" for o in class_design.choice.options)
        lines.append(f"- **{class_design.tenant_class.id}**: {options}")
    if made := made_of(chosen):
        lines += ["", *(f"- {_line(text)}" for text in made)]
    heads = " | ".join(f"{TITLES[c]}, {chosen.scores[c].unit}" for c in CRITERIA)
    lines += ["", "## Alternatives", "", f"| rank | design | {heads} | score, 0-1 |"]
    lines.append("|---|---|" + "---|" * (len(CRITERIA) + 1))
    called = names_apart(study.order)
    lines += [_alternative(study, evaluation, called[evaluation.id]) for evaluation in study.order]
    lines += [
        "",
        "`*` on the Pareto front: no admitted design is at least as good on all four and better on one.",
        "",
        "## Not admitted",
        "",
    ]
    out = [e for e in study.order if study.rank(e.id) is None]
    lines += [f"- **{e.id} {_line(e.name)}**: {_line('; '.join(study.exclusions(e.id)))}" for e in out] or ["None."]
    lines += ["", "## Consequences", ""]
    for name, score in chosen.scores.items():
        lines.append(
            f"- **{TITLES[name]}** {level_text(score)} (P10 - P90 {interval_text(score)}): {_line(score.summary)}"
        )
    lines += ["", "## Risks", "", "| risk | stands on | treatment | owner |", "|---|---|---|---|"]
    for risk in risks(study, chosen, board.outlook):
        cells = (risk.what, risk.size, risk.treatment, paper.owner(risk.kind))
        lines.append(f"| {' | '.join(map(_line, cells))} |")
    found = board.outlook
    total = f"{three_digits(float(found.total))} {found.currency} over {counted(len(found.years), 'year')}"
    lines += ["", f"Building and running it takes {total} as tenants grow, at today's prices.", ""]
    weights = ", ".join(f"{n} {w:g}" for n, w in zip(CRITERIA, study.weights.values, strict=True))
    lines += [
        "",
        f"Weights: {weights}. {SCALES}",
        "",
    ]
    return "\n".join(lines)


def _beside(study: Study, chosen: Evaluation) -> str:
    """Return how sure the first place is where another was chosen; of the first it is told already."""
    sure = opening(study).sure
    return f"Of the first by the ranking: {sure}" if sure and study.rank(chosen.id) != 1 else ""


def _opened(study: Study) -> list[str]:
    """Return the first three lines, a paragraph each, and the details as a list."""
    opened = opening(study)
    return [
        *(text for line in opened.lines for text in (_line(line), "")),
        *(f"- {_line(text)}" for text in opened.details),
        "",
    ]


def _alternative(study: Study, evaluation: Evaluation, name: str) -> str:
    shown, score = standing(study, evaluation)
    cells = " | ".join(short_value(evaluation.scores[c]) for c in CRITERIA)
    return f"| {shown} | {evaluation.id} {_line(name)} | {cells} | {score} |"


def _line(text: str) -> str:
    """Return text that is harmless in one line of Markdown: no markup, no image, no link, no table breaks."""
    flat = escaped(" ".join(text.split())).replace("`", "'")
    marked = _MARKUP.sub(r"\\\g<0>", html.escape(flat, quote=False))
    return _ADDRESS.sub(lambda found: found[0].translate(_APART), marked)


_MARKUP: Final = re.compile(r"[\\\[\]|*_~]|!(?=\[)")
_ADDRESS: Final = re.compile(r"://|www\.|@|(?:mailto|xmpp):", re.IGNORECASE)
"""What GitHub's Markdown makes links of without brackets (https://github.github.com/gfm/#autolinks-extension-)."""
_APART: Final = str.maketrans({":": "&#58;", "/": "&#47;", ".": "&#46;", "@": "&#64;"})


text_of.register(Record, lambda found: found.markdown)


@html_of.register
def record_html(found: Record) -> str:
    """Return the record's Markdown, folded away."""
    return (
        f"<details><summary>Decision record {found.digest}</summary><pre>{html.escape(found.markdown)}</pre></details>"
    )
