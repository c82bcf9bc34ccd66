"""Other ways to take the step of Interpretation Regularization, and to take whole Jacobians, against ours.

The network is in evaluation mode, so that every way has the same dropout. Floors by counting as in `objectives`: the
penalty takes 6 units by double backpropagation, where a plain step takes 3. Differences of gradients are exact for
piecewise linear networks as long as no unit changes sides: with v the derivative of the penalty for the input
gradient, the parameters' gradient of (S(x + h v) - S(x)) / h is that of the penalty, S being the sum of the labels'
logits. They take a forward pass and a backward pass more at x + h v, 7 units, and no second derivatives. How far
their gradient is from the right one is measured for several lengths, since long steps cross sides and short ones
drown in rounding.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import asdict

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy, one_hot

from benchmarks.second_order import stepped
from benchmarks.timing import alternate, ratio, record
from pellucid import models
from pellucid.batch import Batch
from pellucid.objectives import Align, CrossEntropy, GradientNorm, JacobianNorm
from pellucid.probe import Probe

BATCH, SHAPE = 128, (1, 28, 28)
DIRECTION, MAGNITUDE = 3.0, 0.15
OBJECTIVE = CrossEntropy() + DIRECTION * Align() + MAGNITUDE * GradientNorm(reduction="batch")


def run(rounds: int) -> None:
    """Time them all and keep the figures."""
    torch.manual_seed(0)
    x, y, maps = torch.rand(BATCH, *SHAPE), torch.randint(0, 10, (BATCH,)), torch.randn(BATCH, *SHAPE)
    model = models.build("simple-cnn", shape=SHAPE).eval()
    batch = Batch.trusted(x, y, {"reference": maps})
    losses: dict[str, Callable[[], Tensor]] = {
        "plain": lambda: cross_entropy(model(x), y),
        "ours": lambda: OBJECTIVE(Probe(model, batch)),
        "as published": lambda: published(model, x, y, maps),
        "differences": lambda: differences(model, x, y, maps),
        "jacobian, ours": lambda: JacobianNorm(projections="all", reduction="batch")(Probe(model, batch)),
        "jacobian, batched": lambda: jacobian(model, x, batched=True),
        "jacobian, one by one": lambda: jacobian(model, x, batched=False),
    }
    errors = {
        name: apart(model, losses[name], losses[base])
        for name, base in (
            ("as published", "ours"),
            ("differences", "ours"),
            ("jacobian, batched", "jacobian, ours"),
            ("jacobian, one by one", "jacobian, ours"),
        )
    }
    works = {
        name: stepped(model, loss, to_everything=name not in ("ours", "jacobian, ours"))
        for name, loss in losses.items()
    }
    seconds = alternate(works, rounds)
    ratios = {name: ratio(seconds[name], seconds["plain"]) for name in works if name != "plain"}
    for name, found in ratios.items():
        error = f"; parameter gradients differ by {errors[name]:.1e}" if name in errors else ""
        print(f"alternatives, {name} / plain = {found}{error}")
    tables = {name: asdict(found) for name, found in ratios.items()}
    lengths = by_length(model, x, y, maps)
    for length, (single, double) in lengths.items():
        print(f"differences over {length}: parameter gradients differ by {single:.1e}, in float64 by {double:.1e}")
    content = {"ratios": tables, "apart": errors, "differences": lengths, "seconds": seconds}
    record("alternatives", {"batch": BATCH, "rounds": rounds, **content})


def run_compiled(rounds: int) -> None:
    """Compile the whole step's gradient once, or keep the error that says why not."""
    torch.manual_seed(0)
    x, y, maps = torch.rand(BATCH, *SHAPE), torch.randint(0, 10, (BATCH,)), torch.randn(BATCH, *SHAPE)
    model = models.build("simple-cnn", shape=SHAPE).eval()
    batch = Batch.trusted(x, y, {"reference": maps})
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}

    def loss(current: dict[str, Tensor]) -> Tensor:
        def score(images: Tensor) -> tuple[Tensor, Tensor]:
            logits = torch.func.functional_call(model, current, (images,))
            return logits.gather(1, y[:, None]).sum(), logits

        gradient, logits = torch.func.grad(score, has_aux=True)(x)
        return cross_entropy(logits, y) + penalty(gradient, maps)

    functional = torch.func.grad(loss)
    compiled = torch.compile(functional)
    content: dict[str, object] = {"batch": BATCH, "rounds": rounds}
    started = time.perf_counter()
    try:
        found = compiled(parameters)
    except Exception as error:
        content["error"] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        print(f"compiled: {content['error']}")
    else:
        content["seconds to compile"] = time.perf_counter() - started
        OBJECTIVE(Probe(model, batch)).backward(inputs=list(model.parameters()))
        content["apart"] = distance(list(found.values()), [p.grad for p in model.parameters() if p.grad is not None])
        works: dict[str, Callable[[], object]] = {
            "ours": lambda: torch.autograd.grad(OBJECTIVE(Probe(model, batch)), list(model.parameters())),
            "functional": lambda: functional(parameters),
            "compiled": lambda: compiled(parameters),
        }
        seconds = alternate(works, rounds)
        ratios = {name: ratio(seconds[name], seconds["ours"]) for name in ("functional", "compiled")}
        for name, figures in ratios.items():
            print(f"{name} / ours = {figures}; {content['seconds to compile']:.1f} seconds to compile")
        content |= {"ratios": {name: asdict(figures) for name, figures in ratios.items()}, "seconds": seconds}
    record("alternatives-compiled", content)


def penalty(gradient: Tensor, maps: Tensor) -> Tensor:
    """Both terms with PyTorch's own functions, as the authors write them."""
    cosine = cosine_similarity(maps.flatten(1), gradient.flatten(1), dim=1)
    return DIRECTION * (1 - cosine.mean()) + MAGNITUDE * torch.norm(gradient)


def published(model: nn.Module, x: Tensor, y: Tensor, maps: Tensor) -> Tensor:
    """The loss as its authors take it: an explicit one-hot product, and a graph of the gradient."""
    images = x.clone().requires_grad_()
    logits = model(images)
    (gradient,) = torch.autograd.grad(logits, images, one_hot(y, 10).to(x.dtype), create_graph=True)
    return cross_entropy(logits, y) + penalty(gradient, maps)


def differences(model: nn.Module, x: Tensor, y: Tensor, maps: Tensor, length: float = 1e-5) -> Tensor:
    """A loss whose parameters' gradient is that of the published one; no image moves by more than `length`."""
    images = x.clone().requires_grad_()
    logits = model(images)
    score = logits.gather(1, y[:, None]).sum()
    (gradient,) = torch.autograd.grad(score, images, retain_graph=True)
    gradient.requires_grad_()
    (direction,) = torch.autograd.grad(penalty(gradient, maps), gradient)
    h = length / direction.abs().amax()
    there = model(x + h * direction).gather(1, y[:, None]).sum()
    return cross_entropy(logits, y) + (there - score) / h


def by_length(model: nn.Module, x: Tensor, y: Tensor, maps: Tensor) -> dict[str, tuple[float, float]]:
    """How far differences are from double backpropagation, by how far they go, in float32 and float64."""
    found: dict[str, tuple[float, float]] = {}
    exact = copy.deepcopy(model).double()
    for length in (1e-3, 1e-5, 1e-7, 1e-9, 1e-11):

        def off(network: nn.Module, x: Tensor, maps: Tensor, length: float = length) -> float:
            return apart(
                network,
                lambda: differences(network, x, y, maps, length),
                lambda: published(network, x, y, maps),
            )

        found[f"{length:g}"] = (off(model, x, maps), off(exact, x.double(), maps.double()))
    return found


def jacobian(model: nn.Module, x: Tensor, *, batched: bool) -> Tensor:
    """The length of all Jacobians with PyTorch alone."""
    images = x.clone().requires_grad_()
    logits = model(images)
    rows = torch.eye(10)[:, None].expand(-1, len(x), -1)
    if batched:
        (found,) = torch.autograd.grad(logits, images, rows, create_graph=True, is_grads_batched=True)
    else:
        found = torch.stack([torch.autograd.grad(logits, images, row, create_graph=True)[0] for row in rows])
    return found.norm()


def apart(model: nn.Module, loss: Callable[[], Tensor], base: Callable[[], Tensor]) -> float:
    """How far two losses' parameter gradients are apart, as a share of the second's length."""
    found: list[list[Tensor]] = []
    for one in (loss, base):
        model.zero_grad()
        one().backward()
        found.append([torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in model.parameters()])
    return distance(found[0], found[1])


def distance(found: list[Tensor], expected: list[Tensor]) -> float:
    """The length of the difference over the length of what is expected."""
    square = sum(float((one - other).square().sum()) for one, other in zip(found, expected, strict=True))
    return (square / sum(float(other.square().sum()) for other in expected)) ** 0.5
