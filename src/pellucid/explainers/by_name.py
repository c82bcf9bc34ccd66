"""Explainers by the words that a person types."""

from collections.abc import Mapping, Sequence

from pellucid import explainers, naming
from pellucid.errors import ConfigError, suggestion
from pellucid.explainers.explainer import Explainer


def named(name: str, assignments: Sequence[str] = ()) -> Explainer:
    """The explainer of a name, with settings as `setting=value`."""
    return naming.named(Explainer, explainers.EXPLAINERS, name, assignments)


def chosen(names: Sequence[str], assignments: Sequence[str] = ()) -> Mapping[str, Explainer]:
    """Several explainers by name, with settings as `name.setting=value`; of a single one as `setting=value` too."""
    if not names:
        raise ConfigError(f"no explainer is named{suggestion('', explainers.EXPLAINERS)}")
    own = naming.shared_out({name: naming.defaults(explainers.EXPLAINERS[name], name) for name in names}, assignments)
    return naming.several(Explainer, explainers.EXPLAINERS, names, own)
