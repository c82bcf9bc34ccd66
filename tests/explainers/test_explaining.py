import pytest
import torch

from pellucid.batch import Batch
from pellucid.errors import ConfigError, UnknownName
from pellucid.explainers import Gradient, NormLime, SmoothGrad, explain
from pellucid.testing.specimens import images, network


def test_it_is_the_explainer_called_on_the_predicted_class() -> None:
    x, y = images()
    found = explain(network(), x)
    assert torch.equal(found.map, Gradient()(network(), x, "predicted").map)
    assert torch.equal(explain(network(), Batch(x, y)).map, found.map)
    assert torch.equal(found.of[:-1], y[:-1])
    assert found.of[-1] != y[-1]


def test_an_explainer_goes_by_its_name_or_is_given() -> None:
    x, _ = images()
    by_name = explain(network(), x, "smoothgrad", 2, seed=3)
    assert torch.equal(by_name.map, explain(network(), x, SmoothGrad(), 2, seed=3).map)
    assert not torch.equal(by_name.map, explain(network(), x, SmoothGrad(), 2, seed=4).map)
    with pytest.raises(UnknownName, match="no explainer is called 'smoothgrat'"):
        explain(network(), x, "smoothgrat")


def test_a_batch_has_labels_to_explain_and_numbers_for_chance() -> None:
    x, y = images()
    batch = Batch(x, y, {"index": torch.arange(len(x)).flip(0)})
    assert torch.equal(explain(network(), batch, of="label").of, y)
    told = explain(network(), batch, "smoothgrad", seed=1)
    assert torch.equal(told.map, SmoothGrad().on(network(), batch, "predicted", seed=1).map)
    with pytest.raises(ConfigError, match="of is 'label'"):
        explain(network(), x, of="label")


def test_one_that_learns_says_that_it_has_not() -> None:
    x, _ = images()
    with pytest.raises(ConfigError, match="learned nothing yet"):
        explain(network(), x, NormLime())
