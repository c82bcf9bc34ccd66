"""What a run's references are made of: everything that the run's fingerprint has to know of them."""

from collections.abc import Mapping
from dataclasses import replace

from pellucid import config
from pellucid.config import Table
from pellucid.data import Data, Split
from pellucid.runs.loading import load_data
from pellucid.runs.spec import Spec, augmented, build, table
from pellucid.train.references import Masks, Reference, Taught
from pellucid.train.references.reference import matching


def identified(spec: Spec, source: Data) -> Mapping[str, Reference]:
    """The references with their fingerprints filled in; those that do not belong to the images are refused."""
    return {name: _identified(reference, spec, source) for name, reference in spec.references.items()}


def teacher(taught: Taught, spec: Spec, source: Data) -> Spec:
    """What the teacher of a student is: trained by its own recipe, with the student's data, network and seed."""
    found = build(augmented(_lesson(taught, spec), source.augment))
    return replace(found, references=identified(found, source))


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


def images_of(reference: Reference, spec: Spec, source: Data) -> Split:
    """The training images as the reference needs them: masks are found by the names of the images' files."""
    # images that were read into memory have left their names behind
    return load_data(replace(spec.data, memory=0)).train if isinstance(reference, Masks) else source.train


def _identified(reference: Reference, spec: Spec, source: Data) -> Reference:
    if not isinstance(reference, Taught):
        return reference.identified(images_of(reference, spec, source))
    found = teacher(reference, spec, source).fingerprint
    return replace(reference, fingerprint=matching(reference.fingerprint, found, "the teacher's recipe and settings"))
