"""Making the maps of a whole split; what is done is kept, so that a making that was killed goes on."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.data import Split
from pellucid.errors import DataError, NotFinite
from pellucid.explainers import Explainer
from pellucid.kinds import in_single
from pellucid.ledger import Job, Progress, chunked, fingerprint, finished, identity, in_halves_on_oom, steps_in_chunks
from pellucid.train.references.map_folder import MapFolder
from pellucid.train.references.partial_maps import PartialMaps

Precision = Literal["float16", "float32"]


def make(
    model: nn.Module,
    split: Split,
    explainer: Explainer,
    out: Path,
    *,
    of: int | Literal["label", "predicted"] = "label",
    seed: int = 0,
    dtype: Precision = "float32",
    job: Job = Job(),
) -> MapFolder:
    """The maps of every image of a split, in a folder inside `out` that is named by all that they depend on.

    The same call goes on where it was stopped, and finds again what is complete. Several processes may do so at once.
    Where the job does not say how many, 32 images are explained at once, or 512 on an accelerator. In float16 maps
    take half the room, keep three digits, and lose what is smaller than 6e-8.
    """
    return finished(make_steps(model, split, explainer, out, of=of, seed=seed, dtype=dtype, job=job), job)


def make_steps(
    model: nn.Module,
    split: Split,
    explainer: Explainer,
    out: Path,
    *,
    of: int | Literal["label", "predicted"] = "label",
    seed: int = 0,
    dtype: Precision = "float32",
    job: Job = Job(),
) -> Generator[Progress, None, MapFolder]:
    """Make maps as `make` does, as a generator that says how far it is."""
    if not len(split):
        raise DataError("this split has no images; make maps of one or more")
    about: dict[str, Any] = {
        "teacher": fingerprint(model),
        "data": split.fingerprint(),
        "explainer": config.dump(explainer),
        "of": of,
        "seed": seed,
        "dtype": dtype,
        "shape": [len(split), *split.shape],
    }
    (first,) = split.batches([torch.arange(1)])
    model = in_single(model, first.x)
    folder = MapFolder(out / f"{about['explainer']['kind']}-{identity(about)}")
    store = PartialMaps(folder, about, job.batch or (512 if split.labels.is_cuda else 32))

    def made(numbers: Iterator[int], size: int) -> Iterator[Tensor]:
        for _, images in chunked(split, numbers, size):
            found = in_halves_on_oom(lambda some: explainer.on(model, some, of, seed=seed).map, images)
            yield _narrowed(torch.cat(found), dtype)

    return (yield from steps_in_chunks(store, made, rows=len(split), doing="maps", job=job))


def _narrowed(maps: Tensor, dtype: Precision) -> Tensor:
    narrow = maps.to({"float16": torch.float16, "float32": torch.float32}[dtype])
    if not narrow.isfinite().all():
        raise NotFinite(f"maps reach {float(maps.abs().max()):.3g}, which {dtype} cannot hold; keep them as float32")
    return narrow
