import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from chance import strays
from networks import images, linear, smooth
from pellucid.batch import Batch
from pellucid.data import load, sequential
from pellucid.errors import ConfigError, NetworkError, ShapeError
from pellucid.evaluate.explanations import CascadingRandomization, ClassSensitivity, LabelRandomization
from pellucid.evaluate.explanations.cascading_randomization import layers_from_the_output, redraw, stages_of
from pellucid.explainers import Explainer, Gradient, SmoothGrad
from pellucid.metrics.agreement import Cosine, Pearson
from pellucid.probe import Probe


@dataclass(frozen=True)
class Picture(Explainer):
    """The image itself, as an edge detector's answer is: nothing of the network."""

    def maps(self, probe: Probe, of: Tensor, rows: int) -> Tensor:
        return probe.x.detach()


@pytest.fixture(scope="module")
def digits() -> Batch:
    split = load("digits").train.take(400)
    (batch,) = split.batches(sequential(split, 400))
    return batch


@pytest.fixture(scope="module")
def trained(digits: Batch) -> Iterator[nn.Module]:
    """A network that reads digits."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(),
            nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10),
        )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(digits.x), digits.y).backward()
        optimizer.step()
    yield model.eval()


def test_what_knows_nothing_of_the_network_stays_as_it_was(trained: nn.Module, digits: Batch) -> None:
    for metric in (CascadingRandomization(), CascadingRandomization(order="independent", report="mean")):
        found = metric(trained, digits.x[:8], explainer=Picture())
        assert torch.allclose(found.value, torch.ones(8, dtype=torch.float64))
        assert torch.allclose(found.columns["similarity"], torch.ones((), dtype=torch.float64))


def test_gradients_of_a_network_that_has_learned_change(trained: nn.Module, digits: Batch) -> None:
    found = CascadingRandomization()(trained, digits.x[:32], explainer=Gradient())
    stages = found.columns["similarity"].mean(0)
    assert stages.shape == (4,)  # a convolution, its normalization and two linear layers
    assert found.columns["layer"][0].tolist() == [1, 2, 3, 4]
    assert bool((stages < 0.5).all())
    assert abs(float(stages[-1])) < 0.2
    assert found.value.allclose(found.columns["similarity"][:, -1])
    mean = CascadingRandomization(report="mean")(trained, digits.x[:32], explainer=Gradient())
    assert mean.value.allclose(mean.columns["similarity"].mean(1))
    assert mean.columns["draws"].shape == (32, 3)
    assert mean.value.allclose(mean.columns["draws"].mean(1))


def test_layers_after_the_one_that_is_explained_do_not_matter() -> None:
    """A network whose logits are sums over its features: of its top layer only the bias is ever drawn anew."""

    class Offset(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bias = nn.Parameter(torch.randn(4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.bias

    model, x = nn.Sequential(smooth(), Offset()), images(5, 1, 6, 6)
    found = CascadingRandomization(sign="signed")(model, x, 1, explainer=Gradient())
    first = found.columns["similarity"][:, 0]
    assert first.allclose(torch.ones_like(first))
    assert bool((found.columns["similarity"][:, -1] < 0.9).all())


def test_nothing_drawn_changes_nothing() -> None:
    """Constant parameters have no spread to be drawn from."""

    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.full((9, 3), 0.5, dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1).square() @ self.weight

    found = CascadingRandomization()(Fixed(), images(4, 1, 3, 3), 0, explainer=Gradient())
    assert found.value.allclose(torch.ones_like(found.value))


def test_each_layer_alone_is_the_others_as_they_were(trained: nn.Module, digits: Batch) -> None:
    x = digits.x[:6]
    alone = CascadingRandomization(order="independent", report="mean", draws=1, similarity=Pearson())
    together = CascadingRandomization(draws=1, similarity=Pearson())
    first = alone(trained, x, explainer=Gradient()).columns["similarity"]
    other = together(trained, x, explainer=Gradient()).columns["similarity"]
    assert torch.equal(first[:, 0], other[:, 0])  # the first layer is alone in both
    assert not torch.allclose(first[:, 1:], other[:, 1:])


def test_draws_follow_from_the_seed_alone(trained: nn.Module, digits: Batch) -> None:
    metric, x = CascadingRandomization(stages=2), digits.x[:6]
    found = metric(trained, x, explainer=Gradient(), seed=3)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    again = metric(trained, x, explainer=Gradient(), seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(found.value, again.value)
    assert not torch.equal(found.value, metric(trained, x, explainer=Gradient(), seed=4).value)
    assert not torch.equal(found.columns["draws"][:, 0], found.columns["draws"][:, 1])
    parts = [metric(trained, part, explainer=Gradient(), seed=3).value for part in x.split(4)]
    assert torch.cat(parts).allclose(found.value, atol=1e-5)


def test_passes_through_the_changed_networks_are_counted(trained: nn.Module, digits: Batch) -> None:
    found = CascadingRandomization(draws=2)(trained, digits.x[:6], explainer=Gradient())
    # the map, the order of the layers, and a map for each of 4 stages and 2 draws
    assert found.forwards == 6 + 1 + 8 * 6
    assert found.backwards == 6 + 8 * 6


def test_a_map_that_turned_constant_has_nothing_left() -> None:
    class Gate(nn.Linear):
        def reset_parameters(self) -> None:
            nn.init.zeros_(self.weight)
            nn.init.zeros_(self.bias)

    model = nn.Sequential(nn.Flatten(), Gate(9, 3)).double()
    with torch.no_grad():
        model.get_parameter("1.weight").copy_(torch.arange(27).reshape(3, 9))
    found = CascadingRandomization()(model, images(2, 1, 3, 3), 0, explainer=Gradient())
    assert bool(found.defined.all())
    assert found.value.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("layers", "stages", "places"),
    [(1, 8, (1,)), (4, 8, (1, 2, 3, 4)), (10, 5, (2, 4, 6, 8, 10)), (10, 3, (4, 7, 10)), (7, 1, (7,))],
)
def test_stages_are_spread_evenly(layers: int, stages: int, places: tuple[int, ...]) -> None:
    assert stages_of(layers, stages) == places


def test_layers_come_in_the_order_of_their_calls() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(3, 2)
            self.scale = nn.Parameter(torch.ones(()))
            self.attention = nn.MultiheadAttention(3, 1, batch_first=True)
            self.stem = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, affine=False), nn.ReLU())

        def forward(self, x: Tensor) -> Tensor:
            x = self.scale * self.stem(x)
            return self.head(self.attention(x[:, None], x[:, None], x[:, None])[0][:, 0])

    names = layers_from_the_output(Backwards().eval(), torch.rand(4, 3))
    assert names == ("head", "attention.out_proj", "attention", "stem.1", "stem.0", "")


def test_a_layer_is_initialized_as_its_class_does_it() -> None:
    convolution, norm = nn.Conv2d(3, 64, 5), nn.BatchNorm2d(64)
    model = nn.Sequential(convolution, norm)
    model(images(9, 3, 8, 8).float() * 5 + 3)
    with torch.no_grad():
        convolution.weight.add_(7)
        norm.weight.add_(2)
    redraw(model, "0", seed=1)
    drawn = convolution.weight.detach().clone()
    assert not strays(drawn.flatten().tolist(), 0)
    assert float(drawn.abs().max()) <= 75**-0.5
    assert bool((norm.weight == 3).all())
    redraw(model, "1", seed=1)
    assert bool((norm.weight == 1).all())
    assert norm.running_mean is not None
    assert not norm.running_mean.any()
    redraw(model, "0", seed=1)
    assert torch.equal(convolution.weight, drawn)
    redraw(model, "0", seed=2)
    assert not torch.equal(convolution.weight, drawn)


def test_what_cannot_initialize_itself_is_drawn_with_its_own_mean_and_spread() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(3 + 2 * torch.randn(100, 100, generator=torch.Generator().manual_seed(0)))

    scale = Scale()
    before = scale.weight.detach().clone()
    redraw(scale, "", seed=0)
    drawn = scale.weight.detach()
    assert float(drawn.mean()) == pytest.approx(3, abs=0.1)
    assert float(drawn.std()) == pytest.approx(2, abs=0.1)
    assert abs(float((drawn - 3).flatten() @ (before - 3).flatten()) / 4e4) < 0.05


def test_weights_that_are_made_of_others_are_drawn_anew() -> None:
    """Initializing such a layer would fill a weight that the next pass makes anew of what was learned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = nn.utils.weight_norm(nn.Linear(20, 20))
    before, x = layer(torch.eye(20)).detach(), torch.eye(20)
    with torch.no_grad():
        layer(x)
        redraw(layer, "", seed=0)
    assert not layer(x).detach().allclose(before, atol=0.1)


def test_a_compiled_program_is_drawn_anew_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torch.jit.trace(smooth(), images(2, 1, 6, 6))
    assert isinstance(model, torch.jit.ScriptModule)
    found = CascadingRandomization(draws=1)(model, images(3, 1, 6, 6), 0, explainer=Gradient())
    assert found.columns["layer"][0].tolist() == [1, 2]
    assert bool((found.value < 1).all())


def test_what_cannot_be_copied_or_drawn_is_refused() -> None:
    class Stubborn(nn.Linear):
        def __deepcopy__(self, memo: object) -> nn.Module:
            raise TypeError("cannot pickle\na lock")

    message = (
        "this network cannot be copied, so none of its layers can be drawn anew (TypeError: cannot pickle a lock)"
    )
    with pytest.raises(NetworkError, match=f"^{re.escape(message)}$"):
        CascadingRandomization()(
            nn.Sequential(nn.Flatten(), Stubborn(9, 2)), images(2, 1, 3, 3), 0, explainer=Gradient()
        )
    message = "this network has no layer with parameters; there is nothing to draw anew"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        CascadingRandomization()(nn.Flatten(), images(2, 1, 3, 3), 0, explainer=Gradient())


def test_settings_that_say_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="^cascading-randomization has stages=0; give 1 or more$"):
        CascadingRandomization(stages=0)
    with pytest.raises(ConfigError, match="^cascading-randomization has draws=-1; give 1 or more$"):
        CascadingRandomization(draws=-1)
    message = "cascading-randomization never draws all layers anew with order='independent'; set report='mean'"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        CascadingRandomization(order="independent")


def test_a_network_that_learned_the_same_is_no_other() -> None:
    x = images(4, 1, 6, 6)
    same = LabelRandomization(smooth)(smooth(), x, explainer=SmoothGrad(samples=2), seed=2)
    assert same.value.allclose(torch.ones_like(same.value))
    other = LabelRandomization(lambda: smooth(seed=1), sign="signed")(smooth(), x, explainer=Gradient())
    assert bool((other.value < 0.9).all())


def test_a_network_of_other_classes_is_refused() -> None:
    message = (
        "the network 'networks:smooth' has 4 classes, and class 5 is asked about; "
        "give one that was trained on random labels of the same data"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        LabelRandomization("networks:smooth")(smooth(classes=7), images(2, 1, 6, 6), 5, explainer=Gradient())


def test_maps_of_two_classes_are_compared() -> None:
    model, x = linear(), images(5, 1, 3, 3)
    weights = model.get_parameter("1.weight").detach()
    found = ClassSensitivity(similarity=Cosine())(model, x, "predicted", explainer=Gradient())
    order = model(x).topk(2).indices
    assert torch.equal(found.columns["other"], order[:, 1])
    assert found.value.allclose(F.cosine_similarity(weights[order[:, 0]], weights[order[:, 1]]).double())
    # asked about another class than the predicted one, the predicted one is what it is compared with
    found = ClassSensitivity()(model, x, order[:, 1], explainer=Gradient())
    assert torch.equal(found.columns["other"], order[:, 0])


def test_another_class_drawn_is_never_the_same() -> None:
    x = images(60, 1, 3, 3)
    found = ClassSensitivity("random")(linear(), x, 2, explainer=Gradient())
    assert set(found.columns["other"].tolist()) == {0, 1, 3}
    again = ClassSensitivity("random")(linear(), x, 2, explainer=Gradient(), seed=1)
    assert not torch.equal(found.columns["other"], again.columns["other"])


def test_opposite_classes_tell_why_the_sign_counts() -> None:
    """With two classes whose logits are each other's opposite, all that tells their maps apart is the sign."""
    model = linear(classes=2)
    weights = model.get_parameter("1.weight").detach()
    weights[1] = -weights[0]
    x = images(3, 1, 3, 3)
    assert ClassSensitivity()(model, x, 0, explainer=Gradient()).value.allclose(-torch.ones(3).double())
    assert ClassSensitivity(sign="absolute")(model, x, 0, explainer=Gradient()).value.allclose(torch.ones(3).double())


def test_a_map_that_is_the_same_for_all_classes_fails() -> None:
    found = ClassSensitivity()(smooth(), images(3, 1, 6, 6), explainer=Picture())
    assert found.value.allclose(torch.ones_like(found.value))
