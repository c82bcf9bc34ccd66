"""What every explainer must pass.

class TestMine(ExplainerConformance):
    explainer = Mine()
"""

from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.batch import Batch
from pellucid.errors import LabelError, PixelError, ShapeError
from pellucid.explain import Explainer
from pellucid.testing.specimens import images, left_as_it_was, network


class ExplainerConformance:
    """Subclass it with an explainer that is cheap to run; pytest does the rest."""

    explainer: ClassVar[Explainer]

    def test_the_same_seed_gives_the_same_bits(self) -> None:
        """And another seed gives other maps only where the explainer says so."""
        first = self._map(seed=3)
        assert torch.equal(self._map(seed=3), first)
        assert torch.equal(self._map(seed=4), first) == (not self.explainer.random)

    def test_it_leaves_the_network_as_it_was(self) -> None:
        """Modes, parameters, buffers, gradients and what requires them."""
        left_as_it_was(lambda model: self._map(model=model))

    def test_the_mode_that_the_network_comes_in_does_not_matter(self) -> None:
        """It is explained in evaluation mode."""
        assert torch.equal(self._map(model=network().train()), self._map(model=network()))

    def test_it_leaves_the_images_as_they_were(self) -> None:
        """Neither the pixels nor whether gradients are taken for them."""
        x, y = images()
        before = x.clone()
        found = self.explainer(network(), x, y)
        assert torch.equal(x, before)
        assert not x.requires_grad
        assert not found.map.requires_grad

    def test_an_image_fares_alone_as_in_a_batch(self) -> None:
        """Its random numbers are its own."""
        x, y = images()
        together = self._map()
        for number in range(len(x)):
            rows = slice(number, number + 1)
            alone = self.explainer.on(network(), Batch(x[rows], y[rows], {"index": torch.tensor([number])}))
            assert torch.allclose(alone.map[0], together[number], atol=1e-9)

    def test_the_order_of_images_does_not_matter(self) -> None:
        """Those that are numbered elsewhere may come in any."""
        x, y = images()
        order = torch.arange(len(x)).flip(0)
        found = self.explainer.on(network(), Batch(x[order], y[order], {"index": order}))
        assert torch.allclose(found.map, self._map()[order], atol=1e-9)

    def test_a_class_may_be_named_in_every_way(self) -> None:
        """One for all, one for each, the label, or what the network says."""
        x, y = images()
        model = network()
        predicted = model(x).argmax(1)
        of_two = self.explainer(model, x, 2)
        assert torch.equal(of_two.map, self.explainer(model, x, torch.full_like(y, 2)).map)
        assert bool((of_two.of == 2).all())
        said = self.explainer(model, x, "predicted")
        assert torch.equal(said.of, predicted)
        assert torch.equal(said.map, self.explainer(model, x, predicted).map)
        assert torch.equal(self.explainer.on(model, Batch(x, y)).map, self.explainer(model, x, y).map)

    def test_it_takes_any_shape_precision_and_number_of_classes(self) -> None:
        """Also where no gradients are being taken; a map has the shape and the type of its image."""
        for classes, channels, size, dtype in ((2, 1, 5, torch.float32), (7, 3, 4, torch.float64)):
            x, y = images(classes=classes, channels=channels, size=size, dtype=dtype)
            with torch.no_grad():
                model = network(classes=classes, channels=channels, size=size, dtype=dtype)
                found = self.explainer(model, x, y)
            assert found.map.shape == x.shape
            assert found.map.dtype == dtype
            assert bool(found.map.isfinite().all())

    def test_it_refuses_what_cannot_be_explained(self) -> None:
        """Pixels outside [0, 1], classes that do not exist, and classes for other images than these."""
        x, y = images()
        model = network()
        assert _refused(PixelError, lambda: self.explainer(model, 2 * x, y))
        assert _refused(LabelError, lambda: self.explainer(model, x, 4))
        assert _refused(ShapeError, lambda: self.explainer(model, x, y[:-1]))
        assert _refused(ShapeError, lambda: self.explainer(model, x[:0], y[:0]))

    def test_its_settings_are_read_back_as_they_were_written(self) -> None:
        """What `dump` writes, `build` reads."""
        assert config.build(Explainer, config.dump(self.explainer)) == self.explainer

    def _map(self, *, model: nn.Module | None = None, seed: int = 0) -> Tensor:
        x, y = images()
        return self.explainer(network() if model is None else model, x, y, seed=seed).map


def _refused(error: type[Exception], call: Callable[[], object]) -> bool:
    with suppress(error):
        call()
        return False
    return True
