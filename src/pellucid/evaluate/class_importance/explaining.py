"""Explaining a split chunk by chunk for class importance; what is done is kept, so that a killed run goes on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid import config, files
from pellucid.batch import Batch
from pellucid.data import Split, sample, sequential
from pellucid.errors import MeasurementError
from pellucid.evaluate.class_importance.folder import ImportanceFolder
from pellucid.explainers.normlime import NormLime, Vocabulary
from pellucid.explainers.normlime.local import Labels, Local, class_count, explained, learn_words, segmented
from pellucid.kinds import in_single
from pellucid.ledger import BATCH, Chunks, Columns, Job, by_images, fingerprint, identity, in_chunks

_EDITION = 2  # what hides nothing has no coefficient
_LEARNED_FROM = 500  # images that a vocabulary is learned from, however many are explained


def explain_split(
    model: nn.Module,
    split: Split,
    explainer: NormLime,
    out: Path,
    *,
    labels: Labels = "predicted",
    seed: int = 0,
    job: Job = Job(),
) -> ImportanceFolder:
    """LIME for every image of a split, in a folder inside `out` that is named by all that the explanations depend on.

    Each image is explained for the class that it is predicted as, or for its label; that is the class that its
    explanation counts for. How explanations are put together is no part of it: one folder answers for every `Rule`.
    The same call goes on where it was stopped, and finds again what is complete. Several processes may do so at once.
    """
    if not len(split):
        raise MeasurementError("this split has no images; explain one or more")
    (first,) = split.batches([*sequential(split, 1)[:1]])
    about: dict[str, Any] = {
        "edition": _EDITION,
        "lime": config.dump(explainer.lime.resolved(split.shape)),
        "words": explainer.words,
        "layer": explainer.layer,
        "labels": labels,
        "seed": seed,
        "classes": class_count(model, first),
        "features": explainer.words or int(segmented(explainer.lime, first)[1].max()),
        "images": len(split),
        "shape": list(split.shape),
        "data": split.fingerprint(),
        "model": fingerprint(model),
    }
    model, batch = in_single(model, first.x), job.batch or BATCH
    store = _Explanations(ImportanceFolder(out / f"normlime-{identity(about)}"), about, batch)
    store.begin()
    vocabulary = store.words(lambda: _vocabulary(model, split, explainer, seed, batch)) if explainer.words else None

    def columns(some: Batch) -> dict[str, Tensor]:
        return _columns(some, explained(model, some, explainer.lime, labels, vocabulary, seed=seed))

    make = by_images(split, columns, _joined)
    return in_chunks(store, make, rows=len(split), doing="explaining", job=job)


def _vocabulary(model: nn.Module, split: Split, explainer: NormLime, seed: int, batch: int) -> Vocabulary:
    some = sample(split, _LEARNED_FROM, seed=seed)
    seen = some.batches(sequential(some, batch))
    return learn_words(model, seen, explainer.lime, explainer.words, layer=explainer.layer, seed=seed)


class _Explanations:
    """A store of explanations, which stay in chunks: tallies are made of one after the other."""

    def __init__(self, folder: ImportanceFolder, about: Mapping[str, Any], batch: int) -> None:
        self.path = folder.path
        self._folder = folder
        self._chunks = Chunks(folder.path, about, batch)

    def begin(self) -> int:
        """How many images a chunk has."""
        return self._chunks.begin()

    def words(self, learned: Callable[[], Vocabulary]) -> Vocabulary:
        """The words for superpixels, which one process learns while the others wait for it.

        Chunks that were made by other words go.
        """
        with files.locked(self.path, wait=True):
            vocabulary = self._folder.vocabulary
            if vocabulary is None:
                vocabulary = learned()
                if not self._folder.vouches_for(vocabulary):
                    self._chunks.forget()
                self._folder.keep_words(vocabulary)
        return vocabulary

    def whole(self) -> ImportanceFolder | None:
        """Nothing: there is no more than the chunks."""
        return None

    def has(self, number: int) -> bool:
        """Whether a chunk is done."""
        return self._chunks.has(number)

    def claim(self, number: int) -> bool:
        """Claim a chunk for this process; not where somebody else is at it."""
        return self._chunks.claim(number)

    def release(self, number: int) -> None:
        """Give a claim up."""
        self._chunks.release(number)

    def keep(self, number: int, columns: Columns) -> None:
        """Write a chunk, and give up the claim."""
        self._chunks.keep(number, {name: column.cpu().numpy() for name, column in columns.items()})

    def finish(self) -> ImportanceFolder:
        """The folder, which has them all."""
        self._chunks.sweep()
        return self._folder

    def finished(self) -> ImportanceFolder | None:
        """Nothing: nobody joins chunks."""
        return None

    def close(self) -> None:
        """Give up all claims."""
        self._chunks.close()


def _joined(parts: Sequence[Columns]) -> Columns:
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
