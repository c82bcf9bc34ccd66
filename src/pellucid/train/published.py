"""Settings under which a paper, or a table of the documentation, trained: what `--preset` names."""

from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.train.preset import Preset


@dataclass(frozen=True)
class Published:
    """The settings of one source, for each of the recipes that it trained by; `source` says where they are from."""

    source: str
    recipes: Mapping[str, Preset]

    @property
    def summary(self) -> str:
        """The source, and the recipes that have these settings."""
        return f"{self.source}; for {', '.join(self.recipes)}"
