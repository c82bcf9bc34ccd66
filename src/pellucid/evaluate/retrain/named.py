"""Rankings by the words that a person types."""

from collections.abc import Mapping, Sequence

from pellucid import naming
from pellucid.errors import ConfigError, UnknownName, suggestion
from pellucid.evaluate import retrain
from pellucid.evaluate.retrain.explained import Explained
from pellucid.evaluate.retrain.ranking import Ranking
from pellucid.explain import EXPLAINERS, named


def chosen(names: Sequence[str], assignments: Sequence[str] = ()) -> Mapping[str, Ranking]:
    """Rankings by name, or explainers by theirs, with settings as `name.setting=value`."""
    known = (*retrain.RANKINGS, *EXPLAINERS)
    if not names:
        raise ConfigError(f"no ranking is named{suggestion('', retrain.RANKINGS)}")
    for name in names:
        if name not in known:
            raise UnknownName(f"no ranking and no explainer is called '{name}'{suggestion(name, known)}")
    own = naming.shared_out(names, assignments)
    return {name: _ranking(name, settings) for name, settings in own.items()}


def _ranking(name: str, settings: Sequence[str]) -> Ranking:
    if name in retrain.RANKINGS:  # of two with one name this is meant
        return naming.named(Ranking, retrain.RANKINGS, name, settings)
    return Explained(named(name, settings))
