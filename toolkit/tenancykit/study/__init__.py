from tenancykit.study.comparison import Study, compare
from tenancykit.study.evaluation import Evaluation, Explanation, People, evaluate

__all__ = ["Evaluation", "Explanation", "People", "Study", "compare", "evaluate"]
