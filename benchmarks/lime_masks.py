"""LIME: 1000 masks on images of 224x224, against the package `lime` and captum, each at its best batches.

All three use the same superpixels, which each computes in its own time. A network that costs nothing shows how many
masks there is time for besides; peers loop over masks in Python.
"""

import resource
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from benchmarks.timing import alternate, ratio, record
from pellucid.batch import Batch
from pellucid.explainers.lime import Grid, Lime, Slic
from pellucid.explainers.lime.hidden import hidden
from pellucid.explainers.lime.sampling import drawn_masks
from pellucid.randomness import Noise

MASKS, IMAGES, SIDE, ROWS = 1000, 16, 224, 64
TARGETS = {"lime": 5.0, "captum": 3.0}
FREE_TARGETS = {"lime": 5.0, "captum": 5.0}


class Free(nn.Module):
    """A network that costs nothing: it reads ten pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0, SIDE // 2, ::23]


def small() -> nn.Module:
    """A small network for large images."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 7, stride=4, padding=3), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip


def run(rounds: int, *, images: int = IMAGES, masks: int = MASKS) -> None:
    """With a small network."""
    figures = _measured(small(), rounds, images, masks, TARGETS)
    figures["agreement"] = agreement(masks)
    print(f"with the masks that ours draws, lime's coefficients are within {figures['agreement']:.1e} of the largest")
    record("lime", figures)


def run_free(rounds: int, *, images: int = IMAGES, masks: int = MASKS) -> None:
    """With a network that costs nothing; and how much memory more masks and more images take."""
    figures = _measured(Free(), rounds, images, masks, FREE_TARGETS)
    figures["memory"] = memory()
    for name, grown in figures["memory"].items():
        print(f"peak memory over that of 80 images and 400 masks, with {name}: {grown:+.0f} MiB")
    record("lime-free", figures)


def _measured(model: nn.Module, rounds: int, images: int, masks: int, targets: Mapping[str, float]) -> dict[str, Any]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, x = model.to(device).eval(), pictures(images).to(device)
    batch, explainer = Batch(x, torch.zeros(images, dtype=torch.long, device=device)), Lime(masks=masks)
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: float(explainer.local(model, batch, "predicted").coefficients.sum()),
        "lime": lambda: with_lime(model, x, masks),
        "captum": lambda: with_captum(model, x, masks),
    }
    seconds = alternate(works, rounds)
    rates = {name: images * masks / sorted(times)[len(times) // 2] for name, times in seconds.items()}
    found = {name: ratio(seconds[name], seconds["ours"]) for name in targets}
    for name, rate in rates.items():
        print(f"{type(model).__name__}, {images} images, {masks} masks, {device.type}: {name:7} {rate:8.0f} masks/s")
    for name, target in targets.items():
        print(f"{name} takes {found[name]} as long (target {target:.0f}x)", flush=True)
    ratios = {name: {**vars(figure), "target": targets[name]} for name, figure in found.items()}
    return {"device": device.type, "images": images, "masks": masks, "masks_per_second": rates, "ratios": ratios}


def pictures(count: int) -> Tensor:
    """Smooth images, so that superpixels are those of photographs rather than of noise."""
    coarse = torch.rand(count, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    return nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic").clamp(0, 1)


def with_lime(model: nn.Module, x: Tensor, masks: int) -> None:
    """The package `lime`, image by image, for the class that is predicted."""
    from lime.lime_image import LimeImageExplainer

    explainer: Any = LimeImageExplainer(random_state=0)
    for image in x:
        explainer.explain_instance(
            image.permute(1, 2, 0).cpu().numpy(), _probabilities(model, image), top_labels=1, num_samples=masks,
            batch_size=ROWS, segmentation_fn=_slic, random_seed=0,
        )  # fmt: skip


def with_captum(model: nn.Module, x: Tensor, masks: int) -> None:
    """captum, image by image, with the surrogate of `lime` and its own distance."""
    from captum._utils.models.linear_model import SkLearnRidge
    from captum.attr import Lime as CaptumLime

    def probabilities(x: Tensor) -> Tensor:
        return model(x).softmax(1)

    explainer: Any = CaptumLime(probabilities, SkLearnRidge(alpha=1.0))
    for image in x.split(1):
        segments = Slic()(image)
        with torch.no_grad():
            target = int(model(image).argmax())
        explainer.attribute(
            image, target=target, baselines=hidden(image, segments, "segment-mean", model), n_samples=masks,
            feature_mask=segments[:, None], perturbations_per_eval=ROWS, return_input_shape=False,
        )  # fmt: skip


def agreement(masks: int) -> float:
    """The largest difference to the package's coefficients on the same masks, as a share of the largest of them."""
    from lime.lime_image import LimeImageExplainer

    model, x = small().double().eval(), pictures(1).double()
    found = Lime(masks=masks).local(model, Batch(x, torch.zeros(1, dtype=torch.long)), "predicted")
    given = drawn_masks(Noise(0, torch.tensor([0])), 0, found.counts.tolist(), antithetic=True)[0, :masks]

    class Given:
        def randint(self, *_: int) -> Any:
            return given.numpy().astype(int).ravel()

    explainer: Any = LimeImageExplainer()
    explainer.random_state = Given()
    peer = explainer.explain_instance(
        x[0].permute(1, 2, 0).numpy(), _probabilities(model, x), top_labels=1, num_samples=len(given),
        batch_size=ROWS, segmentation_fn=partial(_given, found.segments[0].numpy()), random_seed=0,
    )  # fmt: skip
    theirs = torch.zeros_like(found.coefficients[0, 0])
    for feature, value in peer.local_exp[int(found.classes)]:
        theirs[feature] = value
    return float((found.coefficients[0, 0] - theirs).abs().max() / theirs.abs().max())


def memory() -> dict[str, float]:
    """By how many MiB the peak rises with ten times as many masks and with twice as many images.

    Without what images and their segments take themselves. On a CPU peaks are those of the whole process, so that
    what came before may hide some.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, each = Free().to(device), SIDE * SIDE * (3 * 4 + 8) / 2**20

    def peak(images: int, masks: int) -> float:
        x = torch.rand(images, 3, SIDE, SIDE, device=device)
        batch = Batch(x, torch.zeros(images, dtype=torch.long, device=device))
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        Lime(Grid(), masks=masks).local(model, batch)
        if device.type == "cuda":
            return torch.cuda.max_memory_allocated() / 2**20 - images * each
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10 - images * each

    base = peak(80, 400)
    return {"10 times as many masks": peak(80, 4000) - base, "twice as many images": peak(160, 400) - base}


def _given(segments: Any, _picture: Any) -> Any:
    return segments


def _slic(picture: Any) -> Any:
    return Slic()(torch.from_numpy(numpy.ascontiguousarray(picture)).permute(2, 0, 1)[None])[0].numpy()


def _probabilities(model: nn.Module, like: Tensor) -> Callable[[Any], Any]:
    def predict(pictures: Any) -> Any:
        with torch.no_grad():
            x = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(like)
            return model(x.contiguous()).softmax(1).cpu().numpy()

    return predict
