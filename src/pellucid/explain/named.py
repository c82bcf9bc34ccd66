"""Explainers by the words that a person types."""

from collections.abc import Mapping, Sequence

from pellucid import config, explain
from pellucid.config import Table
from pellucid.errors import ConfigError, suggestion
from pellucid.explain.explainer import Explainer


def named(name: str, assignments: Sequence[str] = ()) -> Explainer:
    """The explainer of a name, with settings as `setting=value`."""
    table = _defaults(explain.EXPLAINERS[name], name)
    for assignment in assignments:
        table = config.override(table, assignment)
    return config.build(Explainer, table)


def chosen(names: Sequence[str], assignments: Sequence[str] = ()) -> Mapping[str, Explainer]:
    """Several explainers by name, with settings as `name.setting=value`; of a single one as `setting=value` too."""
    if not names:
        raise ConfigError(f"no explainer is named{suggestion('', explain.EXPLAINERS)}")
    own: dict[str, list[str]] = {name: [] for name in names}
    for assignment in assignments:
        owner, _, rest = assignment.partition("=")[0].partition(".")
        if owner in own and rest:
            own[owner].append(assignment.removeprefix(f"{owner}."))
        elif len(own) == 1:
            own[names[0]].append(assignment)
        else:
            raise ConfigError(f"'{assignment}' does not say whose setting it is; write it as {names[0]}.{assignment}")
    return {name: named(name, settings) for name, settings in own.items()}


def _defaults(explainer: type[Explainer], name: str) -> Table:
    """Its settings where nobody says otherwise, so that one inside another can be changed alone."""
    try:
        return config.dump(explainer())
    except TypeError:  # one that has to be told something has none
        return {"kind": name}
