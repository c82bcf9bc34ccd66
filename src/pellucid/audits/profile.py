"""How much of everything an audit looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid import audits, config, naming
from pellucid.audits.part import Announced, Part
from pellucid.errors import ConfigError
from pellucid.explainers import EXPLAINERS, Explainer


@dataclass(frozen=True)
class Profile:
    """Parts by the name under which a page shows them, in that order.

    `budget` is how many seconds an audit is to take: parts are made lighter until it fits, as far as can be told.
    With 0 there is no limit.
    """

    summary: str
    parts: Mapping[str, Part] = field(default_factory=dict[str, Part])
    budget: float = 0.0

    @property
    def announced(self) -> tuple[Announced, ...] | None:
        """The figures that its parts will find; none where one of them cannot tell."""
        found: list[Announced] = []
        for part in self.parts.values():
            own = part.announced()
            if own is None:
                return None
            found += own
        return tuple(found)


def chosen(
    name: str,
    assignments: Sequence[str] = (),
    *,
    n: int | None = None,
    explainers: Sequence[str] = (),
    budget: str | None = None,
) -> Profile:
    """The profile of a name with settings of its parts as `part.setting=value`.

    No part looks at more than `n` images, and those that explain do so by these `explainers` instead of their own.
    `budget` is a time such as "10m" or "1h30m", or "none"; without it the profile's own holds.
    """
    listed = audits.PROFILES[name]
    if n is not None and n < 1:
        raise ConfigError(f"n is {n}; audit on 1 image or more")
    tables = {part: config.dump(value) for part, value in listed.parts.items()}
    own = naming.shared_out(tables, assignments)
    if explainers and not any("explainers" in table for table in tables.values()):
        raise ConfigError(f"the profile '{name}' has no part that explains; leave the explainers out")
    for part, table in tables.items():
        if explainers and "explainers" in table:
            table["explainers"] = {method: _explainer(method, table["explainers"]) for method in explainers}
        for assignment in own[part]:
            table = config.override(table, assignment)  # noqa: PLW2901
        if n is not None and table.get("n", 0) > n:
            table["n"] = n
        tables[part] = table
    return Profile(
        listed.summary,
        {part: config.build_as(Part, table, part) for part, table in tables.items()},
        listed.budget if budget is None else _seconds(budget),
    )


def _seconds(budget: str) -> float:
    if budget == "none":
        return 0.0
    seconds = naming.duration(budget)
    if seconds is None:
        raise ConfigError(f"the budget '{budget}' is no time; give one such as 90s, 10m or 1h30m, or none")
    return seconds


def _explainer(name: str, known: Mapping[str, Any]) -> Any:
    """With the settings that the profile has for it, if it has."""
    return known[name] if name in known else config.dump(naming.named(Explainer, EXPLAINERS, name))
