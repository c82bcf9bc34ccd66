"""What every attack must pass.

class TestMine(AttackConformance):
    attack = Mine(eps=0.1)
"""

import math
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.attacks import Attack, Perturbed
from pellucid.attacks.attack import within
from pellucid.batch import Batch
from pellucid.protocols import Norm
from pellucid.testing.specimens import Scaled, Zoomed, left_as_it_was
from pellucid.testing.suite import Suite


class AttackConformance(Suite):
    """Subclass it with an attack that is cheap to run; pytest does the rest."""

    attack: ClassVar[Attack]

    def test_the_same_seed_gives_the_same_bits(self) -> None:
        """The same seed gives the same points, decisions, distances and costs."""
        first, second = self._attacked(seed=3), self._attacked(seed=3)
        assert torch.equal(first.x, second.x)
        assert torch.equal(first.reached, second.reached)
        assert torch.equal(first.distance, second.distance)
        assert torch.equal(first.forwards, second.forwards)

    def test_it_leaves_the_network_as_it_was(self) -> None:
        """Modes, parameters, buffers, gradients and what requires them are as before."""
        left_as_it_was(lambda model: self._attacked(model=model), of=self.network)

    def test_it_leaves_the_images_as_they_were(self) -> None:
        """The pixels are as before, and so is whether gradients are taken for them."""
        x, y = self.images()
        before = x.clone()
        self.attack(self.network(), x, y)
        assert torch.equal(x, before)
        assert not x.requires_grad

    def test_an_image_fares_alone_as_in_a_batch(self) -> None:
        """An image's random numbers are its own, and so is its budget of steps."""
        x, y = self.images()
        together = self._attacked()
        for number in range(len(x)):
            index = torch.tensor([number])
            alone = self.attack.on(
                self.network(), Batch(x[number : number + 1], y[number : number + 1], {"index": index}), seed=0
            )
            assert torch.allclose(alone.x[0], together.x[number], atol=1e-7)
            assert bool(alone.reached[0]) == bool(together.reached[number])

    def test_what_it_returns_is_an_image_within_the_budget(self) -> None:
        """The points lie in [0, 1] and in the ball, and have the type of the images."""
        x, _ = self.images()
        found = self._attacked()
        assert found.x.shape == x.shape
        assert found.x.dtype == x.dtype
        if self.attack.clips:
            assert float(found.x.min()) >= 0
            assert float(found.x.max()) <= 1
        assert torch.allclose(found.distance, self.attack.norm.size(found.x - x))
        if math.isfinite(self.attack.budget):
            assert bool(within(found.distance, self.attack.budget).all())

    def test_what_it_reports_holds(self) -> None:
        """A forward pass of one's own on what it returns agrees."""
        _, y = self.images()
        found = self._attacked()
        with torch.no_grad():
            reached = self.attack.goal.reached(self.network().eval()(found.x), y)
        assert torch.equal(reached, found.reached)
        assert bool((found.forwards >= 2).all())
        assert torch.equal(found.part >= 0, found.reached)

    def test_images_that_fail_from_the_start_stay(self) -> None:
        """An image whose goal is reached from the start has the distance zero."""
        x, y = self.images()
        with torch.no_grad():
            before = self.attack.goal.reached(self.network().eval()(x), y)
        found = self._attacked()
        if self.attack.settles:
            assert bool((found.distance[before] == 0).all())
            assert bool(found.reached[before].all())

    def test_it_takes_any_shape_precision_and_number_of_classes(self) -> None:
        """Images may have any shape and precision, and networks two classes or more."""
        for classes, channels, size, dtype in ((2, 1, 5, torch.float32), (7, 3, 4, torch.float64)):
            x, y = self.images(classes=classes, channels=channels, size=size, dtype=dtype)
            found = self.attack(self.network(classes=classes, channels=channels, size=size, dtype=dtype), x, y)
            assert found.x.dtype == dtype
            assert bool(found.x.isfinite().all())

    def test_its_distances_do_not_hang_on_the_scale_of_logits(self) -> None:
        """Logits 100 times as large change no distance, unless the goal or declared lengths depend on them."""
        x, y = self.images()
        model, more = self.network(), nn.Sequential(self.network(), Scaled(100)).eval()
        with torch.no_grad():
            logits = torch.randn(50, 4, dtype=x.dtype, generator=torch.Generator().manual_seed(0))
            classes = torch.arange(50) % 4
            apart = self.attack.goal.reached(logits, classes) != self.attack.goal.reached(100 * logits, classes)
        if not self._looks_for_the_nearest() or bool(apart.any()):
            return
        first, second = (self.attack(one, x, y) for one in (model, more))
        assert torch.equal(first.reached, second.reached)
        assert torch.allclose(first.distance, second.distance, rtol=0.02)

    def test_its_distances_follow_the_scale_of_the_network(self) -> None:
        """Margins 100 times smaller make distances 100 times smaller, unless lengths of its own are declared."""
        x = 0.25 + 0.5 * self.images()[0]
        if not self._looks_for_the_nearest() or not _is_homogeneous(self.attack.norm, x):
            return
        with torch.no_grad():
            y = self.network()(x).argmax(1)
        # so near that no pixel comes to the walls
        found = [self.attack(Zoomed(self.network(), x, times).eval(), x, y) for times in (1e2, 1e4)]
        assert torch.equal(found[0].reached, found[1].reached)
        assert torch.allclose(found[0].distance, 100 * found[1].distance, rtol=0.02)

    def test_its_settings_are_read_back_as_they_were_written(self) -> None:
        """What `dump` writes, `build` reads."""
        assert config.build(Attack, config.dump(self.attack)) == self.attack

    def _looks_for_the_nearest(self) -> bool:
        if self.attack.nearest and self.attack.absolute:
            pytest.skip(f"declared: {self.attack.absolute}")
        return self.attack.nearest

    def _attacked(self, *, model: nn.Module | None = None, seed: int = 0) -> Perturbed:
        x, y = self.images()
        return self.attack(self.network() if model is None else model, x, y, seed=seed)


def _is_homogeneous(norm: Norm, x: Tensor) -> bool:
    """Whether twice a perturbation is twice as long."""
    return torch.allclose(norm.size(2 * x), 2 * norm.size(x))
