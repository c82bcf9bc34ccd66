"""Metrics and explainers by the words that a person types."""

from collections.abc import Mapping, Sequence

from pellucid import naming
from pellucid.errors import ConfigError, suggestion
from pellucid.evaluate.explanations import METRICS
from pellucid.evaluate.explanations.metric import Metric
from pellucid.explainers import EXPLAINERS, Explainer


def metrics_named(
    metrics: Sequence[str], explainers: Sequence[str], assignments: Sequence[str] = ()
) -> tuple[Mapping[str, Metric], Mapping[str, Explainer]]:
    """Metrics and explainers by name; settings are those of the one whose name they begin with."""
    if not metrics:
        raise ConfigError(f"no metric is named{suggestion('', METRICS)}")
    judges = {name: naming.defaults(METRICS[name], name) for name in metrics}
    judged = {name: naming.defaults(EXPLAINERS[name], name) for name in explainers}
    own = naming.shared_out({**judges, **judged}, assignments)
    return (
        naming.several(Metric, METRICS, metrics, own),
        naming.several(Explainer, EXPLAINERS, explainers, own),
    )
