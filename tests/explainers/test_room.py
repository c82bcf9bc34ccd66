import gc
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from networks import images, smooth
from pellucid.batch import Batch
from pellucid.errors import NetworkError, NoRoom
from pellucid.explainers import Gradient, SmoothGrad
from pellucid.explainers.room import Room, full_pass
from pellucid.probe import Probe, frozen

X, Y = images(11, 1, 6, 6), torch.zeros(11, dtype=torch.long)


class Cramped(nn.Module):
    """A network that has room for few rows."""

    def __init__(self, most: int, error: RuntimeError) -> None:
        super().__init__()
        self.network = smooth()
        self.most = most
        self.error = error
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(len(x))
        if len(x) > self.most:
            raise self.error
        return self.network(x)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_where_memory_runs_out_fewer_rows_are_tried(error: RuntimeError) -> None:
    cramped = Cramped(3, error)
    found = SmoothGrad(samples=6)(cramped, X, Y)
    assert torch.allclose(found.map, SmoothGrad(samples=6)(smooth(), X, Y).map, atol=1e-12)
    assert cramped.seen[:3] == [8, 4, 2]
    assert max(cramped.seen[3:]) == 2


def test_other_errors_and_those_of_a_single_row_are_left_alone() -> None:
    with pytest.raises(NetworkError, match=r"failed on 8 images of 1x6x6: RuntimeError: out of luck$"):
        Gradient()(Cramped(0, RuntimeError("out of luck")), X, Y)
    cramped = Cramped(0, torch.OutOfMemoryError("out of memory"))
    with pytest.raises(NoRoom, match=r"^memory does not suffice for a single image \(out of memory\); "):
        Gradient()(cramped, X, Y)
    assert cramped.seen == [8, 4, 2, 1]


def test_rows_follow_from_what_a_pass_keeps() -> None:
    model, rows = smooth(), {}
    for memory in (1, 30_000, 60_000, None):
        room = Room(memory, X)
        assert room.rows == 8
        room.weigh(model, model(X[:2].requires_grad_()))
        rows[memory] = room.rows
    assert rows[1] == 1
    assert 1 < rows[30_000] < rows[60_000] <= 2 * rows[30_000] + 1
    assert rows[None] == 64, "as many as are any faster on a CPU"
    room.weigh(model, model(X.requires_grad_()))
    assert room.rows == 64, "what is settled is not weighed again"


def test_nothing_is_left_behind() -> None:
    """An explanation that has been forgotten keeps no memory."""
    model, x = smooth(), X[:4]

    def alive() -> int:
        gc.collect()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of the objects that are looked at warn
            return sum(isinstance(one, torch.Tensor) for one in gc.get_objects())

    Gradient()(model, x, 0)
    before = alive()
    for _ in range(3):
        Gradient()(model, x, 0)
        Gradient()(model, x.clone().requires_grad_(), 0, create_graph=True)
    assert alive() == before


def test_of_large_images_fewer_make_a_full_pass() -> None:
    sides = (8, 32, 64, 100, 224, 512)
    assert [full_pass(torch.empty(2, 3, side, side)) for side in sides] == [64, 64, 64, 64, 16, 16]
    assert [Room(None, torch.empty(2, 3, side, side)).rows for side in sides] == [8, 8, 8, 8, 3, 1]
    large = Room(2**40, torch.empty(1, 3, 224, 224))
    large.weigh(nn.Identity(), torch.zeros(1, 4))
    assert large.rows == 16, "a pass that keeps nothing is no larger either"
    assert full_pass(torch.empty(0, 3, 224, 224)) == 16
    assert full_pass(torch.empty(1, 0)) == 64


class Convolutions(TorchDispatchMode):
    """Counts them."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += "convolution" in str(func)
        return func(*args, **(kwargs or {}))


def test_what_was_weighed_takes_no_more_for_its_second_derivative() -> None:
    """The share of weights that are fixed would take a convolution for each of the groups."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        layers = nn.Conv2d(1, 8, 3), nn.Softplus(), nn.Conv2d(8, 8, 3, groups=8), nn.Flatten(), nn.Linear(32, 4)
        model = nn.Sequential(*layers).double()
    batch = Batch.trusted(X, Y, {"index": torch.arange(len(X))})
    counts: list[int] = []
    for weighed in (False, True):
        with frozen(model), torch.enable_grad():
            probe, room = Probe(model, batch), Room(None, X)
            if weighed:
                room.weigh(model, probe.logits)
                assert room.rows == 64
            probe.gradient("label-logit")
            with Convolutions() as convolutions:
                probe.curvature(X, "label-logit")
            counts.append(convolutions.count)
    assert counts[0] == counts[1] < 8


def test_what_is_written_over_is_not_weighed() -> None:
    """Such a network has no way back, and who only asks it forwards needs none."""
    x = X.clone().requires_grad_()
    inner = x.exp()
    logits = inner.flatten(1).sum(1, keepdim=True)
    inner.detach().add_(1)
    room = Room(None, X)
    room.weigh(nn.Identity(), logits)
    assert room.rows == 64
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(logits.sum(), x)
