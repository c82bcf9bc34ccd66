"""Which explainers apply, as it is saved."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OfExplainer:
    """Whether an explainer applies to the network: why not, or by what it goes and what a map of an image takes.

    `seconds` is none where nobody knows.
    """

    name: str
    why: str = ""
    goes_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    forwards: int | None = None
    backwards: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Details:
    """Every explainer that was tried."""

    explainers: tuple[OfExplainer, ...] = ()
