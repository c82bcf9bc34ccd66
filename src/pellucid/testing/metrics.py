"""What every metric of explanations must pass.

class TestMine(MetricConformance):
    metric = Mine()
"""

from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

import torch
from torch import Tensor, nn

from pellucid import config
from pellucid.batch import Batch
from pellucid.errors import ConfigError, LabelError, MeasurementError, NotFinite, PixelError, ShapeError
from pellucid.evaluate.explanations import Metric, Scores
from pellucid.explainers import Explainer, Gradient
from pellucid.testing.specimens import Multiplied, left_as_it_was
from pellucid.testing.suite import Suite


class MetricConformance(Suite):
    """Subclass it with a metric that is cheap to run; pytest does the rest.

    `tolerance` is how far results may differ between batches; that of metrics which train or climb may be larger.
    """

    metric: ClassVar[Metric]
    tolerance: ClassVar[float] = 1e-7

    def test_it_says_what_it_is(self) -> None:
        """Which end is good, between what it lies, what it costs, and why an image may have no value."""
        assert self.metric.better in ("higher", "lower", "neither")
        assert self.metric.low < self.metric.high
        assert self.metric.cost
        assert self.metric.undefined

    def test_every_image_gets_a_number_within_the_bounds(self) -> None:
        """Every value lies within the bounds, or is said to be undefined; none is NaN."""
        found = self._scores()
        assert found.value.shape == found.defined.shape == (6,)
        assert bool(found.defined.any())
        self._sound(found)

    def test_the_same_seed_gives_the_same_bits(self) -> None:
        """The same seed gives the same values and columns."""
        first, second = self._scores(seed=3), self._scores(seed=3)
        assert torch.equal(first.value, second.value)
        for name, column in first.columns.items():
            assert torch.equal(column, second.columns[name]), name

    def test_it_leaves_the_network_as_it_was(self) -> None:
        """Modes, parameters, buffers, gradients and what requires them."""
        left_as_it_was(lambda model: self._scores(model=model), of=self.network)

    def test_it_leaves_the_images_as_they_were(self) -> None:
        """The pixels are as before, and so is whether gradients are taken for them."""
        batch = self._batch()
        before = batch.x.clone()
        self._of(batch)
        assert torch.equal(batch.x, before)
        assert not batch.x.requires_grad

    def test_an_image_fares_alone_as_in_a_batch(self) -> None:
        """Nor does the order matter: random numbers are an image's own."""
        batch, together = self._batch(), self._scores()
        for number in range(len(batch)):
            alone = self._of(_taken(batch, torch.tensor([number])))
            assert bool(alone.defined[0]) == bool(together.defined[number])
            assert torch.allclose(alone.value[0], together.value[number], atol=self.tolerance)
        order = torch.arange(len(batch)).flip(0)
        turned = self._of(_taken(batch, order))
        assert torch.allclose(turned.value, together.value[order], atol=self.tolerance)

    def test_maps_that_say_nothing_give_no_nan(self) -> None:
        """A map of zeros is judged or counted, as are constant ones."""
        for value in (0.0, 1.0):
            self._sound(self._scores(maps=torch.full_like(self.images()[0], value)))

    def test_how_long_maps_are_matters_only_where_it_says_so(self) -> None:
        """The length of maps changes values only where the metric says so, and so does their sign."""
        own = self._scores()
        factors = [1e-6, 0.3, 1e6, *([-1.0] if self.metric.ignores_sign else [])]
        for factor in factors:
            found = self._of(self._batch(), explainer=Multiplied(factor))
            same = torch.allclose(found.value, own.value, rtol=1e-6, atol=self.tolerance)
            if factor < 0 or self.metric.ignores_scale:
                assert torch.equal(found.defined, own.defined), factor
                assert same, factor
            else:
                assert not same, factor

    def test_stored_maps_are_judged_like_those_of_an_explainer(self) -> None:
        """A metric of maps alone does not care who made them; one that explains more says that it must."""
        batch = self._batch()
        maps = Gradient().on(self.network(), batch, "predicted").map
        if self.metric.needs == "maps":
            stored = self.metric.on(self.network(), batch, "predicted", maps=maps)
            assert torch.allclose(stored.value, self._scores().value, atol=self.tolerance)
            assert _refused(ConfigError, lambda: self.metric.on(self.network(), batch))
        elif self.metric.needs == "explainer":
            assert _refused(ConfigError, lambda: self.metric.on(self.network(), batch, maps=maps))
            both = self.metric.on(self.network(), batch, "predicted", explainer=Gradient(), maps=maps)
            assert torch.allclose(both.value, self._scores().value, atol=self.tolerance)
        else:
            assert self.metric.on(self.network(), batch).value.shape == (6,)

    def test_it_takes_any_shape_precision_and_number_of_classes(self) -> None:
        """Images may have any shape and precision, also where no gradients are being taken."""
        for classes, channels, size, dtype in ((2, 1, 7, torch.float32), (7, 3, 6, torch.float64)):
            with torch.no_grad():
                model = self.network(classes=classes, channels=channels, size=size, dtype=dtype)
                batch = self._batch(classes=classes, channels=channels, size=size, dtype=dtype)
                self._sound(self._of(batch, model=model))

    def test_it_refuses_what_cannot_be_judged(self) -> None:
        """Pixels outside [0, 1], classes that do not exist, maps of another shape, maps that are not finite."""
        x, y = self.images()
        model, batch, explainer = self.network(), self._batch(), Gradient()
        refusals: list[tuple[type[Exception], Callable[[], object]]] = [
            (PixelError, lambda: self.metric(model, 2 * x, y, explainer=explainer)),
            (LabelError, lambda: self.metric.on(model, batch, 4, explainer=explainer)),
            (ShapeError, lambda: self.metric.on(model, batch, y[:-1], explainer=explainer)),
            (ShapeError, lambda: self.metric.on(model, _taken(batch, torch.arange(0)), explainer=explainer)),
        ]
        if self.metric.needs != "network":
            refusals += [
                (ShapeError, lambda: self.metric.on(model, batch, maps=x[:, :, 1:], explainer=explainer)),
                (NotFinite, lambda: self.metric.on(model, batch, maps=x * torch.nan, explainer=explainer)),
            ]
        for error, call in refusals:
            assert _refused(error, call), error

    def test_columns_that_it_needs_are_asked_for(self) -> None:
        """A missing column is an error with its name, before anything is computed."""
        x, y = self.images()
        if self.metric.needed:
            assert _refused(ShapeError, lambda: self.metric.on(self.network(), Batch(x, y), explainer=Gradient()))

    def test_a_mean_without_values_is_no_number(self) -> None:
        """A mean is an error where no image has a value."""
        found = self._scores(maps=torch.zeros_like(self.images()[0]))
        if not found.defined.any():
            assert _refused(MeasurementError, lambda: found.mean)

    def test_its_settings_are_read_back_as_they_were_written(self) -> None:
        """What `dump` writes, `build` reads."""
        assert config.build(Metric, config.dump(self.metric)) == self.metric

    def _batch(
        self, *, classes: int = 4, channels: int = 1, size: int = 6, dtype: torch.dtype = torch.float64
    ) -> Batch:
        x, y = self.images(classes=classes, channels=channels, size=size, dtype=dtype)
        batch = Batch(x, y)
        for name in self.metric.needed:
            batch = batch.with_column(name, self.column(name, x))
        return batch

    def column(self, name: str, x: Tensor) -> Tensor:
        """What a column that the metric needs holds here; a suite of a metric that needs others says otherwise."""
        if name == "mask":
            return x[:, 0] > 0.5
        return torch.randn(x.shape, generator=torch.Generator().manual_seed(4), dtype=x.dtype)

    def _of(
        self,
        batch: Batch,
        *,
        model: nn.Module | None = None,
        explainer: Explainer = Gradient(),  # noqa: B008
        seed: int = 0,
        maps: Tensor | None = None,
    ) -> Scores:
        model = self.network() if model is None else model
        return self.metric.on(model, batch, "predicted", explainer=explainer, maps=maps, seed=seed)

    def _scores(self, *, model: nn.Module | None = None, seed: int = 0, maps: Tensor | None = None) -> Scores:
        return self._of(self._batch(), model=model, seed=seed, maps=maps)

    def _sound(self, found: Scores) -> None:
        assert bool(found.value.isfinite().all())
        assert bool((found.value[found.defined] >= self.metric.low).all())
        assert bool((found.value[found.defined] <= self.metric.high).all())
        assert bool((found.value[~found.defined] == 0).all())
        for name, column in found.columns.items():
            assert len(column) == len(found.value), name
            assert not column.is_floating_point() or bool(column[found.defined].isfinite().all()), name


def _taken(batch: Batch, rows: Tensor) -> Batch:
    columns = {name: column[rows] for name, column in batch.columns.items()}
    return Batch(batch.x[rows], batch.y[rows], {**columns, "index": rows})


def _refused(error: type[Exception], call: Callable[[], object]) -> bool:
    with suppress(error):
        call()
        return False
    return True
