"""What every term must pass.

class TestMine(TermConformance):
    term = Mine()
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.batch import Batch
from pellucid.objectives import Objective, Term
from pellucid.probe import Probe
from pellucid.testing.specimens import left_as_it_was
from pellucid.testing.suite import Suite

NONE: Mapping[str, Tensor] = {}


class TermConformance(Suite):
    """Subclass it with a term that is cheap to compute; pytest does the rest.

    `columns` are those that the term reads, for six images of shape (1, 6, 6) in float64, and layers are named as in
    `pellucid.testing.attacks.network`. `duplicated` is what the value is multiplied by when every image comes twice:
    1 unless the term takes a norm over the batch. `constants` says that the term holds constant what depends on the
    parameters, such as a detached gradient or the point that an attack found; its derivative is then not that of its
    value, and the author has to check it otherwise.
    """

    term: ClassVar[Term]
    columns: ClassVar[Mapping[str, Tensor]] = NONE
    duplicated: ClassVar[float] = 1.0
    constants: ClassVar[bool] = False

    def test_it_is_a_finite_number(self) -> None:
        """The value has no dimensions, and the precision of the images."""
        value = self._value(self.network())
        assert value.shape == ()
        assert value.dtype == torch.float64
        assert math.isfinite(float(value.detach()))

    def test_the_same_seed_gives_the_same_bits(self) -> None:
        """The same seed gives the same value and the same gradients of parameters."""
        first, second = self.network(), self.network()
        assert torch.equal(self._value(first, backward=True), self._value(second, backward=True))
        for one, other in zip(_gradients(first), _gradients(second), strict=True):
            assert torch.equal(one, other)

    @pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
    def test_its_derivatives_are_those_of_its_value(self, training: bool) -> None:
        """The gradient of every parameter agrees with central differences, also where BatchNorm mixes images."""
        if self.constants:
            pytest.skip("the term holds constant what depends on the parameters")
        model = self.network().train(training)
        self._value(model, backward=True)
        generator = torch.Generator().manual_seed(2)
        for (name, parameter), gradient in zip(model.named_parameters(), _gradients(model), strict=True):
            for _ in range(2):
                direction = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
                direction /= direction.norm()
                difference = self._difference(model, parameter, direction)
                expected = float((gradient * direction).sum())
                assert math.isclose(
                    difference, expected, rel_tol=1e-5, abs_tol=1e-5 * float(gradient.norm()) + 1e-9
                ), f"{name}: {difference} by differences, {expected} by the term"

    def test_first_derivatives_are_enough_where_it_says_so(self) -> None:
        """A term that differentiates no gradient is the same through a probe that takes no second derivatives."""
        if self.term.second_order:
            pytest.skip("the term differentiates a gradient")
        first, second = self.network(), self.network()
        value = self._value(first, second_order=False, backward=True)
        assert torch.allclose(value, self._value(second, backward=True), rtol=1e-10)
        for one, other in zip(_gradients(first), _gradients(second), strict=True):
            assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)

    def test_images_that_come_twice_count_as_once(self) -> None:
        """A batch that comes twice has the same value, or `duplicated` times it; its random numbers are the same."""
        once = self._value(self.network())
        twice = self._value(self.network(), order=torch.arange(6).repeat(2))
        assert torch.allclose(twice, once * self.duplicated, rtol=1e-9)

    def test_the_order_of_images_does_not_matter(self) -> None:
        """Images carry their numbers with them, and so their noise."""
        shuffled = self._value(self.network(), order=torch.tensor([4, 2, 0, 5, 1, 3]))
        assert torch.allclose(shuffled, self._value(self.network()), rtol=1e-9)

    def test_it_leaves_the_network_as_it_was(self) -> None:
        """Modes, parameters, gradients and what requires them; in training, running averages may move."""
        left_as_it_was(self._value, of=self.network, averages=True)

    def test_it_leaves_the_images_as_they_were(self) -> None:
        """The pixels are as before, and so is whether gradients are taken for them."""
        x, y = self.images()
        before = x.clone()
        self.term(Probe(self.network(), Batch(x, y, dict(self.columns)), layers=self.term.layers)).backward()
        assert torch.equal(x, before)
        assert not x.requires_grad
        assert x.grad is None

    def test_its_settings_are_read_back_as_they_were_written(self) -> None:
        """Settings come back from `dump` by `build`, for the term alone and in a weighted objective."""
        assert config.build(Term, config.dump(self.term)) == self.term
        objective = 0.5 * self.term
        assert config.build(Objective, config.dump(objective)) == objective

    def _value(
        self,
        model: nn.Module,
        *,
        order: Tensor | None = None,
        second_order: bool = True,
        backward: bool = False,
    ) -> Tensor:
        x, y = self.images()
        rows = torch.arange(len(x)) if order is None else order
        columns = {name: column[rows] for name, column in self.columns.items()}
        batch = Batch(x[rows], y[rows], {**columns, "index": rows})
        value = self.term(Probe(model, batch, second_order=second_order, layers=self.term.layers, seed=5))
        if backward:
            value.backward()
        return value

    def _difference(self, model: nn.Module, parameter: nn.Parameter, direction: Tensor, step: float = 1e-5) -> float:
        """The central difference of the value along a direction of one parameter."""
        values: list[float] = []
        for sign in (1, -1):
            parameter.data.add_(direction, alpha=sign * step)
            values.append(float(self._value(model).detach()))
            parameter.data.sub_(direction, alpha=sign * step)
        return (values[0] - values[1]) / (2 * step)


def _gradients(model: nn.Module) -> list[Tensor]:
    """Each parameter's gradient; none is zero."""
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in model.parameters()]
