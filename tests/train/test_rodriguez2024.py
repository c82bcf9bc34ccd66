"""Input gradients that make robust: what the recipes minimize, in the published units and in ours."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import pellucid
from networks import images, linear, smooth
from pellucid import config, models
from pellucid.batch import Batch
from pellucid.models import Normalize
from pellucid.objectives import Align, CrossEntropy, GradientNorm, Objective, Ramp
from pellucid.probe import Probe
from pellucid.train import RECIPES, Adam, Recipe
from pellucid.train.references import Edges
from pellucid.train.references.edges import edges

EPS = 4 / 255
Y = torch.tensor([0, 1, 2, 3, 0])
GRADNORM = GradientNorm(of="loss", reduction="mean", norm="l1")
# in units that the network has made of pixels
STANDARDIZED = GradientNorm(of="loss", reduction="mean", norm="l1", units="network")


def number(value: Tensor) -> float:
    return float(value.detach())


def at(network: nn.Module, x: Tensor, term: GradientNorm) -> Tensor:
    return term(Probe(network, Batch.trusted(x, Y[: len(x)], {}))).detach()


def normalizing(bare: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> nn.Module:
    return nn.Sequential(Normalize(mean, std), bare).double()


def published(bare: nn.Module, standardized: Tensor, eps: float, deviation: float) -> Tensor:
    """The published term, image by image: a budget in standardized pixels, times the sum of absolute entries."""
    sums: list[Tensor] = []
    for one, label in zip(standardized, Y, strict=False):
        leaf = one[None].clone().requires_grad_()
        F.cross_entropy(bare(leaf), label[None]).backward()
        assert leaf.grad is not None
        sums.append(leaf.grad.abs().sum())
    return eps / deviation * torch.stack(sums).mean()


def test_pixels_of_one_deviation_convert_by_it() -> None:
    x, bare = images(5, 1, 6, 6), smooth()
    network = normalizing(bare, (0.4,), (0.225,))
    expected = published(bare, (x - 0.4) / 0.225, EPS, 0.225)
    assert torch.allclose(EPS / 0.225 * at(network, x, STANDARDIZED), expected, rtol=1e-6)
    # a budget in pixels from 0 to 1 needs no deviation
    assert torch.allclose(EPS * at(network, x, GRADNORM), expected, rtol=1e-6)


def test_pixels_of_several_deviations_convert_channel_by_channel() -> None:
    x, bare = images(4, 3, 6, 6), smooth(channels=3)
    mean, std = (0.485, 0.456, 0.406), (0.1, 0.2, 0.5)
    network = normalizing(bare, mean, std)
    scale = torch.tensor(std, dtype=torch.float64)[:, None, None]
    standardized = (x - torch.tensor(mean, dtype=torch.float64)[:, None, None]) / scale
    assert torch.allclose(at(network, x, STANDARDIZED), published(bare, standardized, 1.0, 1.0), rtol=1e-6)
    leaf = x.clone().requires_grad_()
    F.cross_entropy(network(leaf), Y[:4], reduction="sum").backward()
    assert leaf.grad is not None
    assert torch.allclose(at(network, x, STANDARDIZED), (scale * leaf.grad).abs().sum((1, 2, 3)).mean(), rtol=1e-6)
    assert not torch.allclose(at(network, x, STANDARDIZED), at(network, x, GRADNORM), rtol=1e-2)


def test_without_a_normalization_both_units_are_one() -> None:
    x = images(5, 1, 6, 6)
    assert torch.equal(at(smooth(), x, STANDARDIZED), at(smooth(), x, GRADNORM))


def test_eps_times_the_term_is_how_much_the_loss_rises_where_every_pixel_moves_by_eps() -> None:
    x, network = images(5, 1, 6, 6), smooth()
    leaf = x.clone().requires_grad_()
    F.cross_entropy(network(leaf), Y, reduction="sum").backward()
    assert leaf.grad is not None
    rises: list[float] = []
    for eps in (1e-4, 1e-5):
        with torch.no_grad():
            rise = F.cross_entropy(network(x + eps * leaf.grad.sign()), Y) - F.cross_entropy(network(x), Y)
        rises.append(float(rise) / (eps * number(at(network, x, GRADNORM))) - 1)
    assert abs(rises[0]) < 1e-2 and abs(rises[1]) < 0.2 * abs(rises[0])


def test_on_a_linear_network_of_two_classes_it_is_the_wrong_class_s_probability_times_the_weights() -> None:
    network, x = linear(classes=2), images(2, 1, 3, 3)
    weight = network.get_parameter("1.weight").detach()
    wrong = 1 - network(x).detach().softmax(1).gather(1, Y[:2, None]).squeeze(1)
    assert torch.allclose(at(network, x, GRADNORM), (wrong * (weight[0] - weight[1]).abs().sum()).mean())


def test_the_recipe_has_the_published_weights_and_a_smooth_activation() -> None:
    preset = RECIPES["gradnorm"]
    assert [part.weight for part in preset.objective.terms] == [0.8, Ramp(1.2 * EPS, over=0.05)]
    assert [part.term for part in preset.objective.terms] == [CrossEntropy(), GRADNORM]
    assert config.build(Objective, config.dump(preset.objective)) == preset.objective
    network = models.build("simple-cnn", shape=(1, 8, 8), **preset.options)
    assert any(isinstance(layer, nn.GELU) for layer in network.modules())
    weight = preset.objective.terms[1].weight
    assert isinstance(weight, Ramp)
    assert [weight.at(progress) / (1.2 * EPS) for progress in (0, 0.025, 0.05, 1)] == [0, 0.5, 1, 1]


def test_edges_are_the_reference_of_edge_regularization() -> None:
    preset = RECIPES["edge-regularization"]
    assert preset.references == {"reference": Edges()}
    assert [part.weight for part in preset.objective.terms] == [1, Ramp(19.0, start=1.0)]
    assert [part.term for part in preset.objective.terms] == [CrossEntropy(), Align()]
    assert preset.options == RECIPES["gradnorm"].options


def test_the_published_distance_of_an_image_is_twice_the_term() -> None:
    network, x = smooth(), images(1, 1, 6, 6)
    leaf = x.clone().requires_grad_()
    network(leaf)[0, 0].backward()
    assert leaf.grad is not None
    maps = edges(x)
    one, other = (vector / vector.square().mean().sqrt() for vector in (leaf.grad, maps))
    term = Align()(Probe(network, Batch(x, Y[:1], {"reference": maps})))
    assert torch.allclose(F.mse_loss(one, other), 2 * term)


def test_training_by_edges_turns_gradients_towards_them() -> None:
    split = pellucid.data.load("digits").train.take(400)
    columned = split.with_column("reference", Edges().maps(split))
    (batch,) = columned.batches([torch.arange(len(columned))])
    apart: list[float] = []
    for method in ("standard", "edge-regularization"):
        preset = RECIPES[method]
        network = models.build("mlp", seed=0, shape=(1, 8, 8), activation="gelu")
        list(pellucid.fit(network, columned, preset.objective, Recipe(epochs=4, optimizer=Adam(lr=3e-3))))
        apart.append(number(Align()(Probe(network.eval(), batch))))
    assert apart[1] < apart[0] - 0.2
