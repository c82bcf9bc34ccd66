"""Explainers by the words that a person types."""

from collections.abc import Sequence

from pellucid import config, explain
from pellucid.config import Table
from pellucid.explain.explainer import Explainer


def named(name: str, assignments: Sequence[str] = ()) -> Explainer:
    """The explainer of a name, with settings as `setting=value`."""
    assert explain.EXPLAINERS[name]  # which says best what there is
    table: Table = {"kind": name}
    for assignment in assignments:
        table = config.override(table, assignment)
    return config.build(Explainer, table)
