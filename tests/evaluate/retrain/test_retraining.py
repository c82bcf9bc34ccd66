"""The whole protocol, on images whose class stands in four pixels that are known."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid import Recipe, models
from pellucid.data import Data, Split, TensorSplit, sequential
from pellucid.errors import ConfigError, MeasurementError, PellucidError, UnknownName
from pellucid.evaluate.retrain import (
    RANKINGS,
    ByExplainer,
    Design,
    MeanWeight,
    NormLimeWeights,
    Random,
    Ranking,
    Retrained,
    Study,
    Values,
    Variance,
    for_all,
    rankings_named,
    retrain,
)
from pellucid.explainers import ExpectedGradients, Gradient, SmoothGrad
from pellucid.explainers.lime import Grid, Lime
from pellucid.ledger import Job, Progress
from pellucid.train import Adam, Constant

RECIPE = Recipe(epochs=6, batch=32, optimizer=Adam(lr=0.02), schedule=Constant())
PLANTED = ((0, 1), (2, 4), (3, 0), (5, 5))


def split(count: int, seed: int) -> TensorSplit:
    """Noise, in which four pixels tell the class, each of them alone nearly so."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 1, 6, 6, generator=generator)
    y = torch.arange(count) % 2
    for row, column in PLANTED:
        x[:, 0, row, column] = 0.5 + (y - 0.5) * 0.6 + 0.2 * (x[:, 0, row, column] - 0.5)
    return TensorSplit(x, y, ("a", "b"))


PLANT = Data("planted", split(160, 0), split(200, 1))


@dataclass(frozen=True)
class Truth(Ranking):
    """The four pixels first."""

    def values(self, study: Study, split: Split, seed: int) -> Values:
        maps = torch.zeros(1, 6, 6)
        for row, column in PLANTED:
            maps[0, row, column] = 1
        return for_all(maps, split)


def factory(seed: int) -> nn.Module:
    return models.build("mlp", seed=seed, shape=(1, 6, 6), classes=2, hidden=(16,))


def original() -> nn.Module:
    """A network that knows the four pixels."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
    layer = model[1]
    assert isinstance(layer, nn.Linear)
    with torch.no_grad():
        layer.weight.zero_()
        for row, column in PLANTED:
            # in opposite directions: a class whose logit moved with no pixel would have a map of its own, of nothing
            layer.weight[:, 6 * row + column] = torch.tensor([-2.0, 2.0])
        layer.bias[:] = torch.tensor([4.0, -4.0])
    return model.eval()


def study(path: Path, data: Data = PLANT) -> Study:
    return Study(original(), data.train, data.test, path)


def test_without_the_pixels_that_tell_nothing_is_learned_and_with_them_alone_all(tmp_path: Path) -> None:
    rankings = {"truth": Truth(), "random": Random(by="all"), "gradient": ByExplainer()}
    share = 4 / 36
    design = Design(fractions=(0.0, share, 0.5, 1.0), seeds=3)
    found = retrain(original(), factory, PLANT, rankings, RECIPE, tmp_path, design=design)
    for name in ("truth", "gradient"):
        assert found.accuracy("roar", name, share).value < 0.62, "removed, they leave nothing"
        assert found.accuracy("kar", name, share).value > 0.97, "kept alone, they tell all"
    assert found.accuracy("roar", "random", share).value > 0.9, "most of the four are left"
    assert found.accuracy("roar", "truth", 0.0).value > 0.95
    for name in rankings:  # where nothing is removed and where nothing is left all rankings are one
        assert found.accuracy("roar", name, 0.0) == found.accuracy("roar", "truth", 0.0)
        assert found.accuracy("kar", name, 1.0) == found.accuracy("roar", "truth", 0.0)
        assert found.accuracy("roar", name, 1.0).value == found.accuracy("kar", name, 0.0).value == 0.5
    better = found.compared("roar", "truth", "random")
    assert better.difference.value < 0 and better.p == 0.25
    assert found.compared("kar", "truth", "random", share).difference.value > 0.1
    assert found.area("kar", "truth").value > found.area("kar", "random").value


QUICK = Design(("roar",), (0.25, 0.5), seeds=2)


def quick(out: Path, design: Design = QUICK, job: Job = Job(3)) -> Retrained:
    rankings = {"random": Random(), "variance": Variance()}
    recipe = replace(RECIPE, epochs=2)
    return retrain(original(), factory, PLANT, rankings, recipe, out, design=design, job=job)


def test_a_run_that_was_stopped_goes_on_and_comes_to_the_same(tmp_path: Path) -> None:
    whole = quick(tmp_path / "whole")
    said = list[Progress]()

    def stop(step: Progress) -> None:
        said.append(step)
        if step.done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path / "parts", job=Job(3, watch=stop))
    assert said[0] == Progress("retraining", 0, 16, "ranking by random") and said[2] == Progress("retraining", 3, 16)
    (folder,) = (tmp_path / "parts").iterdir()
    assert [path.name for path in sorted((folder / "chunks").iterdir())] == ["00000.npz", "checksums.txt"]
    later = list[Progress]()
    # it is divided as it was begun
    parts = quick(tmp_path / "parts", job=Job(8, watch=later.append))
    assert not later[0].words and later[0].done == 6, "ranks are there, and three networks"
    assert later[-1].done == later[-1].total == 16
    assert parts.rows() == whole.rows() and parts.about == whole.about
    again = list[Progress]()
    assert quick(tmp_path / "parts", job=Job(watch=again.append)).rows() == whole.rows() and not again


def test_how_many_are_trained_at_once_does_not_show(tmp_path: Path) -> None:
    one, many = quick(tmp_path / "one", job=Job(1)), quick(tmp_path / "many", job=Job())
    assert one.rows() == many.rows()


def test_what_it_depends_on_is_in_its_folder_s_name(tmp_path: Path) -> None:
    for other in ({}, {"seed": 1}, {"unit": "scalar"}, {"fractions": (0.25,)}):
        quick(tmp_path, replace(QUICK, **other))
    quick(tmp_path, job=Job(1))
    assert len(list(tmp_path.glob("retrain-*"))) == 4


def test_figures_by_hand() -> None:
    about = {"protocols": ["roar"], "rankings": ["a", "b"], "fractions": [0.5, 0.1], "seeds": 2}
    columns = {
        "protocol": torch.zeros(8, dtype=torch.long),
        "ranking": torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]),
        "fraction": torch.tensor([0.5, 0.5, 0.1, 0.1] * 2),
        "seed": torch.tensor([0, 1] * 4),
        "accuracy": torch.tensor([0.2, 0.4, 0.6, 0.8, 0.1, 0.1, 0.1, 0.1], dtype=torch.float64),
        "n": torch.full((8,), 10),
    }
    found = Retrained(columns, about)
    assert found.accuracy("roar", "a", 0.5).value == pytest.approx(0.3)
    assert found.curves("roar", "a").tolist() == [[0.2, 0.6], [0.4, 0.8]]
    assert found.areas("roar", "a").tolist() == pytest.approx([0.4, 0.6])
    pair = found.compared("roar", "a", "b")
    assert pair.difference.value == pytest.approx(0.4) and pair.p == 0.5
    assert found.rows()[2] == {
        "protocol": "roar",
        "ranking": "a",
        "fraction": pytest.approx(0.1),
        "seed": 0,
        "accuracy": 0.6,
        "n": 10,
    }
    with pytest.raises(UnknownName, match=re.escape("nothing was retrained by ranking 'c' (there are: a, b)")):
        found.accuracy("roar", "c", 0.5)
    with pytest.raises(MeasurementError, match=re.escape("'a' is compared with itself; name two rankings")):
        found.compared("roar", "a", "a")


LIME = Lime(Grid(6, 6), masks=400, baseline="mean")


@pytest.mark.parametrize(
    "ranking",
    [
        Variance(),
        Random(),
        Random("all"),
        NormLimeWeights("class", 20, LIME),
        MeanWeight("global", 20, LIME),
        ByExplainer(Gradient(), "signed"),
        ByExplainer(ExpectedGradients(samples=5, background=10)),
    ],
    ids=str,
)
def test_what_an_image_is_in_truth_does_not_show(ranking: Ranking, tmp_path: Path) -> None:
    test = PLANT.test
    assert isinstance(test, TensorSplit)
    wrong = replace(PLANT, test=replace(test, labels=1 - test.labels))
    for part in ("train", "test"):
        one, other = (
            ranking.values(where, getattr(where, part), 3)
            for where in (study(tmp_path / "one"), study(tmp_path / "other", wrong))
        )
        assert torch.equal(one.table, other.table) and torch.equal(one.rows, other.rows)


def first_four(values: Values) -> set[tuple[int, ...]]:
    order = values.table[0].sum(0).flatten().argsort(descending=True)[:4]
    return {(int(place) // 6, int(place) % 6) for place in order}


@pytest.mark.parametrize(
    "ranking",
    [NormLimeWeights("global", 20, LIME), MeanWeight("class", 20, LIME), ByExplainer(SmoothGrad(samples=5))],
    ids=str,
)
def test_rankings_find_what_the_network_looks_at(ranking: Ranking, tmp_path: Path) -> None:
    found = ranking.values(study(tmp_path), PLANT.test, 0)
    assert first_four(found) == set(PLANTED)


def test_weights_share_their_explanations(tmp_path: Path) -> None:
    where = study(tmp_path)
    NormLimeWeights("global", 20, LIME).values(where, PLANT.train, 0)
    MeanWeight("class", 20, LIME).values(where, PLANT.test, 0)
    assert len(list((tmp_path / "importance").iterdir())) == 1


def test_by_class_is_by_the_predicted_one(tmp_path: Path) -> None:
    where = study(tmp_path)
    found = NormLimeWeights("class", 20, LIME).values(where, PLANT.test, 0)
    (batch,) = PLANT.test.batches(sequential(PLANT.test, 200))
    assert torch.equal(found.rows, original()(batch.x).argmax(1))
    assert len(found.table) == 2


def test_the_variance_is_that_of_training_images(tmp_path: Path) -> None:
    train = PLANT.train
    assert isinstance(train, TensorSplit)
    found = Variance().values(study(tmp_path), PLANT.test, 0)
    assert torch.allclose(found.table[0], train.pixels.double().var(0, unbiased=False))


def test_chance_is_another_for_each_image_or_the_same_for_all(tmp_path: Path) -> None:
    def order(ranking: Random, part: str, seed: int = 0) -> Tensor:
        where = study(tmp_path)
        return ranking.values(where, where.train if part == "train" else where.test, seed).table

    assert len(order(Random(), "train")) == 160
    assert torch.equal(order(Random("all"), "train"), order(Random("all"), "test"))
    assert not torch.equal(order(Random(), "train")[0], order(Random(), "test")[0])
    assert not torch.equal(order(Random("all"), "train"), order(Random("all"), "train", seed=1))


def test_names() -> None:
    found = rankings_named(["random", "smoothgrad", "normlime"], ["random.by=all", "smoothgrad.samples=3"])
    assert found == {
        "random": Random("all"),
        "smoothgrad": ByExplainer(SmoothGrad(samples=3)),
        "normlime": NormLimeWeights(),
    }
    explained = rankings_named(["explained"], ["explainer.kind=gradient", "sign=signed"])
    assert explained == {"explained": ByExplainer(Gradient(), "signed")}
    assert {"random", "variance", "normlime", "mean-weight", "explained"} == set(RANKINGS)


def steps(out: Path, data: Data = PLANT, **other: Any) -> Callable[[], object]:
    settings: dict[str, Any] = {"recipe": RECIPE, **other}
    return lambda: retrain(
        original(), factory, data, {"variance": Variance()}, settings.pop("recipe"), out, **settings
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: rankings_named(["randon"]),
            UnknownName,
            "no ranking and no explainer is called 'randon' (did you mean 'random'?)",
        ),
        (
            lambda: rankings_named([]),
            ConfigError,
            "no ranking is named (there are: explained, mean-weight, normlime, random, variance)",
        ),
        (lambda: MeanWeight(images=0), ConfigError, "images is 0; explain 1 or more"),
        (
            lambda: NormLimeWeights(lime=Lime()),
            ConfigError,
            "NormLime has words=0 with superpixels by 'slic', which are others in each image; "
            "give words, or a segmentation that all images share, such as 'grid'",
        ),
        (
            steps(Path(), data=replace(PLANT, test=PLANT.test.take(0))),
            MeasurementError,
            "'planted' has no test images; networks are retrained and tested on some",
        ),
        (
            steps(Path(), data=replace(PLANT, train=PLANT.train.take(0))),
            MeasurementError,
            "'planted' has no training images; networks are retrained and tested on some",
        ),
        (
            steps(Path(), recipe=Recipe(average=0.5)),
            ConfigError,
            "networks side by side are trained to the end, without recipe.average; set average to 0",
        ),
    ],
)
def test_errors(call: Callable[[], object], error: type[PellucidError], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()
