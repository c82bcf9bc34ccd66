"""From settings to a specification in which nothing is left open: images, network, teachers and references."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pellucid import config, files, models
from pellucid.config import Table
from pellucid.data import Data, Split, statistics
from pellucid.data.download import Report, silent
from pellucid.errors import ConfigError
from pellucid.runs.loading import load_data
from pellucid.runs.spec import ModelSpec, Spec, augmented, build, table
from pellucid.train.references import Masks, Reference, Taught
from pellucid.train.references.reference import matching


def prepare(settings: Table, report: Report = silent) -> tuple[Spec, Data]:
    """Load the data that settings name, and complete the settings with what follows from it."""
    named = build(settings)
    known = named.data
    _check_options(named.model)
    check_teachers(named)
    source = load_data(known, report)
    parts = [split.fingerprint() for split in (source.train, source.validation, source.test) if split is not None]
    fingerprint = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]
    if known.fingerprint not in ("", fingerprint):
        raise ConfigError(
            f"the images of '{known.source}' are not those that the settings were made for; "
            "set data.fingerprint to '' to train on these"
        )
    spec = build(augmented(settings, source.augment))
    spec = replace(spec, data=replace(spec.data, fingerprint=fingerprint), model=_complete(spec, source))
    return replace(spec, references=_identified(spec, source)), source


def _identified(spec: Spec, source: Data) -> Mapping[str, Reference]:
    """The references with their fingerprints filled in; those that do not belong to the images are refused."""
    return {name: _one_identified(reference, spec, source) for name, reference in spec.references.items()}


def teacher(taught: Taught, spec: Spec, source: Data) -> Spec:
    """What the teacher of a student is: trained by its own recipe, with the student's data, network and seed."""
    found = build(augmented(_lesson(taught, spec), source.augment))
    return replace(found, references=_identified(found, source))


def check_teachers(spec: Spec, path: str = "references") -> None:
    """Refuse settings of teachers that do not exist, before any data are read; `path` is where they stand."""
    for name, reference in spec.references.items():
        if isinstance(reference, Taught):
            place = f"{path}.{name}.settings"
            check_teachers(build(_lesson(reference, spec), place), f"{place}.references")


def _lesson(taught: Taught, spec: Spec) -> Table:
    shared: Table = {
        "seed": spec.seed,
        "precision": spec.precision,
        "data": config.dump(spec.data),
        "model": config.dump(spec.model),
    }
    return config.merge({**table(taught.recipe, preset=taught.preset), **shared}, dict(taught.settings))


def training_images(reference: Reference, spec: Spec, source: Data) -> Split:
    """The training images as the reference needs them: masks are found by the names of the images' files."""
    # images that were read into memory have left their names behind
    return load_data(replace(spec.data, memory=0)).train if isinstance(reference, Masks) else source.train


def _one_identified(reference: Reference, spec: Spec, source: Data) -> Reference:
    if not isinstance(reference, Taught):
        return reference.identified(training_images(reference, spec, source))
    found = teacher(reference, spec, source).fingerprint
    return replace(reference, fingerprint=matching(reference.fingerprint, found, "the teacher's recipe and settings"))


def _check_options(model: ModelSpec) -> None:
    """Refuse options that the network does not take, before any data are read."""
    known = models.options_of(model.name)
    for option in model.options:
        if known is not None and option not in known:
            raise config.no_setting(f"model.options.{option}", [f"model.options.{name}" for name in known])


def _complete(spec: Spec, source: Data) -> ModelSpec:
    """The network's settings, with those that follow from the data and from the weights it starts from."""
    options = dict(spec.model.options)
    if spec.model.name in models.MODELS:
        options = {"shape": list(source.train.shape), "classes": len(source.train.classes)} | options
        if spec.model.normalize:
            # rounded, since sums in another order would otherwise give the same run another name
            mean, std = ([round(value, 4) for value in values] for values in statistics(source.train))
            # a channel without any variation is left at its scale
            options = {"mean": mean, "std": [value or 1.0 for value in std]} | options
    checksum = ""
    if spec.model.init:
        models.read_weights(spec.model.init)  # says what is wrong with the file before a folder is named after it
        checksum = files.checksum(Path(spec.model.init))
    return replace(spec.model, options=options, init_checksum=checksum)
