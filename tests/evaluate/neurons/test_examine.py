"""Looking at neurons: pooling, attacks, differences against plain passes, and folders that are gone on with."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pellucid import data, models
from pellucid.attacks import PGD, Confirmed, LowestLoss, Misclassified
from pellucid.batch import Batch
from pellucid.data import Split, TensorSplit
from pellucid.errors import ConfigError, MeasurementError, NoRoom, PellucidError, ShapeError
from pellucid.evaluate.neurons import (
    Examined,
    Leading,
    Probing,
    activations,
    attacked_activations,
    examine,
    findings,
    prediction_differences,
    supports,
    traces,
    write_findings,
)
from pellucid.ledger import Job, Progress, Table
from pellucid.metrics.neurons import Cifar10WordNet, Identity, Reading

ATTACK = PGD(eps=0.3, steps=5, goal=LowestLoss())


def some(n: int = 24) -> Split:
    return data.load("digits").test.take(n)


def network(name: str = "mlp", **options: object) -> nn.Module:
    return models.build(name, shape=(1, 8, 8), classes=10, seed=1, **options)  # pyright: ignore[reportArgumentType]


def whole(split: Split) -> Batch:
    (batch,) = split.batches([torch.arange(len(split))])
    return batch


class Wrapped(nn.Module):
    """The same network, which is no sequence from outside."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


class Cramped(nn.Module):
    """A network in whose memory few images have room."""

    def __init__(self, inner: nn.Module, room: int) -> None:
        super().__init__()
        self.inner, self.room = inner, room

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("more than there is")
        return self.inner(x)


def test_chunks_for_which_memory_does_not_suffice_are_halved() -> None:
    split, layers = some(), ["inner.activation1"]
    for room in (5, 1):
        wide, cramped = Cramped(network(), 1000).eval(), Cramped(network(), room).eval()
        roomy, tight = (
            (activations(net, split, layers), attacked_activations(net, split, layers, Leading(ATTACK, 2)))
            for net in (wide, cramped)
        )
        for one, other in zip(roomy, tight, strict=True):
            for name in ("index", "y", "predicted"):
                assert torch.equal(one.columns[name], other.columns[name])
            torch.testing.assert_close(one.columns["at inner.activation1"], other.columns["at inner.activation1"])
        assert torch.equal(roomy[1].columns["target"], tight[1].columns["target"])
    with pytest.raises(NoRoom):
        activations(Cramped(network(), 0), split, layers)


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_a_neuron_is_a_unit_or_a_channel(pool: str) -> None:
    model, split = network("lenet"), some()
    table = activations(model, split, ["activation1", "fc1"], pool=pool, job=Job(10))  # pyright: ignore[reportArgumentType]
    assert isinstance(model, nn.Sequential)
    names = [name for name, _ in model.named_children()]
    after = model[: names.index("activation1") + 1](whole(split).x)
    expected = after.amax((2, 3)) if pool == "max" else after.mean((2, 3))
    torch.testing.assert_close(table.columns["at activation1"], expected.detach())
    assert table.columns["at fc1"].shape == (24, 120)
    assert torch.equal(table.columns["predicted"], model.eval()(whole(split).x).argmax(1))


def brute_differences(model: nn.Module, x: Tensor, of: Tensor, layer: str) -> Tensor:
    """Each neuron silenced by itself, image by image."""
    silent = -1

    def silence(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        output = output.clone()
        if silent >= 0:
            output[:, silent] = 0
        return output

    handle = model.get_submodule(layer).register_forward_hook(silence)
    with torch.no_grad():
        before = model.eval()(x).double().softmax(1).gather(1, of[:, None])
        columns: list[Tensor] = []
        count = {"activation1": 6, "fc1": 120, "fc2": 84}[layer.rpartition(".")[2]]
        for number in range(count):
            silent = number
            columns.append(before - model(x).double().softmax(1).gather(1, of[:, None]))
    handle.remove()
    return torch.cat(columns, 1)


@pytest.mark.parametrize("layer", ["activation1", "fc1"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_differences_are_those_of_one_neuron_at_a_time(layer: str, wrapped: bool) -> None:
    model, batch = network("lenet").double(), whole(some(5))
    batch = batch.at(batch.x.double())
    model, name = (Wrapped(model), f"inner.{layer}") if wrapped else (model, layer)
    of = torch.tensor([0, 3, 3, 9, 1])
    found = prediction_differences(model, batch, name, of)
    torch.testing.assert_close(found, brute_differences(model, batch.x, of, name), atol=1e-13, rtol=1e-9)
    assert model.get_submodule(name)._forward_hooks == {}  # pyright: ignore[reportPrivateUsage]


def test_sure_predictions_have_differences_too() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Identity(), nn.Linear(2, 2, bias=False))
    head = model[2]
    assert isinstance(head, nn.Linear)
    head.weight.data = torch.tensor([[100.0, 1.0], [0.0, 0.0]])
    batch = Batch(torch.ones(1, 1, 1, 2), torch.zeros(1, dtype=torch.long))
    found = prediction_differences(model, batch, "1", torch.tensor([0]))
    assert found[0, 0] == pytest.approx(1 / (1 + torch.e), rel=1e-5)
    assert 0 < float(found[0, 1]) == pytest.approx(torch.e**-100 - torch.e**-101, rel=1e-3)


def test_attacks_lead_away_from_the_label_and_count_where_they_arrive() -> None:
    model, split = network(), some(30)
    table = attacked_activations(model, split, ["activation2"], Leading(ATTACK, 3), job=Job(16))
    columns = table.columns
    assert len(table) == 90
    pairs = set(zip(columns["index"].tolist(), columns["target"].tolist(), strict=True))
    assert len(pairs) == 90, "each target once"
    assert (columns["target"] != columns["y"]).all()
    assert torch.equal(columns["counted"], (columns["predicted"] == columns["target"]) & ~columns["reached_at_start"])
    assert columns["counted"].any()
    everywhere = attacked_activations(model, some(4), ["activation2"], Leading(ATTACK, 99))
    assert len(everywhere) == 36 and everywhere.about["targets"] == 9
    # random numbers belong to images, whatever the batch
    again = attacked_activations(model, split, ["activation2"], Leading(ATTACK, 3), job=Job(7))
    assert torch.equal(columns["target"], again.columns["target"])
    torch.testing.assert_close(columns["at activation2"], again.columns["at activation2"], atol=1e-4, rtol=1e-4)


def test_traced_images_are_those_whose_neurons_were_looked_at() -> None:
    model, split = network(), some(6)
    looked = attacked_activations(model, split, ["activation2"], Leading(ATTACK, 2), job=Job(6)).columns
    traced = traces(model, split, ["activation2"], Leading(ATTACK, 2), job=Job(6)).columns
    assert traced["attacked"].tolist() == [False, True] * 6
    assert torch.equal(traced["predicted"][1::2], looked["predicted"][::2])
    assert traced["counted"][::2].all() and torch.equal(traced["counted"][1::2], looked["counted"][::2])


def test_a_killed_examination_goes_on_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    model, split, probing = network(), some(), Probing(("activation2",), attack=ATTACK, targets=2, traced=10)

    class Stopped(Exception):
        pass

    def stopping(after: int) -> object:
        seen: list[Progress] = []

        def watch(stage: Progress) -> None:
            seen.append(stage)
            if len(seen) == after:
                raise Stopped

        return watch

    undisturbed = examine(model, split, probing, tmp_path / "one", job=Job(8))
    for after in (2, 3, 3, 4):
        with pytest.raises(Stopped):
            examine(model, split, probing, tmp_path / "two", job=Job(8, watch=stopping(after)))  # pyright: ignore[reportArgumentType]
    survivor = examine(model, split, probing, tmp_path / "two", job=Job(5))  # chunks stay as they were
    stages: list[Progress] = []
    read = examine(model, split, probing, tmp_path / "two", job=Job(watch=stages.append))
    assert [(stage.doing, stage.done, stage.total) for stage in stages] == [
        ("activations", 24, 24),
        ("attacked", 24, 24),
        ("traces", 10, 10),
    ]
    for other in (survivor, read):
        for name in ("activations", "attacked", "traces"):
            one, two = getattr(undisturbed, name), getattr(other, name)
            assert isinstance(one, Table) and isinstance(two, Table)
            assert all(torch.equal(one.columns[key], two.columns[key]) for key in one.columns)
    nowhere = examine(model, split, probing, job=Job(8))
    assert torch.equal(nowhere.activations.columns["at activation2"], read.activations.columns["at activation2"])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    model, split = network(), some()
    bare = examine(model, split, Probing(("activation2",), traced=0), tmp_path)
    (found,) = findings(bare)
    content = found.content()
    assert content["missing"] == {
        **dict.fromkeys(
            ("content", "target", "content_above", "target_above", "difference"), "no image was attacked"
        ),
        **dict.fromkeys(("r_mean", "r_inst"), "no image was attacked"),
        **dict.fromkeys(("auroc_errors", "auroc_attacks"), "no prediction was taken apart; trace 1 image or more"),
    }
    assert content["r_mean"] is None and content["auroc_errors"] is None and content["tried"] == 0
    weak = PGD(eps=1e-6, steps=1, goal=LowestLoss())
    (found,) = findings(examine(model, split, Probing(("activation2",), attack=weak, targets=1, traced=4), tmp_path))
    assert found.missing["ambiguity"] == f"0 of {found.tried} attacks succeeded; 2 or more are needed"
    assert found.missing["attacks"] == "no attack succeeded; there is none to be found out"


def test_errors_that_do_not_occur_cannot_be_foretold() -> None:
    model, split = network(), some()
    right = model.eval()(whole(split).x).argmax(1)
    batch = whole(split)
    for labels, message in (
        (right, "none of 24 predictions is wrong; there is no error to be foretold"),
        ((right + 1) % 10, "all of 24 predictions are wrong; none is right to compare with"),
    ):
        own = TensorSplit(batch.x, labels, split.classes)
        examined = examine(model, own, Probing(("activation2",), traced=24))
        found = supports(examined, "activation2", Identity())
        if len(found.wrong) == 24:
            with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
                found.errors  # noqa: B018


def test_support_does_not_learn_from_the_image_that_it_judges() -> None:
    """Labels at random: an image's own vote would show its errors."""
    model, split = network(hidden=(512,)), data.load("digits").test
    batch = whole(split)
    labels = torch.randint(10, (len(split),), generator=torch.Generator().manual_seed(0))
    own = TensorSplit(batch.x, labels, split.classes)
    examined = examine(model, own, Probing(("activation1",), traced=len(own)), job=Job(359))
    found = supports(examined, "activation1", Identity()).errors
    assert found.low < 0.5 < found.high


def test_files_hold_what_the_table_says(tmp_path: Path) -> None:
    import csv
    import json

    import numpy

    model, split = network(), some(60)
    examined = examine(model, split, Probing(("activation2",), attack=ATTACK, targets=2, traced=4), tmp_path)
    how = Reading(draws=20)
    found = findings(examined, Cifar10WordNet(), how)
    content = write_findings(examined, found, Cifar10WordNet(), how, top=3, images=4)
    path = Path(content["path"])
    assert path.parent == examined.path
    assert json.loads((path / "neurons.json").read_text()) == content
    assert content["similarity"] == {"kind": "cifar10-wordnet", "kernel": "gaussian", "sigma": 2.0}
    (layer,) = content["layers"]
    with (path / "neurons-activation2.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == layer["neurons"] - layer["dead"]
    levels = [float(row["level"]) for row in rows]
    assert levels == sorted(levels, reverse=True)
    assert layer["most"][0]["neuron"] == int(rows[0]["neuron"])
    assert layer["least"][0]["neuron"] == int(rows[-1]["neuron"])
    assert len(layer["most"]) == 3 and len(layer["most"][0]["top_images"]) == 4
    neuron = layer["most"][0]["neuron"]
    own = examined.activations.columns["at activation2"][:, neuron]
    assert examined.activations.columns["index"][int(own.argmax())] == layer["most"][0]["top_images"][0]
    with numpy.load(path / "neurons-activation2.npz") as arrays:
        assert arrays["level"].mean() == pytest.approx(layer["level"]["value"])
    other = write_findings(examined, findings(examined, how=how), Identity(), how, top=3)
    assert other["path"] != content["path"]


def _bare() -> Examined:
    return examine(network(), some(3), Probing(("activation2",), traced=3))


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: Probing(()), ConfigError, "no layer is named; give one or more"),
        (
            lambda: Probing(("a", "b", "a")),
            ConfigError,
            "the layers a, b, a are not all different; name each once",
        ),
        (lambda: Probing(("a",), traced=-1), ConfigError, "traced is -1; take apart 0 predictions or more"),
        (
            lambda: Probing(("a",), attack=PGD(goal=Misclassified())),
            ConfigError,
            "PGD has goal=Misclassified(); images are led to other classes, so give it LowestLoss() or Confirmed()",
        ),
        (
            lambda: Probing(("a",), attack=PGD(goal=Confirmed()), targets=0),
            ConfigError,
            "targets is 0; lead each image to 1 other class or more",
        ),
        (
            lambda: activations(network(), some().take(0), ["activation2"]),
            MeasurementError,
            "this split has no images; examine one or more",
        ),
        (
            lambda: activations(nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (3, 64))), some(3), ["0"]),
            ShapeError,
            "the layer '0' puts out one number per image; it has no neurons to tell apart",
        ),
        (
            lambda: supports(_bare(), "activation2", Identity()),
            MeasurementError,
            "3 images are too few to learn what neurons mean from half of them",
        ),
    ],
)
def test_what_is_refused(make: object, kind: type[PellucidError], message: str) -> None:
    assert callable(make)
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        make()
