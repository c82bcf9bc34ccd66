"""Explaining a split chunk by chunk for class importance; what is done is kept, so that a killed run goes on."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid import config, files
from pellucid.batch import Batch
from pellucid.data import Split, sequential
from pellucid.errors import MeasurementError
from pellucid.evaluate.importance_folder import ImportanceFolder
from pellucid.evaluate.sample import sample
from pellucid.explainers.normlime import NormLime
from pellucid.explainers.normlime.local import Labels, Local, classes_of, explained, learn_words, segmented
from pellucid.kinds import in_single
from pellucid.ledger import fingerprint, identity, in_halves_on_oom

_EDITION = 2  # what hides nothing has no coefficient
_LEARNED_FROM = 500  # images that a vocabulary is learned from, however many are explained


@dataclass(frozen=True)
class Explained:
    """How far the explaining is: images done, of how many."""

    done: int
    total: int


def explain(
    model: nn.Module,
    split: Split,
    explainer: NormLime,
    out: Path,
    *,
    labels: Labels = "predicted",
    seed: int = 0,
    batch: int = 128,
    watch: Callable[[Explained], None] = lambda _: None,
) -> ImportanceFolder:
    """LIME for every image of a split, in a folder inside `out` that is named by all that the explanations depend on.

    Each image is explained for the class that it is predicted as, or for its label; that is the class that its
    explanation counts for. How explanations are put together is no part of it: one folder answers for every `Rule`.
    The same call goes on where it was stopped, and finds again what is complete. Memory grows with `batch`, not with
    the number of images. `watch` is told after every chunk how far it is.
    """
    steps = explain_steps(model, split, explainer, out, labels=labels, seed=seed, batch=batch)
    while True:
        try:
            watch(next(steps))
        except StopIteration as end:
            return end.value


def explain_steps(
    model: nn.Module,
    split: Split,
    explainer: NormLime,
    out: Path,
    *,
    labels: Labels = "predicted",
    seed: int = 0,
    batch: int = 128,
) -> Generator[Explained, None, ImportanceFolder]:
    """Explain classes as `explain` does, as a generator that says how far it is."""
    if not len(split):
        raise MeasurementError("this split has no images; explain one or more")
    (first,) = split.batches([*sequential(split, 1)[:1]])
    about: dict[str, Any] = {
        "edition": _EDITION,
        "lime": config.dump(explainer.lime),
        "words": explainer.words,
        "layer": explainer.layer,
        "labels": labels,
        "seed": seed,
        "classes": classes_of(model, first),
        "features": explainer.words or int(segmented(explainer.lime, first)[1].max()),
        "images": len(split),
        "shape": list(split.shape),
        "data": split.fingerprint(),
        "model": fingerprint(model),
    }
    model = in_single(model, first.x)
    folder = ImportanceFolder(out / f"normlime-{identity(about)}")
    with files.locked(folder.path):
        plan = sequential(split, folder.begin(about, batch))
        vocabulary = folder.vocabulary
        if explainer.words and vocabulary is None:
            some = sample(split, _LEARNED_FROM, seed=seed)
            seen = some.batches(sequential(some, batch))
            vocabulary = learn_words(model, seen, explainer.lime, explainer.words, layer=explainer.layer, seed=seed)
            folder.keep_words(vocabulary)
        missing = folder.missing()
        done = len(split) - sum(len(plan[number]) for number in missing)
        if done:
            yield Explained(done, len(split))

        def columns(some: Batch) -> dict[str, Tensor]:
            return _columns(some, explained(model, some, explainer.lime, labels, vocabulary, seed=seed))

        for number, images in zip(missing, split.batches([plan[number] for number in missing]), strict=True):
            folder.keep(_joined(in_halves_on_oom(columns, images)), number)
            done += len(images)
            yield Explained(done, len(split))
    return folder


def _joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The columns of several batches, as wide as the widest; where an image has no such superpixel is no word."""
    if len(parts) == 1:
        return parts[0]
    found: dict[str, Tensor] = {}
    for name in parts[0]:
        columns = [part[name] for part in parts]
        if columns[0].dim() > 1:
            most = max(column.shape[1] for column in columns)
            missing = -1 if name == "words" else 0
            columns = [F.pad(column, (0, most - column.shape[1]), value=missing) for column in columns]
        found[name] = torch.cat(columns)
    return found


def _columns(images: Batch, local: Local) -> dict[str, Tensor]:
    columns = {
        "index": images.index,
        "y": images.y,
        "of": local.classes,
        "coefficients": local.coefficients,
        "adjusted_r2": local.adjusted_r2,
        "idle": local.idle,
        "segments": local.counts,
    }
    return columns if local.words is None else {**columns, "words": local.words}
