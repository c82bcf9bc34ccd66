"""Judging a split: what is kept, what is shared, and what goes on where it was stopped."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pellucid import models
from pellucid.batch import Batch
from pellucid.data import Split, TensorSplit, load
from pellucid.errors import ConfigError, MeasurementError
from pellucid.evaluate.explanations import Case, Columns, Judged, Metric, Sparsity, judge
from pellucid.explainers import Gradient, SmoothGrad
from pellucid.ledger import Job, Progress


class Stop(Exception):
    """What ends a work before its time."""


MODEL = models.build("mlp", seed=1, shape=(1, 8, 8)).eval()


@pytest.fixture
def split() -> Split:
    return load("digits").test.take(23)


class Parity(Metric):
    """1 for odd images; those whose number ends in 7 have no value."""

    better = "higher"
    cost = "no pass"  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def scores(self, case: Case) -> Columns:
        value = (case.batch.index % 2).double()
        return {"value": torch.where(case.batch.index % 10 == 7, torch.nan, value), "twice": 2 * value}


class OfTheNetwork(Parity):
    """A metric that asks for no maps."""

    needs = "network"


def test_what_is_judged_in_chunks_is_what_is_judged_at_once(split: Split, tmp_path: Path) -> None:
    metrics = {"sparsity": Sparsity(), "parity": Parity()}
    whole = judge(MODEL, split, metrics, explainer=SmoothGrad(samples=3), seed=5)
    folders = {name: tmp_path / name for name in metrics}
    chunked = judge(MODEL, split, metrics, explainer=SmoothGrad(samples=3), seed=5, folders=folders, job=Job(4))
    for name in metrics:
        assert torch.equal(chunked[name].columns["index"], whole[name].columns["index"])
        assert torch.allclose(chunked[name].columns["value"], whole[name].columns["value"], atol=1e-6)
        assert torch.equal(chunked[name].columns["defined"], whole[name].columns["defined"])


def test_images_without_a_value_are_counted_and_left_out(split: Split) -> None:
    found = judge(MODEL, split, {"parity": Parity()}, explainer=Gradient())["parity"]
    numbers = found.columns["index"]
    without = numbers % 10 == 7
    assert found.undefined == int(without.sum()) > 0
    assert found.mean is not None
    assert found.mean.n == len(split) - found.undefined
    assert found.mean.value == pytest.approx(float((numbers[~without] % 2).double().mean()))
    assert bool((found.columns["value"][without] == 0).all())


def test_where_no_image_has_a_value_there_is_no_mean(split: Split) -> None:
    blank = split.with_column("map", torch.zeros(23, 1, 8, 8))
    found = judge(MODEL, blank, {"sparsity": Sparsity()})["sparsity"]
    assert found.undefined == 23
    assert found.mean is None


def test_stored_maps_are_judged_like_those_of_their_explainer(split: Split) -> None:
    (batch,) = split.batches([torch.arange(23)])
    stored = split.with_column("map", Gradient().on(MODEL, batch, "predicted").map)
    with_maps = judge(MODEL, stored, {"sparsity": Sparsity()}, job=Job(5))["sparsity"]
    with_explainer = judge(MODEL, split, {"sparsity": Sparsity()}, explainer=Gradient())["sparsity"]
    assert torch.allclose(with_maps.columns["value"], with_explainer.columns["value"])
    assert float(with_maps.columns["forwards"].sum()) == 23, "a look at the classes, and no map"


def test_maps_are_made_once_for_all_metrics(split: Split) -> None:
    class Counting(torch.nn.Module):
        rows = 0

        def forward(self, x: Tensor) -> Tensor:
            Counting.rows += len(x)
            return MODEL(x)

    def rows(metrics: dict[str, Metric]) -> int:
        Counting.rows = 0
        judge(Counting(), split, metrics, explainer=SmoothGrad(samples=10))
        return Counting.rows

    one, three = rows({"a": Sparsity()}), rows({"a": Sparsity(), "b": Sparsity(), "c": Parity()})
    assert three == one + 2, "each metric looks at one image, which tells how many classes there are"


def test_a_metric_of_the_network_asks_for_no_maps(split: Split) -> None:
    found = judge(MODEL, split, {"network": OfTheNetwork()})["network"]
    assert found.mean is not None
    assert float(found.columns["forwards"].sum()) == 23


def test_passes_are_counted(split: Split) -> None:
    found = judge(MODEL, split, {"sparsity": Sparsity()}, explainer=SmoothGrad(samples=10))["sparsity"]
    # the image and its noisy copies, and one image that tells how many classes there are
    assert float(found.columns["forwards"].sum()) == pytest.approx(23 * (1 + 10) + 1)
    assert float(found.columns["backwards"].mean()) == 10 + 1


def stopping(done: int) -> Callable[[Progress], None]:
    def watch(step: Progress) -> None:
        if step == Progress("judging", done, 23):
            raise Stop

    return watch


def test_what_was_begun_goes_on_and_what_is_complete_is_read(split: Split, tmp_path: Path) -> None:
    metrics = {"sparsity": Sparsity(), "parity": Parity()}
    folders = {name: tmp_path / name for name in metrics}
    with pytest.raises(Stop):
        judge(MODEL, split, metrics, explainer=Gradient(), folders=folders, job=Job(5, watch=stopping(10)))
    (folders["parity"] / "chunks" / "00001.npz").unlink()  # as if it had been killed between the two
    seen: list[int] = []
    # another size of batch changes nothing any more
    job = Job(7, watch=lambda step: seen.append(step.done))
    found = judge(MODEL, split, metrics, explainer=Gradient(), folders=folders, job=job)
    assert seen == [5, 10, 15, 20, 23, 23]
    whole = judge(MODEL, split, metrics, explainer=Gradient())
    for name in metrics:
        assert torch.allclose(found[name].columns["value"], whole[name].columns["value"])
        assert not list((folders[name] / "chunks").glob("*"))
        again = Judged.load(folders[name] / "record.npz")
        assert torch.equal(again.columns["value"], found[name].columns["value"])
        assert again.about == found[name].about
    more = judge(MODEL, split, metrics, explainer=Gradient(), folders=folders, job=job)
    assert seen[6:] == [23]
    assert torch.equal(more["sparsity"].columns["value"], found["sparsity"].columns["value"])


def test_a_folder_holds_one_judgment(split: Split, tmp_path: Path) -> None:
    folders = {"sparsity": tmp_path / "here"}
    judge(MODEL, split, {"sparsity": Sparsity()}, explainer=Gradient(), folders=folders)
    with pytest.raises(
        MeasurementError,
        match=f"^{re.escape(str(tmp_path))}/here holds another measurement; give each a folder of its own$",
    ):
        judge(MODEL, split, {"sparsity": Sparsity()}, explainer=SmoothGrad(), folders=folders)


def test_what_cannot_be_judged_is_refused(split: Split) -> None:
    nothing = TensorSplit(torch.rand(0, 1, 8, 8, generator=torch.Generator()), torch.zeros(0).long(), ("a", "b"))
    with pytest.raises(MeasurementError, match=r"^this split has no images; judge the explanations of one or more$"):
        judge(MODEL, nothing, {"sparsity": Sparsity()}, explainer=Gradient())
    with pytest.raises(ConfigError, match=r"^no metric is named; 'pellucid list metrics' has them all$"):
        judge(MODEL, split, {}, explainer=Gradient())
    with pytest.raises(ConfigError, match=r"^Sparsity judges maps; give maps, or an explainer that makes them$"):
        judge(MODEL, split, {"sparsity": Sparsity()})


def test_labels_can_be_asked_about(split: Split) -> None:
    (batch,) = split.batches([torch.arange(23)])
    found = judge(MODEL, split, {"sparsity": Sparsity()}, explainer=Gradient(), of="label")["sparsity"]
    assert torch.equal(found.columns["of"], batch.y)
    said = Sparsity().on(MODEL, Batch(batch.x, batch.y), "label", explainer=Gradient())
    assert torch.allclose(said.value, found.columns["value"])
