"""Class activation maps against closed forms: class maps, sums that are the logit, derivatives taken one by one."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from networks import Counting, images, linear, smooth
from pellucid import models
from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError
from pellucid.explainers import Explainer, GradCAM, GradCAMPlusPlus, LayerActivation
from pellucid.explainers.feature_layer import map_layers
from pellucid.probe import Probe

X, Y = images(5, 3, 8, 8), torch.tensor([0, 1, 2, 3, 0])


def pooled(*, in_place: bool = False, rectified: bool = True) -> nn.Sequential:
    """Half as many places as pixels, pooled before the linear layer."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        between = nn.ReLU(inplace=in_place) if rectified else nn.Identity()
        return nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1, stride=2), between, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)
        ).double()


def last(model: nn.Sequential) -> nn.Linear:
    layer = model[-1]
    assert isinstance(layer, nn.Linear)
    return layer


def wide(values: Tensor) -> Tensor:
    wider = nn.functional.interpolate(values[:, None], (8, 8), mode="bilinear", align_corners=False)
    return wider.expand(-1, 3, -1, -1)


def test_after_pooling_it_is_the_class_activation_map() -> None:
    model = pooled()
    features = model[:2](X).detach()
    class_maps = torch.einsum("bk,bkhw->bhw", last(model).weight[Y].detach(), features) / 16
    assert torch.allclose(GradCAM(positive=False)(model, X, Y).map, wide(class_maps))
    assert torch.allclose(GradCAM()(model, X, Y).map, wide(class_maps.relu()))
    assert (class_maps < 0).any()


def test_of_a_linear_network_the_map_sums_to_the_logit() -> None:
    model = pooled(rectified=False)
    found = GradCAM(layer="0", positive=False)(model, X, Y).map[:, 0]
    logit = model(X).gather(1, Y[:, None])[:, 0] - last(model).bias[Y]
    # enlarging keeps the mean: four pixels to each place
    assert torch.allclose(found.sum((1, 2)) / 4, logit)


def test_the_plus_plus_weights_are_those_of_the_derivatives_of_the_exponential() -> None:
    """Each derivative of exp(logit) by one place, taken one after another, in the formula as it was published."""
    model = pooled()
    features = model[:2](X[:1]).detach()
    of = Y[:1]

    def surety(place: Tensor, position: tuple[int, ...]) -> Tensor:
        changed = features.index_put(tuple(torch.tensor([number]) for number in position), place[None])
        return model[2:](changed)[0, of[0]].exp()

    weights = torch.zeros(6, dtype=torch.float64)
    for channel in range(6):
        for row in range(4):
            for column in range(4):
                position = (0, channel, row, column)

                def first(place: Tensor, position: tuple[int, ...] = position) -> Tensor:
                    return torch.func.grad(surety)(place, position)

                second = torch.func.grad(first)
                third = torch.func.grad(second)
                place = features[position]
                alpha = second(place) / (2 * second(place) + features[0, channel].sum() * third(place))
                weights[channel] += (alpha * first(place).relu()).detach()
    by_hand = torch.einsum("k,bkhw->bhw", weights / model(X[:1])[0, of[0]].exp().detach(), features)
    assert torch.allclose(GradCAMPlusPlus(positive=False)(model, X[:1], of).map, wide(by_hand))
    assert torch.allclose(GradCAMPlusPlus()(model, X[:1], of).map, wide(by_hand.relu()))


def test_a_layer_without_slopes_makes_no_plus_plus_map_of_nan() -> None:
    model = pooled()
    with torch.no_grad():
        last(model).weight.fill_(-1)
    assert torch.equal(GradCAMPlusPlus()(model, X, Y).map, torch.zeros_like(X))


def test_the_activation_is_the_mean_of_the_features_for_every_class() -> None:
    model = pooled()
    found = LayerActivation(layer="1")(model, X, Y).map
    assert torch.allclose(found, wide(model[:2](X).detach().mean(1)))
    assert torch.equal(LayerActivation()(model, X, 2).map, found)


@pytest.mark.parametrize("make", [GradCAM, GradCAMPlusPlus, LayerActivation])
@pytest.mark.parametrize("layer", ["0", "1"])
def test_an_activation_in_place_does_not_overwrite_what_is_recorded(
    make: Callable[..., Explainer], layer: str
) -> None:
    plain, in_place = (make(layer=layer)(pooled(in_place=flag), X, Y).map for flag in (False, True))
    assert torch.equal(plain, in_place)
    if layer == "0":
        assert not torch.equal(plain, make(layer="1")(pooled(), X, Y).map)


def test_a_probe_records_what_a_layer_put_out_before_it_was_overwritten() -> None:
    model = pooled(in_place=True)
    probe = Probe(model, Batch(X, Y), layers=("0", "1"))
    assert torch.equal(probe.features("0"), model[0](X))
    assert torch.equal(probe.features("1"), model[0](X).relu())
    slope = last(model).weight[Y].detach() / 16
    assert torch.allclose(probe.feature_gradient("1", Y), slope[..., None, None].expand(-1, -1, 4, 4))
    assert torch.allclose(probe.feature_gradient("0", Y), slope[..., None, None] * (probe.features("0") > 0))


def test_by_itself_it_takes_the_last_map() -> None:
    for make in (GradCAM, GradCAMPlusPlus, LayerActivation):
        assert torch.equal(make()(pooled(), X, Y).map, make(layer="1")(pooled(), X, Y).map)


def test_a_layer_that_is_used_twice_counts_by_its_last_use() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = pooled()
            self.mixed = nn.Conv2d(6, 6, 1).double()

        def forward(self, x: Tensor) -> Tensor:
            return self.model[2:](self.mixed(self.mixed(self.model[0](x)).tanh()))

    model = Twice()
    used_last = model.mixed(model.mixed(model.model[0](X)).tanh()).detach()
    expected = wide(torch.einsum("bk,bkhw->bhw", last(model.model).weight[Y].detach(), used_last) / 16)
    for layer in ("", "mixed"):
        assert torch.allclose(GradCAM(layer, positive=False)(model, X, Y).map, expected)


def test_passes_are_as_few_as_can_be() -> None:
    model = Counting(pooled())
    GradCAM()(model, X, Y)
    assert model.forwards == 3, "for the classes, to find the layer on one image, and to record it"


def test_what_runs_before_all_parameters_puts_out_no_features() -> None:
    found = map_layers(Probe(nn.Sequential(nn.Hardtanh(), *pooled()).double(), Batch(X, Y)))
    assert found == {"1": (6, 4, 4), "2": (6, 4, 4)}


def test_wide_images_are_explained_too() -> None:
    x = images(2, 3, 8, 12)
    assert GradCAM()(pooled(), x, 1).map.shape == x.shape


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: GradCAM("layer4")(pooled(), X, Y),
            ConfigError,
            "the layer 'layer4' does not exist; the last layers that put out maps are: 0 (6 x 4 x 4), 1 (6 x 4 x 4)",
        ),
        (
            lambda: GradCAMPlusPlus("2")(pooled(), X, Y),
            ConfigError,
            "the layer '2' puts out 6 x 1 x 1, which is a single place; "
            "the last layers that put out maps are: 0 (6 x 4 x 4), 1 (6 x 4 x 4)",
        ),
        (
            lambda: GradCAM("1")(linear(), images(2, 1, 3, 3), 0),
            ConfigError,
            "the layer '1' puts out 4, and no channels x height x width; no layer does; "
            "choose an explainer that reads no layer, such as 'integrated-gradients'",
        ),
        (
            lambda: LayerActivation()(linear(), images(2, 1, 3, 3), 0),
            ShapeError,
            "no layer of this network puts out a map of features; "
            "LayerActivation reads one of (channels, height, width), or tokens that lie in the image; "
            "choose an explainer that reads no layer, such as 'integrated-gradients'",
        ),
        (
            lambda: GradCAM()(linear(), images(2, 9), 0),
            ShapeError,
            "GradCAM reads images of (channels, height, width); these are (9,)",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


def test_of_a_smooth_network_the_map_follows_the_class() -> None:
    x = images(2, 1, 6, 6)
    first, second = (GradCAM(positive=False)(smooth(), x, of).map for of in (0, 1))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("activation", ["relu", "half-huber", "gelu"])
def test_small_maps_are_found_behind_any_activation(activation: str) -> None:
    """Of 2 x 2 places no closer look can tell that they are the image's; how they are made does."""
    network = models.build("simple-cnn", seed=0, shape=(1, 8, 8), classes=10, activation=activation).eval()
    x = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert GradCAM()(network, x, torch.tensor([1, 2])).map.shape == x.shape
