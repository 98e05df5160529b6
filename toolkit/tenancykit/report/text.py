"""Results as plain text for terminals."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence

from kubeanswers.terminal import counted
from tenancykit.criteria.score import Evidence
from tenancykit.criterion_names import CRITERIA, SHORT, TITLES
from tenancykit.design.families import differences, families
from tenancykit.report.apart import names_apart
from tenancykit.report.completing import completed_with, goes_without, left_out, purchase
from tenancykit.report.figures import NINES, interval_text, number, short_value, value_text
from tenancykit.report.opening import opening
from tenancykit.report.reasons import contested, what_would_change_it, why_first
from tenancykit.scenario.naming import tenant_count
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation, Explanation

_WIDTH = 100
_NARROW = 60
_NAME = 44
_SHORT_NAME = 12
_REASONS = 3


def study_text(study: Study) -> str:
    """Return the ranking, the four criteria, what is excluded and why, and the reason for first place."""
    opened = opening(study)
    lines = [*_heading(study), "", *(line for text in opened.lines for line in wrapped(text)), ""]
    lines += [*_table(study), ""]
    if opened.details:
        lines += ["In detail:", *(line for text in opened.details for line in wrapped(text, "  - ", "    ")), ""]
    lines.extend(_admitted(study))
    excluded = [e for e in study.order if study.rank(e.id) is None]
    if excluded:
        lines.append("Not admitted:")
        for evaluation in excluded:
            reasons = study.exclusions(evaluation.id)
            lines.extend(wrapped(f"{evaluation.id} {evaluation.name}", "  ", "    "))
            for reason in reasons[:_REASONS]:
                lines.extend(wrapped(reason, "    - ", "      "))
            if len(reasons) > _REASONS:
                lines.append(f"    - and {len(reasons) - _REASONS} more (all of them: --json)")
        lines.append("")
    if study.ranking is not None:
        lines.extend(wrapped(f"First place. {why_first(study)}"))
    for text in (contested(study), what_would_change_it(study)):
        if text:
            lines.extend(wrapped(text))
    return "\n".join(lines).rstrip()


def _admitted(study: Study) -> list[str]:
    """Return each admitted design in full: name, pattern, what it buys, its completion; near-twins are folded."""
    lines: list[str] = []
    ranked = [e for e in study.order if study.rank(e.id) is not None]
    for family in families([e.resolved for e in ranked]):
        evaluation = study[family[0]]
        resolved = evaluation.resolved
        source = "composed of" if resolved.design.origin == "composed" else "published as"
        pattern = f" ({source} {resolved.published})" if resolved.published else ""
        lines.extend(wrapped(f"{evaluation.id} {evaluation.name}{pattern}", "  ", "    "))
        told = (purchase(evaluation), completed_with(evaluation), left_out(evaluation), *goes_without(evaluation))
        for text in filter(None, told):
            lines.extend(wrapped(text, "    - ", "      "))
        twins = [study[label].resolved for label in family[1:]]
        if twins:
            layers = dict.fromkeys(layer for twin in twins for layer in differences(resolved, twin))
            named = f"and {', '.join(twin.id for twin in twins)}, which differ" + ("s" if len(twins) == 1 else "")
            lines.extend(wrapped(f"{named} only in {', '.join(layers) or 'name'}", "    ", "      "))
    return ["Admitted, like with like:", *lines, ""] if lines else []


def _heading(study: Study) -> list[str]:
    scenario = study.scenario
    classes = len(scenario.tenants.classes)
    weights = ", ".join(f"{name} {value:.2f}" for name, value in zip(CRITERIA, study.weights.values, strict=True))
    return [
        *wrapped(scenario.title or scenario.name),
        *wrapped(
            f"{counted(tenant_count(scenario), 'tenant')} in {classes} class{'es' if classes > 1 else ''}, "
            f"Kubernetes {scenario.kubernetes}; weights: {weights}"
        ),
    ]


def _table(study: Study) -> list[str]:
    first = study.evaluations[0]
    units = [first.scores[name].unit for name in CRITERIA]
    head = ["rank", "design", *(SHORT[name] for name in CRITERIA), "score"]
    rows, called = [], names_apart(study.order)
    for evaluation in study.order:
        rank, score = standing(study, evaluation)
        cells = [short_value(evaluation.scores[criterion]) for criterion in CRITERIA]
        name = f"{evaluation.id} {called[evaluation.id]}"
        rows.append([rank if rank.endswith(("*", "-")) else f"{rank} ", name, *cells, score])
    heads = [head, ["", "", *units, "0-1"]]
    if _figures_width([*heads, *rows]) + max(len(row[1]) for row in rows) > line_width():
        heads = [line for row in heads for line in _folded(row, rows)]
    room = max(_SHORT_NAME, min(_NAME, line_width() - _figures_width([*heads, *rows])))
    return [
        *columns([*heads, *(line for row in rows for line in _named(row, room))], left={1}),
        *wrapped("* on the Pareto front: no admitted design is at least as good on all four and better on one"),
        *wrapped(NINES),
    ]


def _named(row: Sequence[str], room: int) -> list[list[str]]:
    """Return a row over the lines its name needs, at most two if not ranked: it is told again below."""
    name = textwrap.wrap(
        row[1],
        room,
        subsequent_indent=" " * (row[1].find(" ") + 1),
        break_on_hyphens=False,
        max_lines=2 if row[0].endswith("-") else None,
        placeholder="...",
    )
    return [[row[0], name[0], *row[2:]], *(["", more, *("" for _ in row[2:])] for more in name[1:])]


def _figures_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the characters a table of designs takes beside their names."""
    return sum(max(len(row[i]) for row in rows) for i in range(len(rows[0])) if i != 1) + 2 * (len(rows[0]) - 1)


def _folded(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return a head over several lines, none of its columns wider than the figures below or its longest word."""
    cells = []
    for i, text in enumerate(head):
        parts = [part for word in text.split() for part in word.replace("/", "/ ").replace("-", "- ").split()]
        width = max([len(row[i]) for row in rows] + [len(part) for part in parts])
        cells.append(textwrap.wrap(text.replace("/", "/ "), width) or [""])
    height = max(map(len, cells))
    return [[cell[line] if line < len(cell) else "" for cell in cells] for line in range(height)]


def standing(study: Study, evaluation: Evaluation) -> tuple[str, str]:
    """Return a design's rank, starred on the Pareto front, and its score; ``-`` and nothing where not admitted."""
    rank = study.rank(evaluation.id)
    if study.ranking is None or rank is None:
        return "-", ""
    star = "*" if study.pareto_front is not None and evaluation.id in study.pareto_front.labels else ""
    return f"{rank}{star}", f"{study.ranking.scores[study.ranking.labels.index(evaluation.id)]:.3f}"


def columns(rows: Sequence[Sequence[str]], *, left: set[int]) -> list[str]:
    """Return rows as aligned columns; those in ``left`` are left-aligned, the others right-aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def wrapped(text: str, first: str = "", rest: str = "  ") -> list[str]:
    """Return text as lines that fit the terminal, 100 characters elsewhere; words that are longer stay whole."""
    return textwrap.wrap(
        text,
        line_width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def line_width() -> int:
    """Return how many characters a line may hold: the terminal's width from 60 to 100; 100 where nobody watches."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else _WIDTH
    except (OSError, ValueError):
        columns = _WIDTH
    return max(_NARROW, min(_WIDTH, columns or _WIDTH))


def bullet(text: str) -> list[str]:
    """Return text as an entry of a list."""
    return wrapped(text, "- ")


def evaluation_text(evaluation: Evaluation) -> str:
    """Return one design: what it chooses for each class, and its value on the four criteria."""
    lines = [f"{evaluation.id} {evaluation.name}"]
    for class_design in evaluation.resolved.classes:
        tier = f" ({class_design.choice.tier})" if class_design.choice.tier else ""
        chosen = ", ".join(class_design.choice.options)
        lines.extend(wrapped(f"{class_design.tenant_class.id}{tier}: {chosen}", "  ", "      "))
    rows = [[TITLES[n], value_text(s), interval_text(s), s.summary] for n, s in evaluation.scores.items()]
    lines.extend(columns([["criterion", "value", "P10 - P90", "finding"], *rows], left={0, 3}))
    return "\n".join(lines)


def explanation_text(explanation: Explanation, depth: int | None = None) -> str:
    """Return the tree of evidence, at most ``depth`` levels deep."""
    score = explanation.score
    title = f"{explanation.design}: {TITLES[explanation.criterion]}"
    lines = wrapped(f"{title} {value_text(score)} (P10 - P90: {interval_text(score)})")
    lines.extend(wrapped(score.summary))
    for level, line in explanation.evidence.walk():
        if depth is None or level <= depth:
            lines.extend(wrapped(evidence_line(line), "  " * level, "  " * level + "    "))
    return "\n".join(lines)


def evidence_line(line: Evidence) -> str:
    """Return one line of evidence: its label, figure, note and source."""
    text = line.label
    if line.value is not None:
        text += f": {number(line.value)} {line.unit}".rstrip()
    if line.note:
        text += f" - {line.note}"
    if line.assumption:
        text += " [assumption]"
    if line.source:
        text += f" <{line.source}>"
    return text
