"""Rankings by the words that a person types."""

from collections.abc import Mapping, Sequence

from pellucid import naming
from pellucid.errors import ConfigError, UnknownName, suggestion
from pellucid.evaluate import retrain
from pellucid.evaluate.retrain.explained import ByExplainer
from pellucid.evaluate.retrain.ranking import Ranking
from pellucid.explainers import EXPLAINERS, Explainer


def rankings_named(names: Sequence[str], assignments: Sequence[str] = ()) -> Mapping[str, Ranking]:
    """Rankings by name, or explainers by theirs, with settings as `name.setting=value`."""
    known = (*retrain.RANKINGS, *EXPLAINERS)
    if not names:
        raise ConfigError(f"no ranking is named{suggestion('', retrain.RANKINGS)}")
    for name in names:
        if name not in known:
            raise UnknownName(f"no ranking and no explainer is called '{name}'{suggestion(name, known)}")
    # of a ranking and an explainer with one name the ranking is meant
    ranks = [name for name in names if name in retrain.RANKINGS]
    tables = {
        name: naming.defaults((retrain.RANKINGS if name in ranks else EXPLAINERS)[name], name) for name in names
    }
    own = naming.shared_out(tables, assignments)
    found = naming.several(Ranking, retrain.RANKINGS, ranks, own)
    explainers = naming.several(Explainer, EXPLAINERS, [name for name in names if name not in ranks], own)
    explained = {name: ByExplainer(explainer) for name, explainer in explainers.items()}
    return {name: (found | explained)[name] for name in names}
