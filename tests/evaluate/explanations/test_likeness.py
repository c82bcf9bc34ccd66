"""Metrics that compare maps: no explainer fares better for its maps' length, and the published order is kept."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.networks import images, smooth
from torch import Tensor

from pellucid.attacks.explanations import Decorrelate, Frame
from pellucid.batch import Batch
from pellucid.evaluate.explanations import METRICS, AdversarialSimilarity, RandomSimilarity
from pellucid.explainers import Explainer, Gradient
from pellucid.metrics.agreement import SIMILARITIES, SSIM, Similarity, TopK
from pellucid.testing.specimens import Multiplied

FEW: dict[str, dict[str, Any]] = {
    "random-similarity": {"draws": 2},
    "cascading-randomization": {"draws": 1, "stages": 2},
    "label-randomization": {"source": "networks:anywhere"},
    "adversarial-similarity": {"steps": 2, "aim": Frame(1)},
    "target-similarity": {"steps": 2, "aim": Frame(1)},
    "invalidation": {"steps": 1, "budgets": (0.05,)},
}
COMPARING = [name for name, metric in METRICS.items() if "similarity" in vars(metric)["__dataclass_fields__"]]
KINDS: dict[str, Similarity] = {
    **{name: kind() for name, kind in SIMILARITIES.items()},
    "top-k": TopK(0.2),
    "ssim": SSIM(3),
}


def test_every_metric_of_likeness_is_tried() -> None:
    assert {*FEW, "reference-alignment", "class-sensitivity"} == set(COMPARING)


@pytest.mark.parametrize("sign", ["absolute", "signed"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COMPARING)
def test_an_explainer_of_longer_maps_is_as_stable(name: str, kind: str, sign: str) -> None:
    if name == "invalidation" and not KINDS[kind].differentiable:
        pytest.skip("its attack follows the slope of the similarity")
    metric: Any = METRICS[name]
    metric = metric(**FEW.get(name, {}), similarity=KINDS[kind], sign=sign)
    x = images(3, 1, 6, 6)
    reference = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    batch = Batch(x, torch.zeros(3, dtype=torch.long), {"reference": reference})
    one, *others = (
        metric.on(smooth(), batch, "predicted", explainer=Multiplied(factor)) for factor in (1.0, 1e-6, 7.0, 1e6)
    )
    assert one.defined.all()
    for other in others:
        assert torch.allclose(other.value, one.value, rtol=1e-6, atol=1e-9)


def published(first: Tensor, second: Tensor) -> Tensor:
    """SSIM as Joo et al. (2023) compute it: zeros beyond the border, and the range of the first maps of the batch."""
    place = torch.arange(-3, 4, dtype=first.dtype)
    bell = torch.exp(-place.square() / (2 * 1.5**2))
    window = (bell[:, None] * bell / bell.sum() ** 2)[None, None]

    def blurred(maps: Tensor) -> Tensor:
        return F.conv2d(maps[:, None], window, padding=3)[:, 0]

    mean, other = blurred(first), blurred(second)
    spread, other_spread = blurred(first**2) - mean**2, blurred(second**2) - other**2
    together = blurred(first * second) - mean * other
    reach = first.max() - first.min()
    low, high = (0.01 * reach) ** 2, (0.03 * reach) ** 2
    values = (2 * mean * other + low) * (2 * together + high)
    return (values / ((mean**2 + other**2 + low) * (spread + other_spread + high))).mean((1, 2))


@pytest.mark.parametrize("draws", [1, 3])
def test_random_similarity_as_published_compares_copies_with_images(draws: int) -> None:
    model, x, seen = smooth(size=8), images(3, 1, 8, 8), list[Tensor]()

    class Kept(Explainer):
        """Remembers its maps."""

        def maps(self, probe: Any, of: Tensor, rows: int) -> Tensor:
            seen.append(Gradient().maps(probe, of, rows))
            return seen[-1]

    metric = RandomSimilarity(0.3, draws, SSIM(compat="official"), compat="official")
    found = metric(model, x, 0, explainer=Kept())
    planes = [maps.abs().sum(1) for maps in seen]
    own, *near = [each / each.amax((1, 2), keepdim=True) for each in torch.cat(planes).split(3)]
    values = list[Tensor]()
    for copy in near:
        values.append(published(copy, own))
        own = own / own.sum((1, 2), keepdim=True)  # which the published code does to it from then on
    assert len(values) == draws
    assert torch.allclose(found.value, torch.stack(values).mean(0), rtol=1e-9)


def test_adversarial_similarity_as_published_compares_the_attacked_map_with_the_image_s() -> None:
    model, x = smooth(size=8), images(3, 1, 8, 8)
    metric = AdversarialSimilarity(aim=Frame(1), eps=0.2, steps=3, sign="signed", similarity=SSIM(compat="official"))
    found = metric(model, x, 0, explainer=Gradient())
    attacked = metric.attack(Gradient())(model, x, 0)
    own, after = (
        maps.sum(1) / maps.sum(1).abs().amax((1, 2), keepdim=True) for maps in (attacked.before, attacked.after)
    )
    assert torch.allclose(found.value, published(after, own), rtol=1e-9)
    assert not torch.allclose(found.value, published(own, after), rtol=1e-6)


def test_an_attack_away_from_the_map_is_blind_to_lengths() -> None:
    one = torch.rand(2, 6, 6, generator=torch.Generator().manual_seed(0))
    for similarity in (SSIM(3), KINDS["cosine"]):
        assert Decorrelate(similarity).loss(5 * one, one).tolist() == pytest.approx([1, 1])
