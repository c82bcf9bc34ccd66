"""What `pellucid train` knows a method by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pellucid.objectives import Objective
from pellucid.train.recipe import Recipe
from pellucid.train.references import Reference


@dataclass(frozen=True)
class Preset:
    """A published method as an objective, with settings to start from; `options` are the network's.

    `references` are the maps that its terms compare gradients with, by the name of the column. `data` are settings of
    the images, such as `source`.
    """

    summary: str
    objective: Objective
    recipe: Recipe = field(default_factory=Recipe)
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    model: str = "simple-cnn"
    normalize: bool = True
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Published:
    """The settings of one source for each recipe that it trained by; `summary` names the source, then the recipes."""

    summary: str
    recipes: Mapping[str, Preset]
