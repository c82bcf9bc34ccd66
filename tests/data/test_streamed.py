import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pellucid.batch import Batch
from pellucid.data import Decoding, Split, StreamedSplit, TensorSplit, holdout, load, sequential, statistics
from pellucid.errors import ShapeError

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]
Save = Callable[..., Path]


@pytest.fixture
def both(photos: Path) -> tuple[TensorSplit, StreamedSplit]:
    held = load(photos, decoding=Decoding(workers=0)).train
    streamed = load(photos, decoding=Decoding(memory=0, workers=0)).train
    assert isinstance(held, TensorSplit)
    assert isinstance(streamed, StreamedSplit)
    return held, streamed


def same(one: Split, other: Split) -> bool:
    plan = [torch.tensor([3, 0, 3]), torch.tensor([], dtype=torch.int64), *sequential(one, 2)]
    pairs = list(zip(one.batches(plan), other.batches(iter(plan)), strict=True))
    return len(pairs) == len(plan) and all(
        torch.equal(a.x, b.x)
        and torch.equal(a.y, b.y)
        and a.columns.keys() == b.columns.keys()
        and all(torch.equal(a.column(name), b.column(name)) for name in a.columns)
        for a, b in pairs
    )


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_are_those_in_memory(both: tuple[TensorSplit, StreamedSplit], workers: int):
    held, streamed = both
    assert isinstance(streamed, Split)
    assert same(held, replace(streamed, workers=workers))


def test_so_are_those_of_what_is_made_of_them(both: tuple[TensorSplit, StreamedSplit]):
    held, streamed = both
    changes: list[Callable[[Split], Split]] = [
        lambda split: split.take(5),
        lambda split: split.take(torch.tensor([5, 1, 2, 1])).take(torch.tensor([3, 0, 0, 1])),
        lambda split: split.with_column("reference", torch.arange(len(split))).take(4),
        lambda split: holdout(split, 0.4, 0)[1],
        lambda split: split.to("cpu"),
    ]
    for change in changes:
        assert same(change(held), change(streamed))
        assert change(held).fingerprint() == change(streamed).fingerprint()
    assert statistics(held) == statistics(streamed)


def test_the_fingerprint_is_of_names_and_sizes(photos: Path, save: Save):
    before = load(photos, decoding=Decoding(memory=0, workers=0)).train.fingerprint()
    moved = photos.rename(photos.parent / "moved")
    assert load(moved, decoding=Decoding(memory=0, workers=0)).train.fingerprint() == before
    for number in range(10):
        save(f"../moved/cat/{number}.png", "L")
    assert load(moved, decoding=Decoding(memory=0, workers=0)).train.fingerprint() != before


def test_what_is_held_is_the_same(both: tuple[TensorSplit, StreamedSplit]):
    _, streamed = both
    changes: list[Callable[[StreamedSplit], StreamedSplit]] = [
        lambda split: split,
        lambda split: split.take(torch.tensor([5, 1, 2, 1])),
        lambda split: split.with_column("reference", torch.arange(len(split))).take(4),
    ]
    for change in changes:
        asked = change(streamed)
        assert isinstance(asked.held(), TensorSplit)
        assert same(asked, asked.held()) and asked.held().fingerprint() == asked.fingerprint()


def test_no_worker_is_started_for_a_few_images(
    both: tuple[TensorSplit, StreamedSplit], monkeypatch: pytest.MonkeyPatch
):
    def start(_self: object) -> None:
        raise AssertionError("a worker is started")

    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", start)
    streamed = replace(both[1], workers=2)
    with pytest.raises(AssertionError, match="a worker is started"):
        list(streamed.batches(sequential(streamed, 2)))
    monkeypatch.setattr("pellucid.data.workers._WORTH", len(streamed))
    assert len(list(streamed.batches(sequential(streamed, len(streamed))))) == 1


def test_the_global_generator_is_left_alone(both: tuple[TensorSplit, StreamedSplit]):
    before = torch.get_rng_state()
    list(replace(both[1], workers=1).batches(sequential(both[1], 4)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture
def many(save: Save, tmp_path: Path) -> StreamedSplit:
    for part, count in (("train", 400), ("test", 1)):
        for number in range(count):
            save(f"{part}/cat/{number:03}.png")
    train = load(tmp_path / "images", decoding=Decoding(memory=1000, workers=0)).train
    assert isinstance(train, StreamedSplit)
    return train


@pytest.mark.parametrize("workers", [0, 2])
def test_a_few_batches_live_at_a_time(many: StreamedSplit, workers: int):
    asked = 0

    def plan() -> Iterator[Tensor]:
        nonlocal asked
        for positions in sequential(many, 8):
            asked += 1
            yield positions

    alive: list[weakref.ref[Batch]] = []
    for batch in replace(many, workers=workers).batches(plan()):
        alive.append(weakref.ref(batch))
        assert asked - len(alive) <= 2 * workers + 1
        assert sum(reference() is not None for reference in alive) <= 2
    assert asked == len(alive) == 50


def test_reading_can_stop_early(many: StreamedSplit):
    batches = replace(many, workers=2).batches(sequential(many, 8))
    first = next(batches)
    assert torch.equal(first.index, torch.arange(8))
    del batches
    assert len(list(replace(many, workers=2).take(16).batches(sequential(many.take(16), 8)))) == 2


def test_refusals(both: tuple[TensorSplit, StreamedSplit], raises: Raises):
    streamed = both[1]
    with raises(ShapeError, "'labels' has 13 rows for 14 files; each file needs one"):
        replace(streamed, labels=streamed.labels[1:])
    with raises(ShapeError, "'reference' has 3 rows for 14 images; each image needs one"):
        streamed.with_column("reference", torch.zeros(3))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_gpu_gives_the_same_bits(both: tuple[TensorSplit, StreamedSplit], workers: int):
    held, streamed = both
    assert same(held.to("cuda"), replace(streamed, workers=workers).to("cuda"))
