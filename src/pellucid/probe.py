"""How every objective, attack and explainer looks at a classifier; the one place where input gradients are taken."""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, TypeVar, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid import holds
from pellucid.autograd import fast_second_order
from pellucid.batch import Batch
from pellucid.errors import ConfigError, NetworkError, ShapeError, count_of
from pellucid.hooks import hooked
from pellucid.kinds import check_weights
from pellucid.looking import going_back, look
from pellucid.randomness import Noise

Quantity = Literal["loss", "label-logit"]
"""What a gradient can be of: each image's cross-entropy, or the logit of its label."""

BatchNorm = Literal["as-published", "frozen-statistics"]
"""What a further training pass does to BatchNorm's running averages: moves them once more, or leaves them."""

Under = Callable[[], AbstractContextManager[object]]
"""What makes a block inside which forward passes run; it may give operations another backward pass."""

T = TypeVar("T")


@dataclass(frozen=True)
class Moment:
    """A moment of a training: `progress` runs from 0 to 1 over it.

    `network` is the bare one, where layers are looked up, if a wrapper runs it in the training; `precision` is that
    of searches on it, which no wrapper then runs in the training's.
    """

    progress: float = 1.0
    network: nn.Module | None = None
    precision: Literal["32-true", "bf16-mixed"] = "32-true"


class Probe:
    """A classifier at one batch. What it computes it keeps, so that all who ask share one forward pass.

    `second_order` is whether gradients can be differentiated for the parameters, `third_order` whether curvature can
    be. `seed` feeds the noise that random terms draw per image; in a training, `moment` says where it is.
    """

    def __init__(
        self,
        model: nn.Module,
        batch: Batch,
        *,
        second_order: bool = True,
        third_order: bool = True,
        layers: Sequence[str] = (),
        seed: int = 0,
        moment: Moment = Moment(),
    ) -> None:
        x = batch.x if batch.x.requires_grad else batch.x.detach().requires_grad_()
        self.model = model
        self.batch = batch.at(x)
        self.second_order = second_order
        self.third_order = second_order and third_order
        self.layers = tuple(layers)
        self.noise = Noise(seed, batch.index)
        self.moment = moment
        self.progress = moment.progress
        self.network = model if moment.network is None else moment.network
        self.batch_norm: BatchNorm = "as-published"
        self.under: Under = nullcontext
        self.forwards = 0
        self.backwards = 0
        self._logits: Tensor | None = None
        self._exchanged = False
        self._features: dict[str, Tensor] = {}
        self._rows = 0
        self._gradients: dict[object, Tensor] = {}
        self._detached: dict[object, Tensor] = {}
        self._shared: dict[object, object] = {}

    @property
    def x(self) -> Float[Tensor, "b *shape"]:
        """The images, as the leaf that gradients are taken for."""
        return self.batch.x

    @property
    def y(self) -> Int[Tensor, " b"]:
        """The labels of the images."""
        return self.batch.y

    @property
    def logits(self) -> Float[Tensor, "b classes"]:
        """The classifier's output: one forward pass, at the first use."""
        if self._logits is None:
            self._logits = self._forward()
        return self._logits

    @property
    def losses(self) -> Float[Tensor, " b"]:
        """The cross-entropy of each image's label."""
        return F.cross_entropy(self.logits, self.y, reduction="none")

    def gradient(
        self, of: Quantity | int | Int[Tensor, " b"], *, detached: bool = False
    ) -> Float[Tensor, "b *shape"]:
        """Each image's gradient of its loss, its label's logit, or the logit of the classes given.

        `detached` gradients are constants. They cost a pass without a graph, or nothing where a graph has been made
        for another term; asking for the graph afterwards costs the pass again.
        """
        if of in self._gradients:  # tensors are told apart by identity
            return self._gradients[of].detach() if detached else self._gradients[of]
        kept = self._detached if detached else self._gradients
        if of not in kept:
            kept[of] = self._gradient(of, create_graph=self.second_order and not detached)
        return kept[of]

    def pullback(self, weights: Float[Tensor, "n b classes"], *, keep: bool = True) -> Float[Tensor, "n b *shape"]:
        """The gradients of n weighted sums of each image's logits; without `keep`, the last thing to ask for."""
        self.backwards += len(weights)
        logits, create, retain = self.logits, self.second_order, keep or self.second_order
        if len(weights) == 1 or self._exchanged:  # where batching the passes only makes them slower
            passes = [
                self._back(logits, self.x, weight, create=create, retain=retain or number < len(weights) - 1)
                for number, weight in enumerate(weights)
            ]
            return torch.stack(passes)
        _import_ahead()
        with going_back(self.network):
            (gradients,) = torch.autograd.grad(
                logits, self.x, weights, create_graph=create, retain_graph=retain, is_grads_batched=True
            )
        return gradients

    def features(self, layer: str) -> Float[Tensor, "b ..."]:
        """The output of a layer that was named when the probe was made."""
        if layer not in self.layers:
            raise ShapeError(
                f"this probe does not record the layer '{layer}'; make it with Probe(..., layers=('{layer}',))"
            )
        self.logits  # noqa: B018 - the pass that records
        return self._features[layer]

    def feature_gradient(self, layer: str, of: Int[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        """The gradient of each image's logit of its class, for the output of a layer that this probe records."""
        key = (layer, id(of))
        if key not in self._gradients:
            features = self.features(layer)
            self.backwards += 1
            of_class = self.logits.gather(1, of[:, None]).sum()
            self._gradients[key] = self._back(of_class, features, create=self.second_order)
            self.shared(("kept alive", id(of)), lambda: of)  # so that no other tensor comes by its number
        return self._gradients[key]

    def slopes(self, of: Int[Tensor, " b"], within: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The gradient of each image's logit of its class, for tensors that this pass computed on its way."""
        self.backwards += 1
        of_class = self.logits.gather(1, of[:, None]).sum()
        with going_back(self.network):
            return torch.autograd.grad(
                of_class, within, create_graph=self.second_order, retain_graph=True, materialize_grads=True
            )

    def curvature(
        self, vectors: Float[Tensor, "b *shape"], of: Quantity | int | Int[Tensor, " b"]
    ) -> Float[Tensor, "b *shape"]:
        """Each image's Hessian of what `gradient` is of, times a vector."""
        if not self.third_order:
            raise ConfigError(
                "this probe takes no third derivatives; let the term's third_order say that it needs them, "
                "or make it with Probe(..., third_order=True)"
            )
        gradient = self.gradient(of)
        if not gradient.requires_grad:  # piecewise linear to the last: nothing bends
            return torch.zeros_like(vectors)
        self.backwards += 1
        _import_ahead()
        with going_back(self.network):
            (product,) = torch.autograd.grad(
                gradient, self.x, vectors, create_graph=True, retain_graph=True, materialize_grads=True
            )
        return product

    def shared(self, key: object, make: Callable[[], T]) -> T:
        """What several terms need and one of them makes: a neighbor, an attacked batch."""
        if key not in self._shared:
            self._shared[key] = make()
        return cast("T", self._shared[key])

    def at(self, x: Float[Tensor, "b *shape"], *, batch_norm: BatchNorm = "as-published") -> "Probe":
        """The same look at other images; a graph that `x` hangs on is kept."""
        probe = self._like(self.batch.at(x), layers=self.layers, batch_norm=batch_norm, under=self.under)
        probe.noise = self.noise
        return probe

    def on(
        self,
        batch: Batch,
        *,
        layers: Sequence[str] = (),
        under: Under = nullcontext,
    ) -> "Probe":
        """A like look at any other batch, of any length; its random numbers follow from its own index."""
        probe = self._like(batch, layers=layers, batch_norm=self.batch_norm, under=under)
        probe.noise = Noise(self.noise.seed, batch.index)
        return probe

    def _like(self, batch: Batch, *, layers: Sequence[str], batch_norm: BatchNorm, under: Under) -> "Probe":
        probe = Probe(
            self.model,
            batch,
            second_order=self.second_order,
            third_order=self.third_order,
            layers=layers,
            moment=self.moment,
        )
        probe.batch_norm, probe.under = batch_norm, under
        return probe

    def _forward(self) -> Tensor:
        self.forwards += 1
        with ExitStack() as recording:
            for name in self.layers:
                recording.enter_context(hooked([self._layer(name)], self._recorder(name)))
            if self.layers:
                recording.enter_context(hooked([self.network], self._count, before=True))
            with (
                fast_second_order(third_order=self.third_order) if self.second_order else nullcontext() as fast,
                untouched_statistics(self.network) if self.batch_norm == "frozen-statistics" else nullcontext(),
                self.under(),
            ):
                logits = look(self.model, self.x)
            self._exchanged = fast is not None and fast.exchanged
        if self.layers and self._rows < len(self.x):  # of which there is but the last part
            raise NetworkError(
                f"the network takes {count_of(self._rows, 'image')} at once and no more, so its layers cannot be "
                "looked into for "
                f"{len(self.x)}; give a batch of {self._rows}"
            )
        return logits

    def _gradient(self, of: Quantity | int | Int[Tensor, " b"], *, create_graph: bool) -> Tensor:
        if isinstance(of, str) and of == "loss":
            scalar = self.losses.sum()
        else:
            classes = self.y if isinstance(of, str) else torch.as_tensor(of, device=self.x.device).expand(len(self.x))
            scalar = self.logits.gather(1, classes[:, None]).sum()
        self.backwards += 1
        # The sum keeps images apart: an image's gradient of it is that of its own summand. (Under BatchNorm in
        # training mode images are not apart; the papers differentiate the same sum.)
        return self._back(scalar, self.x, create=create_graph)

    def _back(
        self, of: Tensor, at: Tensor, weight: Tensor | None = None, *, create: bool, retain: bool = True
    ) -> Tensor:
        if weight is not None:
            _import_ahead()
        with going_back(self.network):
            (gradient,) = torch.autograd.grad(of, at, weight, create_graph=create, retain_graph=retain)
        return gradient

    def _layer(self, name: str) -> nn.Module:
        modules = dict(self.network.named_modules())
        if name not in modules:
            known = ", ".join(list(modules)[1:9])
            raise ShapeError(f"the network has no layer '{name}' (its first ones are: {known})")
        return modules[name]

    def _count(self, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._rows = len(inputs[0]) if inputs else len(self.x)

    def _recorder(self, name: str) -> Callable[[nn.Module, object, Tensor], Tensor]:
        def record(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
            if self._rows <= len(self.x):
                self._features[name] = output
                return output.clone()  # for what follows: an activation in place would overwrite what is recorded
            # repeats of the last image fill up a batch that the network would refuse; that one speaks for them
            features = self._features[name] = output[: len(self.x)]
            repeats = features[-1:].expand(self._rows - len(self.x), *features.shape[1:])
            return torch.cat([features, repeats])

        return record


def _import_ahead() -> None:
    """Import what PyTorch does in a first pass back with weights: sympy, whose filter of warnings is no network's."""
    import_module("torch.fx.experimental.symbolic_shapes")


def slope(values: Float[Tensor, " b"], x: Float[Tensor, "b *shape"]) -> Float[Tensor, "b *shape"]:
    """The gradient of each image's value, which hangs on no other one; zero where it does not hang on its pixels."""
    if not values.requires_grad:
        return torch.zeros_like(x)
    (gradient,) = torch.autograd.grad(values, x, torch.ones_like(values), materialize_grads=True)
    return gradient


@contextmanager
def frozen(model: nn.Module) -> Generator[nn.Module]:
    """The model in evaluation mode and its parameters without gradients; afterwards everything is as it was.

    Several threads may have it so at once: it is as it was when the last of them leaves.
    """
    check_weights(model)
    kept = holds.Kept(model)
    try:
        with holds.evaluating(model, at_rest=True):
            yield model
    finally:
        kept.put_back()


@contextmanager
def evaluated(model: nn.Module) -> Generator[nn.Module]:
    """The model in evaluation mode, its parameters as they are; afterwards all modes are as they were."""
    check_weights(model)
    with holds.evaluating(model, at_rest=False):
        yield model


@contextmanager
def parameters_at_rest(model: nn.Module) -> Generator[nn.Module]:
    """The model's parameters without gradients, and nothing else changed: passes for the images' sake alone."""
    with holds.holding((parameter, "requires_grad", False) for parameter in model.parameters()):
        yield model


@contextmanager
def untouched_statistics(model: nn.Module) -> Generator[None]:
    """BatchNorm in training mode normalizes by the batch as ever, and leaves its running averages alone."""
    norms = [
        module
        for module in model.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)  # pyright: ignore[reportPrivateUsage]
        and module.training
        and module.track_running_stats
    ]
    with holds.holding((module, "track_running_stats", False) for module in norms):
        yield
