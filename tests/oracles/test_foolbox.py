"""PGD and the searches for the nearest point against foolbox."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from chance import differ
from pellucid.attacks import DDN, FMN, PGD, Attack, CarliniWagner, DeepFool
from pellucid.batch import Batch
from pellucid.norms import L1, L2, Linf
from pellucid.protocols import Norm

foolbox: ModuleType = pytest.importorskip("foolbox")
fa: Any = foolbox.attacks

NEAREST = [
    pytest.param(DDN(steps=40), fa.DDNAttack(steps=40), id="ddn"),
    pytest.param(
        FMN(steps=40, losses=("margin",)), fa.L2FMNAttack(steps=40), id="fmn-l2"
    ),  # foolbox's does not project in L2 at all
    pytest.param(FMN(steps=40, losses=("margin",), norm=Linf()), fa.LInfFMNAttack(steps=40), id="fmn-linf"),
    pytest.param(FMN(steps=40, losses=("margin",), norm=L1()), fa.L1FMNAttack(steps=40), id="fmn-l1"),
    pytest.param(FMN(steps=40), fa.L2FMNAttack(steps=40), id="fmn-l2-with-two-losses"),
    pytest.param(FMN(steps=40, norm=Linf()), fa.LInfFMNAttack(steps=40), id="fmn-linf-with-two-losses"),
    pytest.param(FMN(steps=40, norm=L1()), fa.L1FMNAttack(steps=40), id="fmn-l1-with-two-losses"),
    pytest.param(DeepFool(steps=20), fa.L2DeepFoolAttack(steps=20), id="deepfool-l2"),
    pytest.param(DeepFool(steps=20, norm=Linf()), fa.LinfDeepFoolAttack(steps=20), id="deepfool-linf"),
    pytest.param(
        CarliniWagner(steps=60, searches=4, weight=0.1, rate=0.05),
        fa.L2CarliniWagnerAttack(steps=60, binary_search_steps=4, initial_const=0.1, stepsize=0.05),
        id="carlini-wagner",
    ),
]
PUBLISHED = [  # foolbox's FMN does not project in L2, and stays farther away in L1
    pytest.param(DDN(steps=40, published=True), fa.DDNAttack(steps=40), id="ddn"),
    pytest.param(
        FMN(steps=40, losses=("margin",), norm=Linf(), published=True), fa.LInfFMNAttack(steps=40), id="fmn-linf"
    ),
]
NETWORKS = ["digits_network", pytest.param("robust_digits_network", marks=pytest.mark.slow)]


@pytest.fixture
def model(network: str, request: pytest.FixtureRequest) -> nn.Module:
    return request.getfixturevalue(network)


@pytest.fixture
def some(digits: Batch) -> Batch:
    return Batch(digits.x[:100], digits.y[:100])


def theirs(attack: Any, model: nn.Module, batch: Batch, eps: float | None) -> tuple[Tensor, Tensor]:
    """The points that foolbox's attack finds, and whether they are misclassified.

    Where its Carlini and Wagner find none they return a black image, which may happen to be.
    """
    bounded = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    _, found, fooled = attack(bounded, batch.x, batch.y, epsilons=eps)
    return found, fooled & (found.flatten(1).amax(1) > 0)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("ours", "peer"), NEAREST)
def test_points_are_as_near_as_theirs(model: nn.Module, some: Batch, ours: Attack, peer: Any) -> None:
    found, fooled = theirs(peer, model, some, None)
    distance = torch.where(fooled, ours.norm.size(found - some.x), torch.inf)
    own = ours.on(model, some)
    assert own.reached.sum() >= fooled.sum()
    assert own.distance.where(own.reached, torch.inf).median() <= 1.03 * distance.median()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("ours", "peer"), PUBLISHED)
def test_published_settings_find_their_distances(model: nn.Module, some: Batch, ours: Attack, peer: Any) -> None:
    found, fooled = theirs(peer, model, some, None)
    distance = torch.where(fooled, ours.norm.size(found - some.x), torch.inf)
    own = ours.on(model, some)
    assert own.distance.where(own.reached, torch.inf).median().item() == pytest.approx(
        distance.median().item(), rel=0.03
    )


# budgets at which about half of the images stand
@pytest.mark.parametrize(
    ("network", "norm", "eps"),
    [
        pytest.param("digits_network", Linf(), 0.1, id="standard-linf"),
        pytest.param("digits_network", L2(), 0.5, id="standard-l2"),
        pytest.param("robust_digits_network", Linf(), 0.15, id="robust-linf", marks=pytest.mark.slow),
        pytest.param("robust_digits_network", L2(), 0.7, id="robust-l2", marks=pytest.mark.slow),
    ],
)
def test_pgd_leaves_as_many_images_standing(model: nn.Module, some: Batch, norm: Norm, eps: float) -> None:
    peer = fa.L2PGD if isinstance(norm, L2) else fa.LinfPGD
    left, ours = list[float](), list[float]()
    with torch.random.fork_rng([]):
        for seed in range(6):
            torch.manual_seed(seed)
            _, fooled = theirs(peer(steps=40, rel_stepsize=0.05), model, some, eps)
            left.append(1 - fooled.float().mean().item())
            found = PGD(eps=eps, steps=40, step=0.05, norm=norm).on(model, some, seed=seed)
            ours.append(1 - found.reached.float().mean().item())
    assert 0.2 < sum(left) / len(left) < 0.8
    assert not differ(left, ours, by=0.01), (left, ours)
