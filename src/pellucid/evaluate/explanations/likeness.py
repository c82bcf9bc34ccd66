"""What metrics share whose value is how alike two maps are."""

from pellucid.evaluate.explanations.metric import Metric
from pellucid.metrics.agreement import Similarity


class Likeness(Metric):
    """A metric that compares maps by a `similarity`, which gives its values their meaning."""

    similarity: Similarity

    @property
    def low(self) -> float:
        """Maps as unlike as they can be."""
        return self.similarity.low

    @property
    def high(self) -> float:
        """The most that a value can be: the same map."""
        return 1.0

    @property
    def undefined(self) -> str:
        """What keeps maps from being compared."""
        return self.similarity.undefined
