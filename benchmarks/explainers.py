"""What maps of many gradients cost: SmoothGrad and integrated gradients against captum, with 50 passes an image.

The work is the same: noise that may leave [0, 1] and no copy of the image itself, midpoints and no check of the sum.
Floor by counting: a forward and a backward pass to the pixels for each row, here and there, and ours makes one
forward pass more, which looks at the classes. So 1.0x is to be expected where rows cost the same; what is above it
comes of how many go together and of what is done besides. captum is given the number of copies at once, of those
tried, with which it is fastest here. Maps are compared too: integrated gradients by the largest difference, and
SmoothGrad, whose noise is another, by the cosine with captum's. Memory is that of a process that explains 8 images.
"""

import math
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from typing import Any

import torch
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from captum.attr import NoiseTunnel, Saliency
from torch import Tensor, nn

from benchmarks.timing import alternate, peak_memory, ratio, record
from pellucid import models
from pellucid.batch import Batch
from pellucid.explainers import Explainer, IntegratedGradients, SmoothGrad

IMAGES, PASSES, TARGET = 64, 50, 1.5
SHAPES = {"simple-cnn": (1, 28, 28), "resnet18": (3, 32, 32)}
COPIES = (1, 2, 5, 10, 50)
"""How many copies of the batch captum is given at once."""
METHODS = ("smoothgrad", "integrated-gradients")
Maps = Callable[[], Tensor]


def run(rounds: int, name: str) -> None:
    """Time one network and keep the figures."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, batch = _work(name, IMAGES, device)
    found = {method: _compared(model, batch, method, rounds) for method in METHODS}
    for method, figures in found.items():
        print(
            f"{method} {PASSES}, {name}, {IMAGES} images, {device.type}: captum / ours = {figures['printed']} "
            f"(target {TARGET}x); captum is best at {figures['captum_copies']} copies at once; "
            f"{figures['agreement']}; bfloat16 to float32 on the same noise: cosine at least "
            f"{figures['cosine_bfloat16'][0]:.4f}, median {figures['cosine_bfloat16'][1]:.4f}",
            flush=True,
        )
    memory = {method: {passes: peak(name, method, passes) for passes in (PASSES, 10 * PASSES)} for method in METHODS}
    for method, peaks in memory.items():
        shown = ", ".join(f"{bytes_ / 2**20:.0f} MiB with {passes}" for passes, bytes_ in peaks.items())
        print(f"{method}, {name}, {device.type}: at its peak the process holds {shown}", flush=True)
    content = {"device": device.type, "images": IMAGES, "passes": PASSES, "methods": found, "peak_bytes": memory}
    record(f"explainers-{name}", content)


def ours(method: str, passes: int) -> Explainer:
    """The explainer whose work captum can do."""
    if method == "smoothgrad":
        return SmoothGrad(passes, clean=False, clip=False)
    return IntegratedGradients(steps=passes, tolerance=math.inf)


def captums(model: nn.Module, batch: Batch, method: str, copies: int) -> Maps:
    """Captum's maps, with so many copies of the batch at once."""
    tunnel: Any = NoiseTunnel(Saliency(model))
    integrated = CaptumIntegratedGradients(model)

    def smooth() -> Tensor:
        return tunnel.attribute(
            batch.x, target=batch.y, abs=False, stdevs=0.15, nt_samples=PASSES, nt_samples_batch_size=copies
        )

    def integrate() -> Tensor:
        return integrated.attribute(
            batch.x,
            target=batch.y,
            n_steps=PASSES,
            method="riemann_middle",
            internal_batch_size=copies * len(batch),
        )

    return smooth if method == "smoothgrad" else integrate


def peak(name: str, method: str, passes: int) -> int:
    """The most bytes that a process of its own holds while it makes maps; those of the device where there is one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_peak, name, method, passes).result()


def _compared(model: nn.Module, batch: Batch, method: str, rounds: int) -> dict[str, Any]:
    explainer = ours(method, PASSES)
    tried = {copies: captums(model, batch, method, copies) for copies in COPIES}
    first = alternate({str(copies): _waited(maps) for copies, maps in tried.items()}, 1)
    best = min(COPIES, key=lambda copies: first[str(copies)][0])

    def low() -> Tensor:
        with torch.autocast(batch.x.device.type, torch.bfloat16):
            return explainer.on(model, batch).map

    works: dict[str, Maps] = {"ours": lambda: explainer.on(model, batch).map, "captum": tried[best], "bfloat16": low}
    seconds = alternate({which: _waited(maps) for which, maps in works.items()}, rounds)
    compared, faster = (ratio(seconds["captum"], seconds[side]) for side in ("ours", "bfloat16"))
    near = torch.cosine_similarity(works["ours"]().flatten(1), low().flatten(1))
    return {
        "printed": f"{compared}, in bfloat16 {faster}",
        "ratio": asdict(compared),
        "ratio_bfloat16": asdict(faster),
        "cosine_bfloat16": [float(near.min()), float(near.median())],
        "captum_copies": best,
        "captum_seconds": {copies: times[0] for copies, times in first.items()},
        "seconds": seconds,
        "agreement": _agreement(works["ours"](), works["captum"](), method),
    }


def _agreement(one: Tensor, other: Tensor, method: str) -> str:
    if method == "smoothgrad":
        cosines = torch.cosine_similarity(one.flatten(1), other.flatten(1))
        return f"cosine {float(cosines.mean()):.3f} on other noise"
    return f"largest difference {float((one - other).abs().max() / other.abs().max()):.1e} of the largest value"


def _work(name: str, images: int, device: torch.device) -> tuple[nn.Module, Batch]:
    model = models.build(name, seed=0, shape=SHAPES[name]).to(device).eval()
    x = torch.rand(images, *SHAPES[name], generator=torch.Generator().manual_seed(0)).to(device)
    return model, Batch(x, (torch.arange(images) % 10).to(device))


def _waited(maps: Maps) -> Callable[[], float]:
    """The sum, which is not known before the work is done."""
    return lambda: float(maps().sum())


def _peak(name: str, method: str, passes: int) -> int:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, batch = _work(name, 8, device)
    ours(method, passes).on(model, batch)
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return peak_memory()
