"""The first three lines of a comparison, as a board reads them: what and for how much, what it buys, how sure.

Each is one line of about :data:`~tenancykit.report.opening_line.LINE` characters: what has to be said first - money,
weeks, people, hires, purchases, what is gone without, open days, how sure - and then whatever still fits. The rest
stands below as details. Figures have three significant digits. Nobody has to know an id to read these lines: designs
are called what they are.
"""

from __future__ import annotations

from kubeanswers.records import dataclass
from tenancykit.report.giving_up import given_up, opened_up
from tenancykit.report.opening_buys import CHEAPEST, buys, dearer
from tenancykit.report.opening_level import refused, what_stands, what_would_reach
from tenancykit.report.opening_line import LINE, fitted
from tenancykit.report.opening_nobody import nearest, nearest_lines, undecided
from tenancykit.report.opening_sure import how_sure_line, would_be_first
from tenancykit.report.opening_what import recommended_line
from tenancykit.study.comparison import Study
from tenancykit.study.reaching import out_of_reach


@dataclass(frozen=True)
class Opening:
    """What is said first.

    Attributes:
        recommended: the design in plain words with its money, weeks and people; or that nobody is admitted.
        buys: open days a year per class; or the nearest miss.
        sure: clear, close or contested, and what would change it.
        details: what belongs to the three and did not fit, sentence by sentence.
    """

    recommended: str
    buys: str
    sure: str
    details: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines there is something to say in."""
        return tuple(filter(None, (self.recommended, self.buys, self.sure)))


def opening(study: Study) -> Opening:
    """Return the first three lines of a study, and what belongs to them."""
    if study.ranking is None:
        return _nobody(study)
    best = study.best
    sure, besides = how_sure_line(study, best)
    bought, also = buys(study, best, beside=sure, rival=would_be_first(study))
    untold = any(text.startswith(CHEAPEST) for text in also)
    first, more = recommended_line(best, dearer=dearer(study, best) if untold else "")
    return Opening(first, bought, sure, (*more, *also, *given_up(study), *opened_up(study), *besides))


def _nobody(study: Study) -> Opening:
    """Return what is said where no design is admitted; a level that nothing valid reaches before anything else."""
    near, near_lines = nearest(study), nearest_lines(study, LINE - len("Nearest: ."))
    line, rest = fitted(f"Nearest: {near_lines[0]}." if near else "", [f"Next: {text}." for text in near[1:2]])
    rest = [f"Nearest: {text}." for text in near[:1] if text not in line] + rest
    short = next(out_of_reach(study.evaluations), None)
    if short is not None:
        reach, more = fitted("", what_would_reach(short))
        return Opening(refused(short, LINE), what_stands(short), reach.strip(), (*more, line, *rest, undecided(study)))
    return Opening("No design is recommended: none meets every requirement.", line, undecided(study), tuple(rest))


__all__ = ["Opening", "opening"]
