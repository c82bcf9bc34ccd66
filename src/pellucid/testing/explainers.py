"""What every explainer must pass.

class TestMine(ExplainerConformance):
    explainer = Mine()
"""

from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, TypedDict

import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.batch import Batch
from pellucid.errors import ConfigError, LabelError, PixelError, ShapeError
from pellucid.explainers import Explainer
from pellucid.testing.specimens import left_as_it_was
from pellucid.testing.suite import Suite


class Shape(TypedDict):
    """What images and networks of a suite look like."""

    classes: int
    channels: int
    size: int
    dtype: torch.dtype


class ExplainerConformance(Suite):
    """Subclass it with an explainer that is cheap to run; pytest does the rest."""

    explainer: ClassVar[Explainer]

    def test_the_same_seed_gives_the_same_bits(self) -> None:
        """The same seed gives the same maps, and another one others only where the explainer says so."""
        first = self._map(seed=3)
        assert torch.equal(self._map(seed=3), first)
        assert torch.equal(self._map(seed=4), first) == (not self.explainer.random)

    def test_it_leaves_the_network_as_it_was(self) -> None:
        """Modes, parameters, buffers, gradients and what requires them are as before."""
        left_as_it_was(lambda model: self._map(model=model), of=self.network)

    def test_the_mode_that_the_network_comes_in_does_not_matter(self) -> None:
        """The network is explained in evaluation mode, whichever mode it is in."""
        assert torch.equal(self._map(model=self.network().train()), self._map(model=self.network()))

    def test_it_leaves_the_images_as_they_were(self) -> None:
        """The pixels are as before, and so is whether gradients are taken for them."""
        x, y = self.images()
        before = x.clone()
        found = self._ready()(self.network(), x, y)
        assert torch.equal(x, before)
        assert not x.requires_grad
        assert not found.map.requires_grad

    def test_an_image_fares_alone_as_in_a_batch(self) -> None:
        """An image's random numbers are its own, so its map is the same in any batch."""
        x, y = self.images()
        together = self._map()
        for number in range(len(x)):
            rows = slice(number, number + 1)
            alone = self._ready().on(self.network(), Batch(x[rows], y[rows], {"index": torch.tensor([number])}))
            assert torch.allclose(alone.map[0], together[number], atol=1e-9)

    def test_the_order_of_images_does_not_matter(self) -> None:
        """Images that are numbered elsewhere have the same maps in any order."""
        x, y = self.images()
        order = torch.arange(len(x)).flip(0)
        found = self._ready().on(self.network(), Batch(x[order], y[order], {"index": order}))
        assert torch.allclose(found.map, self._map()[order], atol=1e-9)

    def test_maps_without_a_sign_are_never_negative(self) -> None:
        """Maps have no negative values, unless the explainer says that they have a sign."""
        found = self._map()
        assert self.explainer.signed or bool((found >= 0).all())

    def test_its_legend_names_the_colors_that_are_drawn(self) -> None:
        """Red and blue of a map with a sign, purple of one without; an image has none of them."""
        words = self.explainer.legend
        if self.explainer.leads_to_image:
            assert not any(color in words for color in ("red", "blue", "purple"))
        elif self.explainer.signed:
            assert "red" in words and "blue" in words and "purple" not in words
        else:
            assert "purple" in words and "red " not in words and "blue" not in words

    def test_how_much_memory_there_is_does_not_matter(self) -> None:
        """Maps are the same with one row at a time as with all at once."""
        x, y = self.images()
        frugal = self._ready()(self.network(), x, y, memory=1)
        assert torch.allclose(frugal.map, self._map(), atol=1e-9)

    def test_maps_can_be_differentiated_for_pixels_and_parameters(self) -> None:
        """Checked by finite differences; or, where the explainer says that they cannot, that is an error."""
        x, y = self.images()
        if not self.explainer.differentiable:
            assert _refused(ConfigError, lambda: self._ready()(self.network(), x, y, create_graph=True))
            return
        x, model = x.requires_grad_(), self.network()
        found = self._ready()(model, x, y, create_graph=True).map
        assert torch.allclose(found, self._map(), atol=1e-9)
        weights = torch.rand(found.shape, generator=torch.Generator().manual_seed(2), dtype=found.dtype)
        (found * weights).sum().backward()
        for leaf in (x, *model.parameters()):
            slope = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            direction = torch.randn(leaf.shape, generator=torch.Generator().manual_seed(3), dtype=leaf.dtype)
            step, values = 1e-6, list[Tensor]()
            for sign in (1, -1):
                with torch.no_grad():
                    leaf.add_(sign * step * direction)
                    values.append((self._ready()(model, x, y).map * weights).sum())
                    leaf.sub_(sign * step * direction)
            difference = (values[0] - values[1]) / (2 * step)
            assert torch.allclose((slope * direction).sum(), difference, rtol=1e-4, atol=1e-6), leaf.shape

    def test_a_class_may_be_named_in_every_way(self) -> None:
        """One for all, one for each, the label, or what the network says."""
        x, y = self.images()
        model = self.network()
        predicted = model(x).argmax(1)
        of_two = self._ready()(model, x, 2)
        assert torch.equal(of_two.map, self._ready()(model, x, torch.full_like(y, 2)).map)
        assert bool((of_two.of == 2).all())
        second = model(x).topk(2).indices[:, 1]
        assert torch.equal(self._ready()(model, x, "runner-up").of, second)
        said = self._ready()(model, x, "predicted")
        assert torch.equal(said.of, predicted)
        assert torch.equal(said.map, self._ready()(model, x, predicted).map)
        assert torch.equal(self._ready().on(model, Batch(x, y)).map, self._ready()(model, x, y).map)

    def test_it_takes_any_shape_precision_and_number_of_classes(self) -> None:
        """A map has the shape and the type of its image, also where no gradients are being taken."""
        for classes, channels, size, dtype in ((2, 1, 5, torch.float32), (7, 3, 4, torch.float64)):
            x, y = self.images(classes=classes, channels=channels, size=size, dtype=dtype)
            with torch.no_grad():
                model = self.network(classes=classes, channels=channels, size=size, dtype=dtype)
                ready = self._ready(classes=classes, channels=channels, size=size, dtype=dtype)
                found = ready(model, x, y)
            assert found.map.shape == x.shape
            assert found.map.dtype == dtype
            assert bool(found.map.isfinite().all())

    def test_it_refuses_what_cannot_be_explained(self) -> None:
        """Pixels outside [0, 1], classes that do not exist, and classes for other images than these."""
        x, y = self.images()
        model = self.network()
        assert _refused(PixelError, lambda: self._ready()(model, 2 * x, y))
        assert _refused(LabelError, lambda: self._ready()(model, x, 4))
        assert _refused(ShapeError, lambda: self._ready()(model, x, y[:-1]))
        assert _refused(ShapeError, lambda: self._ready()(model, x[:0], y[:0]))

    def test_what_it_has_not_learned_it_says(self) -> None:
        """An explainer that learns from images explains none before; one that does not is itself afterwards."""
        x, y = self.images()
        if self.explainer.learns:
            assert _refused(ConfigError, lambda: self.explainer(self.network(), x, y))
            assert not self._ready().learns
        else:
            assert self.explainer.fit(self.network(), x) is self.explainer

    def test_its_settings_are_read_back_as_they_were_written(self) -> None:
        """What `dump` writes, `build` reads."""
        assert config.build(Explainer, config.dump(self.explainer)) == self.explainer

    def _ready(
        self, *, classes: int = 4, channels: int = 1, size: int = 6, dtype: torch.dtype = torch.float64
    ) -> Explainer:
        if not self.explainer.learns:
            return self.explainer
        shape: Shape = {"classes": classes, "channels": channels, "size": size, "dtype": dtype}
        return self.explainer.fit(self.network(**shape), self.images(**shape)[0])

    def _map(self, *, model: nn.Module | None = None, seed: int = 0) -> Tensor:
        x, y = self.images()
        return self._ready()(self.network() if model is None else model, x, y, seed=seed).map


def _refused(error: type[Exception], call: Callable[[], object]) -> bool:
    with suppress(error):
        call()
        return False
    return True
