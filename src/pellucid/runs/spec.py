"""The full specification of a run: everything that its result depends on, and nothing else."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pellucid import config
from pellucid.config import Table
from pellucid.data import Augmentation
from pellucid.errors import ConfigError, UnknownName, suggestion
from pellucid.objectives import GradientNorm, Objective
from pellucid.train import PRESETS, RECIPES, Preset, Recipe
from pellucid.train.references import Reference, Taught

_INCIDENTAL = {"identity": False}  # where things lie and how fast they come does not change what comes out


@dataclass(frozen=True)
class DataSpec:
    """Which images: a name or a path, and how they are read. The fingerprint is that of their content.

    `only` names a list of class folders, or a file with one a line, that alone are read of a folder. `limit` takes no
    more than so many training images of each class, drawn by `split_seed`, and `first` no more than the first so many
    of them all; `tested` does so for test images. 0 takes all. With `random_labels` training images have each
    other's labels; `split_seed` says whose.
    """

    source: str = field(default="digits", metadata=_INCIDENTAL)
    fingerprint: str = ""
    size: int = 0
    first: int = 0
    tested: int = 0
    limit: int = 0
    split_seed: int = 0
    skip_bad: bool = False
    random_labels: bool = False
    only: str = field(default="", metadata=_INCIDENTAL)
    root: str = field(default="", metadata=_INCIDENTAL)
    download: bool = field(default=False, metadata=_INCIDENTAL)
    memory: int = field(default=2**30, metadata=_INCIDENTAL)
    workers: int = field(default=2, metadata=_INCIDENTAL)

    def __post_init__(self) -> None:
        for name in ("size", "first", "tested", "limit", "memory", "workers"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; give 0 or more")


@dataclass(frozen=True)
class ModelSpec:
    """Which network: a name or `package.module:factory`, its options, and the weights that it starts from.

    With `normalize`, the mean and standard deviation of the training images become part of the network.
    """

    name: str = "simple-cnn"
    normalize: bool = True
    init: str = field(default="", metadata=_INCIDENTAL)
    init_checksum: str = ""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Spec:
    """What is trained, on what, how, and from which seed.

    `references` are columns of maps for the training images: from the name that terms ask for to the source.
    """

    method: str
    objective: Objective
    seed: int = 0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    data: DataSpec = field(default_factory=DataSpec)
    model: ModelSpec = field(default_factory=ModelSpec)
    recipe: Recipe = field(default_factory=Recipe)
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])

    @property
    def fingerprint(self) -> str:
        """A hash of everything that the result depends on."""
        text = json.dumps(_identity(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def folder(self) -> str:
        """The name of the run's folder."""
        source = Path(self.data.source).name.partition(".")[0]
        words = [self.method, source or "data", self.model.name.rpartition(":")[2], self.fingerprint]
        return "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", word) for word in words)


def table(
    recipe: str,
    options: Mapping[str, Any] = MappingProxyType({}),
    assignments: Sequence[str] = (),
    *,
    preset: str = "",
) -> Table:
    """The settings of a recipe, by name or from a TOML file, with options by path and then `a.b=c` carried out.

    A `preset` has the settings that a paper or a table has for the recipe. Options that are None say nothing.
    """
    if not recipe.endswith(".toml"):
        settings = _from_preset(recipe, _published(recipe, preset))
    elif preset:
        raise ConfigError(f"the preset '{preset}' is of a recipe by name; write preset = \"{preset}\" in {recipe}")
    else:
        settings = _from_file(Path(recipe))
    for path, value in options.items():
        if value is not None:
            settings = config.assign(settings, path.split("."), value)
    for assignment in assignments:
        settings = config.override(settings, assignment)
    return settings


def augmented(settings: Table, own: Sequence[Augmentation]) -> Table:
    """The settings with the data's own augmentation, where they say nothing of any."""
    recipe = settings.get("recipe", {})
    if "augment" in recipe:
        return settings
    return {**settings, "recipe": {**recipe, "augment": config.dump(own)}}


def build(settings: Table, path: str = "") -> Spec:
    """The specification that tables describe; `path` is where they stand, for errors."""
    return config.build(Spec, settings, path)


def _published(recipe: str, preset: str) -> Preset:
    """The recipe as it is, or as the preset has it."""
    if not preset:
        return RECIPES[recipe]
    assert RECIPES[recipe]  # which says best what there is
    own = {name: entry.recipes[recipe] for name, entry in PRESETS.items() if recipe in entry.recipes}
    if preset not in own:
        raise UnknownName(f"{recipe} has no preset '{preset}'{suggestion(preset, own)}")
    return own[preset]


def _from_preset(name: str, preset: Preset) -> Table:
    settings = config.dump(Spec(name, preset.objective, recipe=preset.recipe, references=preset.references))
    settings["model"] |= {"name": preset.model, "normalize": preset.normalize, "options": config.dump(preset.options)}
    settings["data"] |= config.dump(preset.data)
    # a recipe that says nothing of augmentation leaves it to the data
    if not preset.recipe.augment:
        del settings["recipe"]["augment"]
    return settings


def _from_file(path: Path) -> Table:
    own = config.read(path)
    if isinstance(images := own.get("data"), dict):
        images.pop("download", None)  # a file may be a stranger's; whoever gives the command says so
    method, preset = own.get("method", ""), own.pop("preset", "")
    if not isinstance(method, str):
        raise ConfigError(
            f"method in {path} is {method!r}; it names a recipe, or is a name of your own for an [objective]"
        )
    if not isinstance(preset, str) or (preset and "objective" in own):
        raise ConfigError(f"preset in {path} is {preset!r}; it names settings of a method without an [objective]")
    if "objective" not in own:
        if not method:
            raise ConfigError(f'{path} has neither an [objective] nor a method; give one: method = "standard"')
        return config.merge(_from_preset(method, _published(method, preset)), own)
    base = _from_preset("standard", RECIPES["standard"])
    del base["objective"]
    return config.merge({**base, "method": path.stem}, own)


def _identity(value: Any) -> Any:
    """The value as tables, without what is incidental."""
    tables = config.dump(value)
    for part in dataclasses.fields(value):
        inner = getattr(value, part.name)
        if not part.metadata.get("identity", True):
            del tables[part.name]
        elif isinstance(inner, DataSpec | ModelSpec):
            tables[part.name] = _identity(inner)
    # runs that say nothing of what was added later keep the names that they had
    if isinstance(value, DataSpec):
        for name in ("first", "tested", "limit", "random_labels"):
            if not getattr(value, name):
                del tables[name]
    if isinstance(value, Taught) and not value.preset:
        del tables["preset"]
    if isinstance(value, Spec):
        tables["objective"] = _known_terms(value.objective)
        del tables["references"]
        if value.references:
            tables["references"] = {name: _identity(reference) for name, reference in value.references.items()}
    return tables


def _known_terms(objective: Objective) -> Table:
    """The objective as tables, without settings that were added to a term later and say nothing."""
    tables = config.dump(objective)
    for part, settings in zip(objective.terms, tables.values(), strict=True):
        if isinstance(part.term, GradientNorm):
            for name, before in (("norm", "l2"), ("units", "pixels")):
                if settings[name] == before:
                    del settings[name]
    return tables
