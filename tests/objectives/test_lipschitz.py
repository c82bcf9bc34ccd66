import re
from collections.abc import Callable
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from chance import rare
from networks import Counting, images, linear, smooth
from pellucid import config
from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError
from pellucid.objectives import Lipschitz, Term
from pellucid.probe import Probe

X = images(6, 1, 6, 6)
Y = torch.tensor([0, 1, 2, 3, 0, 1])

VARIANTS = [
    Lipschitz(),
    Lipschitz(samples=3),
    Lipschitz(samples="all"),
    Lipschitz(power=1.5, tandem=0.5, samples=2),
    Lipschitz(tandem=0.0, samples="all"),
    Lipschitz(tandem=1.0),
]
terms = pytest.mark.parametrize("term", VARIANTS, ids=repr)


def look(network: nn.Module, x: Tensor = X, y: Tensor = Y, seed: int = 5) -> Probe:
    return Probe(network, Batch(x, y), seed=seed)


def value(term: Term, probe: Probe) -> float:
    return float(term(probe).detach())


def rows(network: nn.Module) -> Tensor:
    return network.get_parameter("1.weight").detach()


def margins(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The slopes of the label's logit less the largest other one, of a linear network."""
    logits = network(x).detach()
    rival = logits.scatter(1, y[:, None], -torch.inf).argmax(1)
    return rows(network)[y] - rows(network)[rival]


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("tandem", [0.0, 0.2, 1.0])
def test_the_expectation_on_a_linear_network_is_the_closed_form(power: float, tandem: float) -> None:
    network = linear(pixels=36)
    of_logits = rows(network).abs().pow(power).mean()
    of_margins = margins(network, X, Y).abs().pow(power).mean()
    found = Lipschitz(power=power, tandem=tandem, samples="all")(look(network))
    assert torch.allclose(found, (1 - tandem) * of_logits + tandem * of_margins, rtol=1e-12)


@pytest.mark.parametrize(("samples", "tandem"), [(1, 0.2), (1, 0.0), (4, 0.7)])
def test_draws_estimate_the_expectation(samples: int, tandem: float) -> None:
    network = smooth()
    exact = value(Lipschitz(tandem=tandem, samples="all"), look(network))
    term = Lipschitz(tandem=tandem, samples=samples)
    drawn = torch.tensor([value(term, look(network, seed=seed)) for seed in range(250)], dtype=torch.float64)
    assert float(drawn.std()) > 0
    assert abs(float(drawn.mean()) - exact) < 4 * float(drawn.std()) / 250**0.5


def test_each_image_has_a_draw_of_its_own_from_logits_and_margin() -> None:
    network = linear(pixels=4, classes=3)
    x, y = images(400, 1, 2, 2), torch.arange(400) % 3
    of_logits = rows(network).square().mean(1)
    of_margins = margins(network, x, y).square().mean(1)
    seen: list[int] = []
    for number in range(400):
        alone = Batch(x[number : number + 1], y[number : number + 1], {"index": torch.tensor([number])})
        found = value(Lipschitz(), Probe(network, alone, seed=1))
        known = [*of_logits.tolist(), of_margins[number].item()]
        seen.append(min(range(4), key=lambda k: abs(known[k] - found)))
        assert found == pytest.approx(known[seen[-1]], rel=1e-9)
    for kind, share in enumerate([0.8 / 3] * 3 + [0.2]):
        assert not rare(seen.count(kind), 400, share)


def test_draws_change_with_the_step_and_with_nothing_else() -> None:
    network, term = smooth(), Lipschitz()
    assert value(term, look(network, seed=1)) == value(term, look(network, seed=1))
    assert len({value(term, look(network, seed=seed)) for seed in range(8)}) > 1


def test_a_margin_alone_is_certain() -> None:
    network = smooth()
    exact = value(Lipschitz(tandem=1.0, samples="all"), look(network))
    assert value(Lipschitz(tandem=1.0), look(network)) == pytest.approx(exact, rel=1e-12)


@terms
def test_it_is_a_finite_scalar_that_does_not_depend_on_order(term: Lipschitz) -> None:
    network = smooth()
    found = term(look(network))
    assert found.shape == () and bool(found.isfinite()) and float(found.detach()) > 0
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    shuffled = Probe(network, Batch(X[order], Y[order], {"index": order}), seed=5)
    assert torch.allclose(term(shuffled), found)


def gradients_are_right(term: Lipschitz, network: nn.Module) -> bool:
    names = [name for name, _ in network.named_parameters()]

    def penalty(*tensors: Tensor) -> Tensor:
        class Bound(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return torch.func.functional_call(network, dict(zip(names, tensors, strict=True)), (x,))

        return term(look(Bound(), X[:3], Y[:3]))

    parameters = tuple(parameter.detach().requires_grad_() for parameter in network.parameters())
    return torch.autograd.gradcheck(penalty, parameters, eps=1e-6, atol=1e-6, rtol=1e-4, fast_mode=True)


@terms
@pytest.mark.parametrize("make", [smooth, lambda: linear(pixels=36)], ids=["smooth", "linear"])
def test_its_gradient_for_the_weights_is_that_of_finite_differences(
    term: Lipschitz, make: Callable[[], nn.Module]
) -> None:
    assert gradients_are_right(term, make())


@given(
    count=st.integers(1, 5),
    classes=st.integers(2, 5),
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    samples=st.sampled_from((1, 3, "all")),
)
@settings(max_examples=30)
def test_batches_of_any_shape(count: int, classes: int, shape: list[int], samples: int | Literal["all"]) -> None:
    pixels = int(torch.tensor(shape).prod())
    network = linear(classes=classes, pixels=pixels)
    x, y = images(count, *shape), torch.arange(count) % classes
    sizes = torch.cat((rows(network), margins(network, x, y))).square().mean(1)
    found = value(Lipschitz(samples=samples), look(network, x, y))
    assert float(sizes.min()) * (1 - 1e-9) <= found <= float(sizes.max()) * (1 + 1e-9)


def test_images_of_another_size_with_the_same_slopes_weigh_less() -> None:
    small, large = linear(pixels=9), linear(pixels=36)
    with torch.no_grad():
        large.get_parameter("1.weight").zero_()[:, :9] = rows(small)
    exact = Lipschitz(tandem=0.0, samples="all")
    found = value(exact, look(large)), value(exact, look(small, images(6, 1, 3, 3)))
    assert found[0] == pytest.approx(found[1] / 4, rel=1e-12)


@pytest.mark.parametrize(
    ("term", "backwards"),
    [
        (Lipschitz(), 1),
        (Lipschitz(samples=3), 3),
        (Lipschitz(samples="all"), 5),
        (VARIANTS[4], 4),
        (Lipschitz(tandem=1.0, samples="all"), 1),
    ],
)
def test_what_it_costs(term: Lipschitz, backwards: int) -> None:
    network = Counting(smooth())
    probe = look(network)
    term(probe)
    assert (network.forwards, probe.backwards) == (1, backwards)


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_slopes_of_zero_do_no_harm(power: float) -> None:
    network = linear(pixels=36)
    nn.init.zeros_(network.get_parameter("1.weight"))
    Lipschitz(power=power)(look(network)).backward()
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in network.parameters())


@terms
def test_it_reads_back_from_its_settings(term: Lipschitz) -> None:
    assert config.build(Term, config.dump(term)) == term
    assert eval(repr(term)) == term


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lipschitz(power=0.5), "power is 0.5; derivatives are raised to a power from 1 to 10"),
        (lambda: Lipschitz(power=torch.inf), "power is inf; derivatives are raised to a power from 1 to 10"),
        (lambda: Lipschitz(tandem=1.5), "tandem is 1.5; it is the probability of a margin, in [0, 1]"),
        (lambda: Lipschitz(samples=0), "samples is 0; it is a number from 1 on, or 'all'"),
    ],
)
def test_settings_that_cannot_be(make: Callable[[], Lipschitz], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


def test_one_class_has_no_margin() -> None:
    probe = look(linear(classes=1, pixels=36), y=torch.zeros(6, dtype=torch.long))
    message = "the network has 1 class and a margin needs two; set tandem to 0"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        Lipschitz()(probe)
    assert float(Lipschitz(tandem=0)(probe).detach()) > 0
