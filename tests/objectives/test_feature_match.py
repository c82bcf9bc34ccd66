import re
from dataclasses import replace
from typing import cast, get_args

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import pellucid
from networks import images, listed, side_of, smooth
from pellucid import config, models
from pellucid.attacks import PGD, GaussianNoise, HighestLoss
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.objectives import Attacked, CrossEntropy, FeatureMatch, Objective, Term
from pellucid.objectives.feature_match import Distance
from pellucid.objectives.last_features import last_features
from pellucid.probe import Probe
from pellucid.train import Recipe

X, Y = images(6, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0, 1])
PLACE = Attacked(PGD(eps=0.1, steps=2, goal=HighestLoss()))
# finite differences must look at the same images, so nothing of the search may follow from the weights
FIXED = Attacked(GaussianNoise(sigma=0.1))
distances = pytest.mark.parametrize("distance", get_args(Distance))


def look(network: nn.Module, x: Tensor = X, y: Tensor = Y, layers: tuple[str, ...] = ("1",)) -> Probe:
    return Probe(network, Batch(x, y), layers=layers, second_order=False, seed=5)


@distances
def test_it_is_the_distance_of_features_as_written_down(distance: Distance) -> None:
    network = smooth()
    probe = look(network)
    value = FeatureMatch(PLACE, layer="1", distance=distance)(probe)
    body = nn.Sequential(*list(network.children())[:2])
    clean, attacked = (body(x).flatten(1) for x in (X, PLACE.probe(probe).x))
    apart = (clean - attacked).pow(2)
    expected = {
        "l2": (clean - attacked).norm(dim=1).pow(2).mean(),
        "mean-l2": F.mse_loss(clean, attacked),
        "normalized": (apart.sum(1) / clean.pow(2).sum(1)).mean(),
        "cosine": 1 - ((clean * attacked).sum(1) / clean.norm(dim=1) / attacked.norm(dim=1)).mean(),
    }
    assert torch.allclose(value, expected[distance])


@distances
def test_images_that_stay_where_they_are_are_no_distance_apart(distance: Distance) -> None:
    still = Attacked(PGD(eps=1e-12, steps=1, start="here", goal=HighestLoss()))
    value = FeatureMatch(still, layer="1", distance=distance)(look(smooth()))
    assert float(value.detach()) == pytest.approx(0, abs=1e-15)


@distances
@pytest.mark.parametrize("stop_gradient", [False, True])
def test_the_gradient_for_the_parameters_is_right(distance: Distance, stop_gradient: bool) -> None:
    network = smooth()
    names = [name for name, _ in network.named_parameters()]
    term = FeatureMatch(FIXED, layer="network.1", distance=distance, stop_gradient=stop_gradient)
    # what counts as a constant is held fixed by hand, since a difference quotient would see it move
    body = nn.Sequential(*list(network.children())[:2])
    constant = body(X).flatten(1).detach()

    class Bound(nn.Module):
        def __init__(self, values: dict[str, Tensor]) -> None:
            super().__init__()
            self.network = network
            self.values = values

        def forward(self, x: Tensor) -> Tensor:
            return torch.func.functional_call(self.network, self.values, (x,))

    def value(*tensors: Tensor) -> Tensor:
        probe = look(Bound(dict(zip(names, tensors, strict=True))), layers=("network.1",))
        return term(probe)

    def by_hand(*tensors: Tensor) -> Tensor:
        probe = look(Bound(dict(zip(names, tensors, strict=True))), layers=("network.1",))
        moved = FIXED.probe(probe).features("network.1").flatten(1)
        own = constant if stop_gradient else probe.features("network.1").flatten(1)
        if distance == "cosine":
            return 1 - F.cosine_similarity(own, moved).mean()
        apart = (own - moved).square().sum(1)
        if distance == "normalized":
            apart = apart / constant.square().sum(1)
        return apart.mean() / (own.shape[1] if distance == "mean-l2" else 1)

    parameters = tuple(parameter.detach().requires_grad_() for parameter in network.parameters())
    assert torch.autograd.gradcheck(by_hand, parameters, eps=1e-6, atol=1e-6, rtol=1e-4, fast_mode=True)
    ours = torch.autograd.grad(value(*parameters), parameters, materialize_grads=True)
    theirs = torch.autograd.grad(by_hand(*parameters), parameters, materialize_grads=True)
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(ours, theirs, strict=True))


def test_l2_shrinks_with_the_features_and_the_others_see_through_it() -> None:
    network = smooth()
    small = nn.Sequential(*network.children())
    small[1] = nn.Sequential(nn.Softplus(), Scale(0.1))
    for distance, factor in (("l2", 0.01), ("mean-l2", 0.01), ("normalized", 1.0), ("cosine", 1.0)):
        term = FeatureMatch(FIXED, layer="1", distance=cast("Distance", distance))
        assert torch.allclose(term(look(small)), factor * term(look(network)))


class Scale(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def test_it_shares_the_search_and_the_pass_of_terms_at_the_same_place() -> None:
    probe = look(smooth())
    (CrossEntropy() + CrossEntropy().at(PLACE) + FeatureMatch(replace(PLACE), layer="1"))(probe)
    assert probe.forwards == 1 and PLACE.probe(probe).forwards == 1


LAST = {
    "mlp": "activation2",
    "lenet": "activation4",
    "lenet-joo2023": "activation5",
    "simple-cnn": "activation3",
    "resnet18": "pool",
    "preact-resnet44": "pool",
    "wide-resnet-28-10": "pool",
    "vit": "norm",
    "alexnet": "classifier.5",
    "vgg16": "classifier.4",
}


def test_every_listed_network_has_an_expectation() -> None:
    assert set(LAST) == set(models.MODELS)


@pytest.mark.parametrize("name", LAST)
def test_the_last_features_of_listed_networks_are_found(name: str) -> None:
    network, side = listed(name, channels=1, mean=(0.5,), std=(1.0,)).train(), side_of(name)
    before = [tensor.clone() for tensor in network.state_dict().values()]
    x = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(0))
    assert last_features(network, x) == LAST[name]
    assert all(torch.equal(a, b) for a, b in zip(before, network.state_dict().values(), strict=True))
    assert all(module.training for module in network.modules())


class Flattening(nn.Module):
    """Flattens in a function and not in a layer, as many published networks do."""

    def __init__(self, pooled: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(3, 4)
        self.pooled = pooled

    def forward(self, x: Tensor) -> Tensor:
        features = self.conv(x)
        return self.head(torch.flatten(self.pool(features), 1) if self.pooled else features.mean((2, 3)))


def test_a_layer_whose_output_is_flattened_on_the_way_counts() -> None:
    assert last_features(Flattening(pooled=True), images(1, 1, 6, 6).float()) == "pool"


def test_networks_without_such_a_layer_are_refused() -> None:
    message = (
        "no layer of this network puts out just what 'head' reads; "
        "name the layer to match, such as layer='head' (the last ones are: conv, pool, head)"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        last_features(Flattening(pooled=False), images(1, 1, 6, 6).float())
    message = (
        "this network uses no linear layer and no convolution; "
        "name the layer to match, such as layer='1' (the last ones are: 0, 1)"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        last_features(nn.Sequential(nn.MaxPool2d(3), nn.Flatten()), images(1, 1, 6, 6).float())


def test_an_unnamed_layer_is_filled_in_and_cannot_be_read_before() -> None:
    network = smooth()
    objective = CrossEntropy() + FeatureMatch(PLACE)
    assert objective.layers == ()
    assert objective.vague
    assert objective.on(network, X) == CrossEntropy() + FeatureMatch(PLACE, layer="1")
    assert FeatureMatch(PLACE, layer="0").on(network, X).layer == "0"
    message = "this FeatureMatch names no layer; name one, or let term.on(network, x) find the last"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        FeatureMatch(PLACE)(look(network))


@pytest.mark.parametrize("term", [FeatureMatch(PLACE), FeatureMatch(FIXED, "stage2", "cosine", True)], ids=repr)
def test_it_reads_back_from_its_settings(term: FeatureMatch) -> None:
    assert config.build(Term, config.dump(term)) == term
    objective = CrossEntropy() + 0.1 * term
    assert config.build(Objective, config.dump(objective)) == objective


def test_a_weight_of_zero_is_plain_training_on_one_step_attacks() -> None:
    split = pellucid.data.load("digits").train.take(200)
    place = Attacked(PGD(eps=0.2, steps=1, step=1, start="here"), towards="least-likely", vary=True)
    plain = 0.5 * CrossEntropy() + 0.5 * CrossEntropy().at(place)
    weights: list[list[Tensor]] = []
    for objective in (plain, plain + 0.0 * FeatureMatch(place), plain + FeatureMatch(place)):
        network = models.build("mlp", shape=(1, 8, 8), hidden=(32, 16))
        list(pellucid.fit(network, split, objective, Recipe(epochs=2, batch=50)))
        weights.append([tensor.clone() for tensor in network.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights[0], weights[2], strict=True))
