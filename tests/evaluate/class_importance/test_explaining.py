"""Explaining a split in chunks, in any order, in several processes, and going on after an end that came too soon."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from networks import images, smooth
from pellucid import models
from pellucid.data import TensorSplit, load, sequential
from pellucid.errors import Damaged, MeasurementError
from pellucid.evaluate import ImportanceFolder, explain_split, write_importance
from pellucid.explainers import NormLime
from pellucid.explainers.lime import Grid, Lime, Slic
from pellucid.explainers.normlime import Importance, Rule
from pellucid.ledger import Job, Progress


class Stop(Exception):
    """What ends a work before its time."""


SHARED = NormLime(Lime(Grid(3, 3), masks=60))
WORDS = NormLime(Lime(Slic(4), masks=30), words=3)


def subject(count: int = 23) -> tuple[nn.Module, TensorSplit]:
    model, x = smooth().float(), images(count, 1, 6, 6).float()
    last = list(model.modules())[-1]
    assert isinstance(last, nn.Linear)
    last.bias.data -= model(x).detach().mean(0)  # or all images were of one class
    return model, TensorSplit(x, model(x).argmax(1).flip(0), ("a", "b", "c", "d"))


def alike(one: Importance, other: Importance) -> bool:
    return torch.equal(one.counts, other.counts) and torch.allclose(one.values, other.values, rtol=1e-4, atol=1e-9)


def content(folder: ImportanceFolder) -> list[dict[str, Tensor]]:
    return [dict(chunk) for chunk in folder.chunks()]


def same(one: ImportanceFolder, other: ImportanceFolder) -> bool:
    pairs = zip(content(one), content(other), strict=True)
    return one.about == other.about and all(
        torch.equal(first[name], second[name]) for first, second in pairs for name in first
    )


@pytest.mark.parametrize("explainer", [SHARED, WORDS], ids=["shared", "words"])
def test_neither_chunks_nor_the_order_of_images_show_in_the_result(tmp_path: Path, explainer: NormLime) -> None:
    model, split = subject()
    whole = explain_split(model, split, explainer, tmp_path / "whole", job=Job(23))
    small = explain_split(model, split, explainer, tmp_path / "small", job=Job(4))
    assert small.count == 6 and whole.count == 1
    assert small.path.name == whole.path.name
    if explainer is SHARED:  # the vocabulary is learned from images in the order that they come in
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))
        shuffled = explain_split(model, split.take(order), explainer, tmp_path / "shuffled", job=Job(7))
        assert alike(shuffled.importance(Rule()), whole.importance(Rule()))
    for rule in (Rule(), Rule("mean-abs", by="global"), Rule(sign="positive", compat="interpretdl")):
        assert alike(small.importance(rule), whole.importance(rule))


def test_it_is_what_the_explainer_learns_from_the_same_images(tmp_path: Path) -> None:
    model, split = subject()
    folder = explain_split(model, split, SHARED, tmp_path, seed=3)
    learned = SHARED.fit(model, split.pixels, seed=3).learned
    assert learned is not None
    assert alike(folder.importance(SHARED.rule), learned.importance)


def test_labels_are_another_question_than_predictions(tmp_path: Path) -> None:
    model, split = subject()
    predicted = explain_split(model, split, SHARED, tmp_path)
    true = explain_split(model, split, SHARED, tmp_path, labels="true")
    assert predicted.path != true.path
    (chunk,), (other,) = content(predicted), content(true)
    assert torch.equal(chunk["of"], model(split.pixels).argmax(1))
    assert torch.equal(other["of"], split.labels)


def test_parts_explained_apart_add_up_to_the_whole(tmp_path: Path) -> None:
    model, split = subject()
    whole = explain_split(model, split, SHARED, tmp_path).importance(Rule())
    halves = [split.take(torch.arange(0, 23, 2)), split.take(torch.arange(1, 23, 2))]
    one, other = (explain_split(model, half, SHARED, tmp_path).tally(Rule()) for half in halves)
    assert alike((one + other).importance(), whole)


HALF = """
import sys
from pathlib import Path
import torch
from pellucid import data, evaluate, models
from pellucid.explainers import NormLime
from pellucid.explainers.lime import Grid, Lime
torch.set_num_threads(1)
some = data.load("digits").test.take(torch.arange(int(sys.argv[1]), 40, 2))
model = models.build("mlp", shape=some.shape).eval()
evaluate.explain_split(model, some, NormLime(Lime(Grid(3, 3), masks=60)), Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_two_processes_add_up_to_one(tmp_path: Path) -> None:
    started = [subprocess.Popen([sys.executable, "-c", HALF, half], cwd=tmp_path) for half in ("0", "1")]
    assert [process.wait(60) for process in started] == [0, 0]
    ((one,), (other,)) = (list((tmp_path / half).iterdir()) for half in ("0", "1"))
    some = load("digits").test.take(40)
    whole = explain_split(models.build("mlp", shape=some.shape).eval(), some, SHARED, tmp_path / "whole").tally(
        Rule()
    )
    together = ImportanceFolder(one).tally(Rule()) + ImportanceFolder(other).tally(Rule())
    assert alike(together.importance(), whole.importance())


@pytest.mark.parametrize("explainer", [SHARED, WORDS], ids=["shared", "words"])
def test_what_was_stopped_goes_on_with_the_same_bits(tmp_path: Path, explainer: NormLime) -> None:
    model, split = subject()
    undisturbed = explain_split(model, split, explainer, tmp_path / "undisturbed", job=Job(5))
    begun: list[tuple[int, int]] = []

    def stop(step: Progress) -> None:
        begun.append((step.done, step.total))
        if len(begun) == 2:
            raise Stop

    with pytest.raises(Stop):
        explain_split(model, split, explainer, tmp_path / "stopped", job=Job(5, watch=stop))
    assert begun == [(5, 23), (10, 23)]
    seen: list[int] = []
    # another size of chunks would round otherwise, so that the first one stays
    resumed = explain_split(
        model, split, explainer, tmp_path / "stopped", job=Job(9, watch=lambda step: seen.append(step.done))
    )
    assert seen == [10, 15, 20, 23]
    assert same(undisturbed, resumed)
    seen.clear()
    explain_split(model, split, explainer, tmp_path / "stopped", job=Job(watch=lambda step: seen.append(step.done)))
    assert seen == [23], "what is complete is read back"


def test_a_table_says_how_sure_it_is(tmp_path: Path) -> None:
    model, split = subject()
    folder = explain_split(model, split, SHARED, tmp_path)
    found = write_importance(folder, split, SHARED, top=2)
    place = Path(found["path"])
    written = {"importance.csv", "importance.json", "maps.npz", "checksums.txt"}
    assert {path.name for path in place.iterdir()} == written
    row = found["features"][0]
    assert row["low"] < row["value"] < row["high"] and row["count"] <= row["explanations"]
    assert re.fullmatch(r"[024]-[135], [024]-[135]", row["place"])
    every = json.loads((place / "importance.json").read_text())["features"]
    assert [row for row in every if row["rank"] <= 2] == found["features"]
    lines = (place / "importance.csv").read_text().splitlines()
    assert len(lines) == len(every) + 1
    head = "class,rank,feature,place,value,low,high,standard_error,count,explanations,note"
    assert lines[0] == head


def test_an_empty_split_and_a_damaged_chunk_are_told(tmp_path: Path) -> None:
    model, split = subject()
    with pytest.raises(MeasurementError, match=r"^this split has no images; explain one or more$"):
        explain_split(model, split.take(0), SHARED, tmp_path)
    folder = explain_split(model, split, SHARED, tmp_path)
    damaged = folder.path / "chunks" / "00000.npz"
    damaged.write_bytes(b"no")
    message = "; remove it, and give the command that made it again"
    with pytest.raises(Damaged, match=f"^'{re.escape(str(damaged))}' is damaged: .*{message}$"):
        folder.importance(Rule())
    other = subject(5)[1]
    elsewhere = explain_split(model, other, SHARED, tmp_path)
    for name in ("measurement.json", "checksums.txt"):
        shutil.copy(elsewhere.path / name, folder.path / name)
    with pytest.raises(
        MeasurementError, match=f"^{re.escape(str(folder.path))} holds another measurement; give each"
    ):
        explain_split(model, split, SHARED, tmp_path)


def test_of_digits_it_finds_what_the_network_needs(tmp_path: Path, healthy: nn.Module) -> None:
    split = load("digits").test.take(120)
    explainer = NormLime(Lime(Grid(8, 8), masks=320, baseline="mean"), by="global")
    folder = explain_split(healthy, split, explainer, tmp_path)
    order = folder.importance(explainer.rule).top(0, 64)
    (batch,) = split.batches(sequential(split, 120))
    x, y = batch.x, batch.y
    backgrounds = x.mean((0, 2, 3), keepdim=True).expand_as(x)

    def right(hidden: Tensor) -> float:
        mask = torch.zeros(64, dtype=torch.bool).index_fill(0, hidden, True).view(8, 8)
        return float((healthy(torch.where(mask, backgrounds, x)).argmax(1) == y).float().mean())

    generator = torch.Generator().manual_seed(0)
    chance = sum(right(torch.randperm(64, generator=generator)[:16]) for _ in range(20)) / 20
    assert right(order[:16]) < chance - 0.1, "without the most important quarter of the pixels"
    assert right(order[48:]) > chance + 0.05, "without the least important quarter"
