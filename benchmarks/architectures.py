"""`python -m benchmarks.architectures [NAME...]`: every listed explainer asked about networks of every family.

Networks are timm's with random weights, one of transformers', and efficientnet-lite0 with the weights that it was
trained to. Each is asked about two images of noise, or photographs for the trained one. What comes back has to be a
map of the images, the same when asked again, of finite numbers, and not zero without a note; where the method
promises a sum, how far it is off is written down. A refusal has to be one line with a reason.

Needs timm and transformers, and fetches nothing. Results are added to `docs/results/architectures.json`, whose table
is `docs/results/architectures.md`; `--render` only writes that. `.ci/world` makes an environment and runs this.
"""

import argparse
import importlib
import json
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.timing import machine
from pellucid import explainers, files, models
from pellucid.errors import PellucidError
from pellucid.explainers import EXPLAINERS, Explanation
from pellucid.models import Normalize

RESULTS = Path(__file__).parent.parent / "docs" / "results" / "architectures.json"
PAGE = RESULTS.with_suffix(".md")
# what is asked of explainers that take hundreds of passes: the question is whether, not how well
FEW: Mapping[str, tuple[str, ...]] = {
    "occlusion": ("window=64", "stride=64"),
    "rise": ("masks=16",),
    "lime": ("segmentation.kind=grid", "segmentation.rows=3", "segmentation.columns=3", "masks=48"),
    "normlime": (
        *("lime.kind=lime", "lime.segmentation.kind=grid", "lime.segmentation.rows=3"),
        *("lime.segmentation.columns=3", "lime.masks=48"),
    ),
    "smoothgrad": ("samples=3",),
    "smoothgrad-squared": ("samples=3",),
    "vargrad": ("samples=3",),
    "smooth": ("samples=3",),
    "integrated-gradients": ("steps=4", "tolerance=inf"),
    "expected-gradients": ("samples=4",),
    "adversarial": ("steps=3",),
}
# name: timm's name and options, the size of images, and the family
TIMM: Mapping[str, tuple[dict[str, Any], int, str]] = {
    "resnet18": ({}, 128, "convolutions"),
    "resnet50": ({}, 128, "convolutions"),
    "convnext_atto": ({}, 128, "convolutions, LayerNorm"),
    "efficientnet_b0": ({}, 128, "convolutions, squeeze-excite"),
    "mobilenetv3_small_100": ({}, 128, "convolutions, squeeze-excite"),
    "regnety_002": ({}, 128, "convolutions, squeeze-excite"),
    "densenet121": ({}, 128, "convolutions"),
    "vgg11": ({}, 128, "convolutions"),
    "vit_tiny_patch16_224": ({"img_size": 128}, 128, "attention"),
    "deit_tiny_distilled_patch16_224": ({"img_size": 128}, 128, "attention, two class tokens"),
    "vit_small_patch14_reg4_dinov2": ({"img_size": 126}, 126, "attention, registers (DINOv2)"),
    "swin_tiny_patch4_window7_224": ({}, 224, "attention in windows"),
    "mobilevit_xxs": ({}, 128, "convolutions and attention"),
    "mixer_s32_224": ({}, 224, "mixing without attention"),
    "cait_xxs24_224": ({"img_size": 128}, 128, "attention, class attention"),
    "beit_base_patch16_224": ({"img_size": 64}, 64, "attention, relative positions"),
    "eva02_tiny_patch14_224": ({"img_size": 126}, 126, "attention, gated layers"),
    "xcit_nano_12_p16_224": ({}, 128, "attention over channels"),
    "pvt_v2_b0": ({}, 128, "attention, fewer keys"),
    "levit_128s": ({}, 224, "attention, BatchNorm"),
    "maxvit_pico_rw_256": ({}, 256, "convolutions and attention"),
    "poolformerv2_s12": ({}, 128, "pooling for attention"),
}
HUGGING_FACE, LITE = "transformers: ViT", "efficientnet-lite0, trained"


def main() -> None:
    """Ask every network that is named, or all, and write down what came of it."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.architectures", description=__doc__)
    words.add_argument("names", nargs="*", metavar="NAME")
    words.add_argument("--render", action="store_true")
    asked = words.parse_args()
    makers = {**{name: timm_maker(name) for name in TIMM}, HUGGING_FACE: of_transformers, LITE: efficientnet_lite}
    if unknown := set(asked.names) - set(makers):
        words.error(f"no network is called {', '.join(sorted(unknown))}; there are {', '.join(makers)}")
    known: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"networks": {}}
    for name in [] if asked.render else asked.names or makers:
        began = time.perf_counter()
        model, x, family = makers[name]()
        parameters = sum(tensor.numel() for tensor in model.parameters())
        rows = {method: outcome(model, x, method) for method in EXPLAINERS}
        known["networks"][name] = {
            "family": family,
            "parameters": parameters,
            "shape": list(x.shape[1:]),
            "explainers": rows,
            "seconds": round(time.perf_counter() - began),
        }
        known["machine"] = machine()
        files.write_text(RESULTS, json.dumps(known, indent=1) + "\n")
        bad = [f"{method}: {row['said']}" for method, row in rows.items() if row["outcome"] == "wrong"]
        print(f"{name}: {known['networks'][name]['seconds']} s, wrong: {bad or 'nothing'}", flush=True)
    order = [name for name in makers if name in known["networks"]]
    files.write_text(PAGE, page({name: known["networks"][name] for name in order}))


def timm_maker(name: str) -> Callable[[], tuple[nn.Module, Tensor, str]]:
    """What makes a network of timm with random weights, and images for it."""
    options, size, family = TIMM[name]

    def make() -> tuple[nn.Module, Tensor, str]:
        torch.manual_seed(0)
        model = models.load(f"timm:{name}", options={"pretrained": False, **options})
        for module in model.modules():
            if isinstance(module, nn.Linear) and not bool(module.weight.any()):
                nn.init.normal_(module.weight, std=0.02)  # a head that starts from zero hangs on no pixel
        return model, noise(size), family

    return make


def of_transformers() -> tuple[nn.Module, Tensor, str]:
    """A ViT of transformers with random weights, in front of which pixels are normalized."""
    transformers: Any = importlib.import_module("transformers")  # which only this needs

    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=96,
        num_hidden_layers=4,
        num_attention_heads=3,
        intermediate_size=192,
        image_size=128,
        num_labels=10,
    )
    inner = transformers.ViTForImageClassification(config).eval()

    class Logits(nn.Module):
        """The logits alone of what transformers returns."""

        def __init__(self) -> None:
            super().__init__()
            self.normalize, self.network = Normalize((0.5,) * 3, (0.5,) * 3), inner

        def forward(self, x: Tensor) -> Tensor:
            return self.network(self.normalize(x)).logits

    return Logits().eval(), noise(128), "attention"


def efficientnet_lite() -> tuple[nn.Module, Tensor, str]:
    """A network that was trained on ImageNet, and two photographs."""
    from benchmarks import photographs

    shown = photographs.photographs()
    side = (photographs.SIDE, photographs.SIDE)
    x = torch.stack([to_tensor(shown[name].resize(side)) for name in ("chelsea", "coffee")])
    return photographs.efficientnet_lite().eval(), x, "convolutions, trained"


def to_tensor(picture: Image.Image) -> Tensor:
    """Pixels in [0, 1], channels first."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def noise(size: int) -> Tensor:
    """Two images of noise that is coarse, as photographs are."""
    coarse = torch.rand(2, 3, size // 8, size // 8, generator=torch.Generator().manual_seed(0))
    return nn.functional.interpolate(coarse, (size, size), mode="bilinear")


def outcome(model: nn.Module, x: Tensor, name: str) -> dict[str, Any]:
    """What an explainer says of a network: `works`, `noted`, `refused`, each with what is said; or `wrong`."""
    explainer = explainers.named(name, FEW.get(name, ()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ready = explainer.fit(model, x)
            found, again = (ready(model, x, "predicted") for _ in range(2))
        except PellucidError as error:
            one_line = "\n" not in str(error) and len(str(error)) > 20
            return {"outcome": "refused" if one_line else "wrong", "said": str(error)}
        except Exception as error:
            return {"outcome": "wrong", "said": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"}
    if fault := wrong(found, again, x):
        return {"outcome": "wrong", "said": fault}
    said = list(dict.fromkeys(note for own in found.notes for note in own))
    lost = [] if found.completeness is None else [one for one in found.completeness.lost if one is not None]
    most = max(lost, key=abs, default=None)
    return {"outcome": "noted" if said else "works", "said": "; ".join(said), "lost": most}


def wrong(found: Explanation, again: Explanation, x: Tensor) -> str:
    """What is wrong with a map, if anything is."""
    if found.map.shape != x.shape:
        return f"the map has the shape {tuple(found.map.shape)}"
    if not found.map.isfinite().all():
        return "the map is not finite"
    if not torch.allclose(found.map, again.map, rtol=1e-4, atol=1e-6 * float(found.map.abs().max())):
        return "asked again it says something else"
    empty = found.map.flatten(1).abs().sum(1) == 0
    if any(bool(is_empty) and not own for is_empty, own in zip(empty, found.notes, strict=True)):
        return "the map is zero, and nothing is said of it"
    return ""


def page(networks: Mapping[str, Any]) -> str:
    """The table, and what was said in full."""
    heads = list(EXPLAINERS)
    lines = [
        "# Networks by explainers",
        "",
        "Each listed explainer was asked what networks of these families say of two images. Weights are random, but",
        "for the last. `python -m benchmarks.architectures` repeats it, `.ci/world` in an environment of its own;",
        "figures lie in `architectures.json` beside this page. Explainers of hundreds of passes got few: the",
        "question was whether they apply, not how good their maps are. Sums of integrated and of expected gradients",
        f"are rough for that reason. {len(networks)} of {len(TIMM) + 2} networks have been asked so far.",
        "",
        "- **yes**: a map of the images, the same when asked again, of finite numbers and not zero;",
        "- **noted**: such a map, and something that has to be known about it is said under it;",
        "- **no**: refused in one line, with the reason below;",
        "- a percentage: so much of what the map should add up to is lost, or too much where it is negative.",
        "",
        *relevance_lost(networks),
        f"| network | {' | '.join(heads)} |",
        f"|---|{'---|' * len(heads)}",
    ]
    for name, about in networks.items():
        cells = [cell(about["explainers"].get(head)) for head in heads]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "## What is said", ""]
    for name, about in networks.items():
        shape = " x ".join(map(str, about["shape"]))
        lines += [f"**{name}** ({about['family']}; {about['parameters'] / 1e6:.1f} million parameters, {shape})", ""]
        texts: dict[str, list[str]] = {}
        for head, row in about["explainers"].items():
            if row["said"]:
                texts.setdefault(row["said"], []).append(head)
        lines += [f"- {', '.join(heads)}: {text}" for text, heads in texts.items()] or ["- nothing"]
        lines.append("")
    return "\n".join(lines)


def relevance_lost(networks: Mapping[str, Any]) -> list[str]:
    """What the percentages of LRP mean, which are large in transformers."""
    lost = [
        about["explainers"]["lrp"]["lost"]
        for about in networks.values()
        if about["family"].startswith("attention") and about["explainers"]["lrp"].get("lost") is not None
    ]
    if not lost:
        return []
    trained = networks.get(LITE, {"explainers": {}})["explainers"].get("lrp", {}).get("lost")
    of_trained = [] if trained is None else [f"The trained network of convolutions loses {trained:.0%}."]
    return [
        "**What relevance loses.** `lrp` shares out a logit, of which constants keep their share: biases, class",
        f"tokens, embeddings of places, and a term of each softmax. In the {len(lost)} networks of attention that is",
        f"from {min(lost):.0%} to {max(lost):.0%}; above 100%, what is left has the other sign. Such a map says how",
        "pixels compare with each other, and not how much of the logit each has. See [lrp](../explainers/lrp.md).",
        *of_trained,
        "",
    ]


def cell(row: Mapping[str, Any] | None) -> str:
    """An outcome in a word."""
    if row is None:
        return ""
    word = {"works": "yes", "noted": "noted", "refused": "no", "wrong": "**wrong**"}[row["outcome"]]
    lost = row.get("lost")
    return f"{word}, {lost:.1%}" if lost is not None and abs(lost) >= 0.001 else word


if __name__ == "__main__":
    main()
