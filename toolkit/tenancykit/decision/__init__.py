"""From four criteria to a choice somebody can defend: screen, weigh, rank, front, uncertainty, sensitivity, reasons.

Pure mathematics over labels and arrays; nothing here knows what a design is. Convention: directions are inverted first,
then values are normalised, then weighted. Any matrix will do:

>>> table = DecisionTable.of(["A1", "A2", "A3"], {"price": "lower", "range": "higher"}, [[5, 8], [7, 9], [8, 9.5]])
>>> weights = direct_weights({"price": 3, "range": 1}, table.names, normalise=True)
>>> topsis(scale_by_length(table), weights).ordered()  # vector normalisation; scale: min-max; scale_by_share: by sums
('A1', 'A2', 'A3')
>>> vikor(scale(table), weights, majority=0.5).compromise
('A1',)
>>> promethee(table, weights, {"price": Preference("linear", q=1, p=4), "range": Preference("usual")}).winner
'A1'
>>> ordinal = partial_weights(table.names, order=["price", "range"], between={"range": (0.1, 0.5)})
>>> smaa(scale(table), ordinal, samples=1000).rank_acceptability.shape  # [designs x ranks]
(3, 3)
>>> judged = pairwise_weights(["price", "range", "comfort"], {("price", "range"): 3, ("price", "comfort"): 5,
...     ("range", "comfort"): 2})
>>> judged.accepted().as_dict()["price"]  # principal eigenvector; refused above a consistency ratio of 0.10
0.648...
"""

from tenancykit.decision.agreement import (
    Agreement,
    Disagreement,
    Reversal,
    ReversalReport,
    agreement,
    kendall_tau,
    rank_reversal,
)
from tenancykit.decision.assumptions import Assumption, TippingPoint, TornadoRow, tipping_points, tornado
from tenancykit.decision.combining import CombinedFront, Part, combine_fronts
from tenancykit.decision.explain import Contribution, Need, Neighbour, Step, Why, frontier, last_step, neighbours, why
from tenancykit.decision.pareto import Front, TableFront, front_of, pareto_front
from tenancykit.decision.promethee import Preference, promethee, range_preferences
from tenancykit.decision.ranking import Ranking, rank_scores, topsis, vikor, weighted_scores, weighted_sum
from tenancykit.decision.relevance import Relevance
from tenancykit.decision.sampling import Uncertainty
from tenancykit.decision.scaling import Bounds, Scaled, scale, scale_by_length, scale_by_share
from tenancykit.decision.screen import HardRequirement, Measure, Miss, Near, Screening, screen
from tenancykit.decision.sensitivity import ValueTip, WeightInterval, value_tips, weight_intervals
from tenancykit.decision.smaa import SmaaResult, smaa
from tenancykit.decision.stakeholders import Consensus, Stakeholder, Veto, consensus
from tenancykit.decision.table import Criterion, DecisionTable
from tenancykit.decision.verdict import CLEAR, Verdict, verdict
from tenancykit.decision.weight_space import WeightSpace, free_weights, known_weights, partial_weights, weights_near
from tenancykit.decision.weights import (
    JudgementAtOdds,
    PairwiseWeights,
    Weights,
    direct_weights,
    equal_weights,
    matrix_weights,
    pairwise_weights,
    swing_weights,
)

__all__ = [
    "CLEAR",
    "Agreement",
    "Assumption",
    "Bounds",
    "CombinedFront",
    "Consensus",
    "Contribution",
    "Criterion",
    "DecisionTable",
    "Disagreement",
    "Front",
    "HardRequirement",
    "JudgementAtOdds",
    "Measure",
    "Miss",
    "Near",
    "Need",
    "Neighbour",
    "PairwiseWeights",
    "Part",
    "Preference",
    "Ranking",
    "Relevance",
    "Reversal",
    "ReversalReport",
    "Scaled",
    "Screening",
    "SmaaResult",
    "Stakeholder",
    "Step",
    "TableFront",
    "TippingPoint",
    "TornadoRow",
    "Uncertainty",
    "ValueTip",
    "Verdict",
    "Veto",
    "WeightInterval",
    "WeightSpace",
    "Weights",
    "Why",
    "agreement",
    "combine_fronts",
    "consensus",
    "direct_weights",
    "equal_weights",
    "free_weights",
    "front_of",
    "frontier",
    "kendall_tau",
    "known_weights",
    "last_step",
    "matrix_weights",
    "neighbours",
    "pairwise_weights",
    "pareto_front",
    "partial_weights",
    "promethee",
    "range_preferences",
    "rank_reversal",
    "rank_scores",
    "scale",
    "scale_by_length",
    "scale_by_share",
    "screen",
    "smaa",
    "swing_weights",
    "tipping_points",
    "topsis",
    "tornado",
    "value_tips",
    "verdict",
    "vikor",
    "weight_intervals",
    "weighted_scores",
    "weighted_sum",
    "weights_near",
    "why",
]
