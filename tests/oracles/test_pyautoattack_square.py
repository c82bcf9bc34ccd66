"""Square against the authors' code: query by query on the same draws, and on digits where each draws its own."""

from collections.abc import Iterator
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from chance import differ
from half_standing import CASES
from pellucid.attacks import Square
from pellucid.attacks.square import AHEAD, Draws, bumps, shrunk, signs
from pellucid.batch import Batch
from pellucid.norms import L2, Linf
from pellucid.protocols import Norm
from pellucid.randomness import Noise

square: ModuleType = pytest.importorskip("pyautoattack.square")


class Everywhere(square.SquareAttack):
    """The authors' Square, whose windows also come to the last row and column.

    Theirs never do, since the end of a range is left out twice. On 8 x 8 pixels that costs them 4 to 11 points.
    """

    def random_int(self, low: int = 0, high: int = 1, shape: tuple[int, ...] = (1,)) -> Tensor:
        return super().random_int(low, high + 1, shape)


class Led(Everywhere):
    """The authors' Square, which finds by chance what ours has drawn for an image."""

    places: Iterator[float]
    turns: Iterator[bool]
    signs: Iterator[Tensor]

    def random_int(self, low: int = 0, high: int = 1, shape: tuple[int, ...] = (1,)) -> Tensor:
        return torch.tensor([low + next(self.places) * (high + 1 - low)]).long()

    def random_choice(self, shape: tuple[int, ...]) -> Tensor:
        return next(self.signs).reshape(shape)

    def eta(self, s: int) -> Tensor:
        bump = super().eta(s)  # it has drawn which way the bump lies: above one another the corners differ in sign
        lies = bool(bump[0, -1] < 0)
        return bump.T if lies != next(self.turns) else bump


class Asked(nn.Module):
    """A network that remembers what it was asked."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            self.network = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 12), nn.Softplus(), nn.Linear(12, 4))

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.clone())
        return self.network(x)


@pytest.fixture
def double() -> Iterator[None]:
    """The authors' code makes tensors of the default type; in float32 rounding would decide about close queries."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(default)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("norm", [Linf(), L2()])
@pytest.mark.parametrize("shape", [(1, 10, 10), (3, 11, 11), (3, 32, 32)], ids=str)
def test_the_same_draws_ask_the_same_questions(shape: tuple[int, int, int], norm: Norm) -> None:
    """Of sizes that 5 by 5 bumps fill: on others the authors' code begins otherwise than their paper."""
    queries, eps = 200, 0.01 if isinstance(norm, Linf) else 0.1
    channels, height, width = shape
    x = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0)).round(decimals=1)  # with pixels at 0 and 1
    ours, theirs = (Asked(channels * height * width) for _ in range(2))
    y = ours.network(x).argmax(1)
    found = Square(eps=eps, norm=norm, queries=queries)(ours, x, y)

    noise = Noise(0, torch.arange(1))
    lucks = [
        Draws(Draws.ahead(noise.stream("queries", first), channels)[:, number])
        for first in range(0, queries, AHEAD)
        for number in range(AHEAD)
    ]
    start, tiles = noise.stream("start"), height // (height // 5)
    led = Led(theirs, norm=type(norm).__name__, n_queries=queries, eps=eps, device="cpu")
    each = [luck.signs(x.dtype) for luck in lucks]
    if isinstance(norm, Linf):
        led.places = (float(share) for luck in lucks for share in luck.receiver[0])
        led.signs = iter([signs(start, channels, 1, width, dtype=x.dtype), *each])
    else:
        led.places = (float(share) for luck in lucks for share in (*luck.receiver[0], *luck.giver[0]))
        turns = start.stream("turn").integers(2, 1, tiles, tiles)
        led.turns = iter([*turns.flatten().bool().tolist(), *(bool(luck.turn) for luck in lucks)])
        grid = signs(start, channels, tiles, tiles, dtype=x.dtype)
        led.signs = iter([*(grid[..., row, column] for row in range(tiles) for column in range(tiles)), *each])
    led.perturb(x, y)

    assert not found.reached.any()
    # each first looks at the image itself; the authors add 1e-12 to lengths that they divide by
    for number in range(1, queries + 1):
        assert torch.allclose(ours.seen[number], theirs.seen[number], rtol=0, atol=1e-6), f"query {number}"
    assert float((theirs.seen[queries] - theirs.seen[1]).abs().max()) > eps / 100


@pytest.mark.slow
@pytest.mark.parametrize(("network", "norm", "eps"), CASES)
def test_as_many_images_fall(model: nn.Module, digits: Batch, norm: Norm, eps: float) -> None:
    """As many on average, but for a point: on 8 by 8 pixels the starts differ, and theirs has one query more."""
    seeds, queries = 16, 300
    theirs = list[float]()
    for seed in range(seeds):
        attack = Everywhere(model, norm=type(norm).__name__, n_queries=queries, eps=eps, device="cpu", seed=seed)
        found = attack.perturb(digits.x, digits.y)
        inside = norm.size(found - digits.x) <= eps * (1 + 1e-5) + 1e-6
        theirs.append(float(((model(found).argmax(1) == digits.y) | ~inside).double().mean()))
    # images at other places of a batch have other draws
    found = Square(eps=eps, norm=norm, queries=queries)(
        model, digits.x.repeat(seeds, 1, 1, 1), digits.y.repeat(seeds)
    )
    ours = (~found.reached).double().view(seeds, -1).mean(1).tolist()
    assert 0.2 < sum(theirs) / seeds < 0.8
    assert not differ(ours, theirs, by=0.01), (ours, theirs)


@pytest.mark.parametrize("side", range(2, 10))
def test_bumps_are_theirs(side: int) -> None:
    attack = square.SquareAttack(None, norm="L2", eps=1.0, device="cpu")
    theirs = attack.eta(side)  # which way it lies is drawn
    assert any(torch.allclose(theirs, ours, atol=1e-6) for ours in bumps(side, torch.zeros(1)))


@pytest.mark.parametrize("queries", [100, 1000, 5000, 10_000])
def test_windows_shrink_as_theirs(queries: int) -> None:
    attack = square.SquareAttack(None, n_queries=queries, eps=1.0)
    for query in range(queries):
        assert shrunk(0.8, query / queries) == attack.p_selection(query)
