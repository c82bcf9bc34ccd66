"""How much longer an audit takes, told from what it has taken so far."""

from collections.abc import Sequence

from pellucid.audits.carrying_out import Planned

_TRUST = 0.1  # of the whole plan: so much weight the plan keeps against what has been measured


class Pace:
    """A plan that is corrected while it is carried out."""

    def __init__(self, planned: Sequence[Planned]) -> None:
        self._left = {(entry.model, entry.part): entry.seconds for entry in planned}
        self._prior = _TRUST * sum(self._left.values())
        self._planned = self._taken = 0.0

    def done(self, model: int, part: str, seconds: float) -> None:
        """A part has taken so many seconds."""
        self._planned += self._left.pop((model, part), 0.0)
        self._taken += seconds

    def left(self, model: int | None = None, part: str = "", elapsed: float = 0.0) -> float:
        """The seconds that are left, with a part `elapsed` seconds old; one that overruns is about to end."""
        ratio = (self._taken + self._prior) / (self._planned + self._prior) if self._prior else 1.0
        current = 0.0 if model is None else self._left.get((model, part), 0.0)
        others = sum(self._left.values()) - current
        return others * ratio + max(current * ratio - elapsed, 0.0)


def in_words(seconds: float) -> str:
    """A time as a person says it, no finer than it can be known."""
    if seconds < 1:
        return "under a second"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
