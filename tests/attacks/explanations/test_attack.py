import copy
import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from networks import linear
from pellucid import config, data
from pellucid.attacks.explanations import (
    Aim,
    CenterOfMass,
    Decorrelate,
    ExplanationAttack,
    Frame,
    Manipulated,
    TopK,
    Towards,
)
from pellucid.batch import Batch
from pellucid.errors import ConfigError, NoRoom
from pellucid.explainers import (
    LRP,
    Explainer,
    GradCAM,
    Gradient,
    GuidedBackprop,
    InputTimesGradient,
    IntegratedGradients,
    SmoothGrad,
)
from pellucid.metrics.agreement import Pearson
from pellucid.norms import L1, L2, RMS, Linf
from pellucid.protocols import Norm
from pellucid.testing.specimens import images, left_as_it_was, network

AIMS: list[Aim] = [Frame(1), Towards(), TopK(), CenterOfMass(), Decorrelate()]
CAM = GradCAM("0", positive=False)
MAKERS: list[Explainer] = [Gradient(), InputTimesGradient(), SmoothGrad(samples=2), CAM, GuidedBackprop(), LRP()]


def batch(count: int = 3) -> Batch:
    x, y = images(count=count)
    wanted = torch.rand(x.shape, generator=torch.Generator().manual_seed(5), dtype=x.dtype)
    return Batch(x, y, {"towards": wanted})


def bent(activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """A network whose maps do not bend, but in its corners."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 5, 3, padding=1), activation(), nn.Flatten(), nn.Linear(180, 4)).double()


class Functional(nn.Module):
    """The same with an activation that nobody can exchange."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = bent(nn.Identity)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[3](self.layers[2](F.relu(self.layers[0](x))))


@pytest.fixture(scope="module")
def digits() -> tuple[nn.Sequential, nn.Sequential, Batch]:
    """A ReLU and a Softplus network that read digits, and digits."""
    split = data.load("digits")
    (train,) = split.train.batches([torch.arange(len(split.train))])
    (test,) = split.test.batches([torch.arange(12)])
    found: list[nn.Sequential] = []
    with torch.random.fork_rng([]):
        for activation in (nn.ReLU(), nn.Softplus(beta=10)):
            torch.manual_seed(0)
            model = nn.Sequential(
                nn.Flatten(),
                nn.Linear(64, 64),
                activation,
                nn.Linear(64, 32),
                copy.copy(activation),
                nn.Linear(32, 10),
            )
            optimizer = torch.optim.Adam(model.parameters(), 1e-2)
            for _ in range(40):
                optimizer.zero_grad()
                F.cross_entropy(model(train.x), train.y).backward()
                optimizer.step()
            found.append(model)
    return found[0], found[1], test


def same(one: Manipulated, other: Manipulated, rows: Tensor, *, tolerance: float = 0.0) -> None:
    for name in ("x", "before", "after", "of", "distance", "kept", "shift", "loss_before", "loss", "blind"):
        first, second = getattr(one, name), getattr(other, name)[rows]
        assert torch.allclose(first.double(), second.double(), rtol=0, atol=tolerance), name


@pytest.mark.parametrize("explainer", MAKERS, ids=lambda made: type(made).__name__)
@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: type(aim).__name__)
def test_points_are_near_images_that_keep_what_they_must_and_are_no_worse(explainer: Explainer, aim: Aim) -> None:
    model = bent() if isinstance(aim, Frame | Decorrelate) else network()
    attack = ExplanationAttack(explainer, aim, eps=0.1, steps=3, keep="label")
    found = attack.on(model, batch(), "predicted")
    assert bool(((found.x >= 0) & (found.x <= 1)).all())
    assert bool(((found.x - batch().x).abs() <= 0.1 + 1e-12).all())
    with torch.no_grad():
        before, after = model(batch().x), model(found.x)
    assert torch.equal(before.argmax(1), after.argmax(1))
    assert bool(found.kept.all())
    assert torch.allclose(found.shift, (after - before).square().sum(1))
    assert bool((found.loss <= found.loss_before).all())
    assert bool((found.loss < found.loss_before).any())
    again = explainer.on(model, batch().at(found.x), found.of)
    assert torch.equal(found.after, again.map)
    reference = attack.target(found.before, batch())
    assert torch.allclose(aim.loss(attack.seen(found.after), reference), found.loss)


@pytest.mark.parametrize("norm", [Linf(), L2(), RMS(), L1()], ids=lambda norm: type(norm).__name__)
@pytest.mark.parametrize("optimizer", ["adam", "steepest"])
def test_every_step_in_every_norm_makes_its_way(norm: Norm, optimizer: str) -> None:
    eps = 0.05 * float(norm.size(torch.ones_like(batch().x[:1])))
    attack = ExplanationAttack(InputTimesGradient(), Frame(1), eps, norm, steps=10, keep="label")
    found = replace(attack, optimizer=optimizer).on(network(), batch(), "predicted")
    assert bool((norm.size(found.x - batch().x) <= eps * (1 + 1e-9)).all())
    assert torch.allclose(found.distance, norm.size(found.x - batch().x))
    assert bool((found.loss < found.loss_before).all())


@pytest.mark.parametrize(
    ("aim", "explainer"), [(Frame(1), Gradient()), (Decorrelate(), SmoothGrad(samples=2))], ids=["still", "random"]
)
def test_an_image_fares_alone_as_in_a_batch_of_any_order(aim: Aim, explainer: Explainer) -> None:
    attack = ExplanationAttack(explainer, aim, eps=0.1, steps=4, restarts=2)
    whole = Batch(batch().x, batch().y, {"towards": batch().column("towards"), "index": torch.arange(3)})
    together = attack.on(network(), whole, "predicted")
    for rows in ([1], [2, 0]):
        order = torch.tensor(rows)
        part = Batch(whole.x[order], whole.y[order], {"index": order})
        same(attack.on(network(), part, "predicted"), together, order, tolerance=1e-9)
    same(attack.on(network(), whole, "predicted", rows=2), together, torch.arange(3), tolerance=1e-9)
    same(attack.on(network(), whole, together.of), together, torch.arange(3))


def test_the_same_seed_gives_the_same_bits_and_another_one_other_points() -> None:
    attack = ExplanationAttack(Gradient(), Decorrelate(), eps=0.1, steps=3)
    x = batch().x
    first = attack(network(), x, "predicted", seed=3)
    same(attack(network(), x, "predicted", seed=3), first, torch.arange(3))
    assert not torch.equal(attack(network(), x, "predicted", seed=4).x, first.x)


@pytest.mark.parametrize("keep", ["logits", "label", "nothing"])
def test_it_leaves_the_network_and_the_images_as_they_were(keep: str) -> None:
    attack = replace(ExplanationAttack(Gradient(), eps=0.1, steps=2), keep=keep)
    left_as_it_was(lambda model: attack.on(model, batch(), "predicted"))
    model, x = bent(), batch().x
    activation, before = model[1], x.clone()
    attack(model, x, "predicted")
    assert model[1] is activation
    assert torch.equal(x, before)


def test_more_restarts_are_no_worse() -> None:
    one = ExplanationAttack(Gradient(), Decorrelate(), eps=0.1, steps=3, keep="label")
    found, more = (attack.on(network(), batch(), "predicted") for attack in (one, replace(one, restarts=3)))
    assert bool((more.loss <= found.loss).all())


def test_the_last_point_is_that_of_the_last_step() -> None:
    attack = ExplanationAttack(Gradient(), Frame(1), eps=0.1, steps=1, step=1.0, last=True, keep="nothing")
    found = attack.on(network(), batch(), "predicted")
    # Adam's first step moves each pixel by a whole step
    moved = (found.x - batch().x).abs()
    inner = (batch().x > 0.1) & (batch().x < 0.9)
    assert torch.allclose(moved[inner], torch.full_like(moved[inner], 0.1), atol=1e-5)


def test_where_memory_does_not_suffice_fewer_images_are_searched_at_a_time() -> None:
    class Large(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()

        def forward(self, x: Tensor) -> Tensor:
            if len(x) > 1:
                raise torch.OutOfMemoryError("too many")
            return self.inner(x)

    attack = ExplanationAttack(Gradient(), Frame(1), eps=0.1, steps=1)
    whole = attack(network(), batch().x, 0)
    same(attack(Large(), batch().x, 0), whole, torch.arange(3), tolerance=1e-9)
    none = Large()
    none.register_forward_pre_hook(_full)
    with pytest.raises(NoRoom, match=r"single image \(none left\)"):
        attack(none, batch().x, 0)


def _full(_module: nn.Module, _inputs: object) -> None:
    raise torch.OutOfMemoryError("none left")


def test_a_map_of_zeros_is_no_blindness() -> None:
    # the class speaks of nothing: Grad-CAM shows no place
    model = network()
    for name, parameter in model[4].named_parameters():
        parameter.data.fill_(-1.0 if name == "weight" else 0.0)
    found = ExplanationAttack(GradCAM("2"), Frame(1), eps=0.3, steps=2)(model, batch().x, 0)
    assert bool((found.after == 0).all())
    assert not found.blind.any()


def test_settings_as_published_give_the_points_of_a_loop_written_out() -> None:
    model, x, (steps, eps) = network(), batch().x, (12, 0.1)
    of = model(x).argmax(1)

    def maps(at: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(model(at).gather(1, of[:, None]).sum(), at, create_graph=True)
        planes = gradient.abs().sum(1)
        return planes / planes.amax((1, 2), keepdim=True)

    frame = torch.ones(len(x), 6, 6, dtype=x.dtype)
    frame[:, 1:-1, 1:-1] = 0
    before, point = model(x).detach(), x.clone().requires_grad_()
    adam = torch.optim.Adam([point], lr=4 * eps / steps)
    for _ in range(steps):
        loss = 0.5 * (maps(point) - frame).square().sum() + 0.5 * (model(point) - before).square().mean(1).sum()
        (point.grad,) = torch.autograd.grad(loss, point)
        adam.step()
        point.data = (x + (point.data - x).clamp(-eps, eps)).clamp(0, 1)
    found = ExplanationAttack(Gradient(), Frame(1), eps, steps=steps, last=True)(model, x, "predicted")
    assert torch.allclose(found.x, point.detach(), rtol=0, atol=1e-9)
    assert torch.allclose(ExplanationAttack(Gradient(), Frame(1)).seen(found.after), maps(point), atol=1e-8)


def test_what_is_kept_is_a_part_of_the_loss() -> None:
    attack = ExplanationAttack(Gradient(), Frame(1), eps=0.2, steps=10, gamma=0.001)
    found = attack.on(network(), batch(), "predicted")
    with torch.no_grad():
        shift = (network()(found.x) - network()(batch().x)).square().mean(1)
    aimed = (attack.seen(found.after) - attack.target(found.before, batch())).square().sum((1, 2))
    assert torch.allclose(found.loss, 0.001 * aimed + 0.999 * shift)
    free = replace(attack, keep="nothing").on(network(), batch(), "predicted")
    assert bool((found.shift < free.shift).all())


def test_a_linear_network_s_maps_cannot_be_moved() -> None:
    for aim in (Frame(1), Decorrelate(), TopK(), CenterOfMass()):
        found = ExplanationAttack(Gradient(), aim, eps=0.1, steps=3, keep="label")(linear(pixels=36), batch().x, 1)
        assert torch.equal(found.after, found.before)
        assert torch.equal(found.x, batch().x)
        assert not found.blind.any()


def test_a_search_without_slope_says_so() -> None:
    attack = ExplanationAttack(Gradient(), Frame(1), eps=0.3, steps=2, keep="nothing")
    assert bool(attack(Functional().double(), batch().x, "predicted").blind.all())
    assert bool(replace(attack, softplus=0.0)(bent(), batch().x, "predicted").blind.all())
    assert not attack(bent(), batch().x, "predicted").blind.any()
    # its map bends with the image itself
    assert not replace(attack, explainer=InputTimesGradient())(Functional().double(), batch().x, 0).blind.any()


def test_activations_that_softplus_cannot_stand_in_for_are_refused() -> None:
    message = (
        "softplus=20 stands in for nn.ReLU modules, and this network calls hardtanh besides, where slopes would be "
        "lost; make each of them an nn.ReLU module, or give softplus=0"
    )
    layers = bent()
    mixed = nn.Sequential(layers[:2], nn.ReLU6(), layers[2:])
    attack = ExplanationAttack(Gradient(), Frame(1), eps=0.3, steps=1, softplus=20)
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        attack(mixed, batch().x, "predicted")
    assert replace(attack, softplus=0.0)(mixed, batch().x, "predicted").x.shape == batch().x.shape


@pytest.mark.parametrize(
    ("number", "explainer"), [(0, Gradient()), (1, Gradient()), (1, IntegratedGradients(steps=4))], ids=str
)
def test_maps_of_digits_are_manipulated(
    digits: tuple[nn.Sequential, nn.Sequential, Batch], number: int, explainer: Explainer
) -> None:
    model, test = (digits[0], digits[1])[number], digits[2]
    attack = ExplanationAttack(explainer, Frame(1), eps=0.15, steps=30, keep="label")
    found = attack.on(model, test)
    target = attack.target(found.before, test)
    before, after = (Pearson()(attack.seen(maps), target) for maps in (found.before, found.after))
    assert float((after - before).mean()) > 0.02
    away = replace(attack, aim=Decorrelate()).on(model, test)
    noise = 0.3 * torch.rand(test.x.shape, generator=torch.Generator().manual_seed(0)) - 0.15
    shaken = explainer.on(model, test.at((test.x + noise).clamp(0, 1))).map
    searched, drawn = (1 - Pearson()(attack.seen(away.before), attack.seen(maps)) for maps in (away.after, shaken))
    assert float(searched.mean()) > 3 * float(drawn.mean())
    assert bool(away.kept.all())


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from(AIMS))
def test_aims_are_lowest_where_they_are_fulfilled(seed: int, aim: Aim) -> None:
    generator = torch.Generator().manual_seed(seed)
    now, clean = torch.rand(2, 2, 6, 6, generator=generator, dtype=torch.float64)
    drawn = Batch(torch.zeros(2, 1, 6, 6), torch.zeros(2, dtype=torch.long), {"towards": clean.flip(1)})
    reference = aim.reference(clean, drawn)
    loss = aim.loss(now, reference)
    assert loss.shape == (2,)
    if isinstance(aim, Frame | Towards):
        assert torch.equal(aim.loss(reference, reference), torch.zeros(2, dtype=torch.float64))
        assert bool((loss > 0).all())
    elif isinstance(aim, TopK):
        assert bool(((loss > 0) & (loss <= 1)).all())
        assert bool((aim.loss(clean, reference) >= 4 / 36).all())
    else:
        assert bool((aim.loss(clean, reference) >= loss - 1e-12).all())


def test_closed_forms_of_aims() -> None:
    flat, none = torch.ones(1, 10, 10), torch.zeros(1, 10, 10)
    empty = Batch(torch.zeros(1, 1, 10, 10), torch.zeros(1, dtype=torch.long))
    frame = Frame().reference(torch.ones(1, 32, 32), empty)
    assert int(frame.sum()) == 32 * 32 - 22 * 22
    assert int(Frame().reference(torch.ones(1, 224, 224), empty).sum()) == 224 * 224 - 154 * 154
    assert float(Frame(1).loss(none, Frame(1).reference(none, empty))) == 36
    assert float(TopK(0.2).loss(flat, flat)) == pytest.approx(0.2)
    assert float(TopK(0.2).loss(none, flat)) == 1
    corner, other = none.clone(), none.clone()
    corner[0, 0, 0], other[0, 3, 4] = 1, -2
    assert float(CenterOfMass().loss(corner, other)) == pytest.approx(-5)
    assert float(CenterOfMass().loss(none, flat)) == 0
    assert float(Decorrelate().loss(none, corner)) == 1
    assert float(Decorrelate().loss(-corner, corner)) == pytest.approx(-1)


@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: type(aim).__name__)
def test_settings_are_read_back_as_they_were_written(aim: Aim) -> None:
    attack = ExplanationAttack(SmoothGrad(samples=3), aim, norm=RMS(), keep="label")
    assert config.build(ExplanationAttack, config.dump(attack)) == attack
