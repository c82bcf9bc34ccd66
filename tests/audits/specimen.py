"""An audit's folder as if it had been carried out: all kinds of parts, two networks, names that mean harm."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from pellucid.audits import AuditFolder, Figure, Finding, Outcome
from pellucid.audits.figure import Better
from pellucid.evaluate import Verdict
from pellucid.metrics import Estimate

SCRIPT = "<script>alert(1)</script>"
HANDLER = '"><img src=x onerror=alert(1)>'
ARABIC = "\u0642\u0637\u0629 \u0635\u063a\u064a\u0631\u0629"
CLASSES = ("zero", SCRIPT, HANDLER, ARABIC, "a & b", "five", "six", "seven", "eight", "{{ 7 * 7 }}")
MODELS = ("runs/plain-0123456789ab", f"runs/{HANDLER}")
SHORT = ("plain", HANDLER)
EXPLAINERS = ("gradient", "smoothgrad", "integrated-gradients", "grad-cam")
METRICS: Mapping[str, Better] = {
    "random-similarity": "higher",
    "adversarial-similarity": "higher",
    "sparsity": "neither",
    "deletion": "lower",
}
KNOWN = f"nothing speaks for {SCRIPT}"
RHOS = (0.02, 0.05, 0.1, 0.2)
PARTS: Mapping[str, Mapping[str, Any]] = {
    "decisions": {"kind": "decided", "n": 0, "bins": 15},
    "robustness": {"kind": "robust", "n": 100, "nearest": 50, "linf": [2 / 255, 4 / 255, 8 / 255]},
    "auto-attack": {"kind": "auto-attacked", "n": 100, "eps": 8 / 255},
    "checks": {"kind": "checked", "n": 32},
    "explanations": {"kind": "explained", "n": 50, "explainers": {name: {"kind": name} for name in EXPLAINERS}},
    "gradients": {"kind": "gradients", "n": 100},
    "neurons": {"kind": "neurons"},
    "pictures": {"kind": "gallery"},
    "class maps": {"kind": "class-maps"},
    "moonlight": {"kind": "a-plug-in", "phase": "waxing"},
    "never": {"kind": "a-plug-in"},
}


def specimen(path: Path, *, models: tuple[str, ...] = MODELS, side: int = 8, images: int = 4) -> AuditFolder:
    """Write it, with pictures of `side` pixels."""
    folder = AuditFolder(path)
    folder.begin(
        {
            "models": [{"name": name, "fingerprint": f"{number:08x}"} for number, name in enumerate(models)],
            "data": {
                "source": "digits & more",
                "fingerprint": "d1917",
                "images": 1797,
                "classes": CLASSES,
                "shape": [1, side, side],
            },
            "parts": PARTS,
            "profile": "a first look: minutes on a CPU",
            "seed": 3,
        }
    )
    for number in range(len(models)):
        better = 0.25 * number
        findings = {
            "decisions": _decisions(better),
            "robustness": _robustness(better),
            "auto-attack": Finding(
                (Figure("robust_accuracy", ("linf", "8/255", "auto-attack"), share(12 + 45 * number)),)
            ),
            "checks": Finding(verdicts=_verdicts(failed=number == 0)),
            "explanations": _explanations(better),
            "neurons": _neurons(folder, number, side),
            "pictures": _gallery(folder, number, side, images),
            "class maps": _class_maps(folder, number, side),
            "moonlight": Finding((Figure(f"glow_{SCRIPT}", (ARABIC,), about(3.25 + number)),)),
        }
        for name, finding in findings.items():
            if (number, name) != (1, "neurons"):
                folder.keep(number, name, Outcome(finding, "", 12.5))
        folder.keep(number, "gradients", Outcome(None, f"ShapeError: maps are (1, 2) {SCRIPT}", 0.25))
    return folder


def share(successes: int, n: int = 100) -> Estimate:
    """A share of images."""
    return Estimate.proportion(successes, n)


def about(value: float, width: float = 0.06, n: int = 50) -> Estimate:
    """A value with an interval around it."""
    return Estimate(value, value - width, value + width, n)


def picture(path: Path, side: int, seed: int, times: int = 1) -> None:
    """A smooth picture that is unlike those of other seeds, so many times beside itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = numpy.random.default_rng(seed)
    grid = numpy.linspace(-1, 1, side)
    x, y = numpy.meshgrid(grid, grid)
    middle = generator.uniform(-0.5, 0.5, (3, 2))
    noise = 0.08 * generator.random((3, side, side))
    planes = [numpy.exp(-6 * ((x - a) ** 2 + (y - b) ** 2)) for a, b in middle]
    values = numpy.tile((noise + planes).transpose(1, 2, 0), (1, times, 1))
    Image.fromarray((values / values.max() * 255).astype(numpy.uint8)).save(path)


def _decisions(better: float) -> Finding:
    figures = (
        Figure("accuracy", (), share(1700 + int(60 * better), 1797)),
        Figure("loss", (), about(0.21), "lower"),
        Figure("calibration_error", (), about(0.031, 0.008, 1797), "lower"),
    )
    classes = [
        {"class": name, "accuracy": None, "note": "no image of this class"}
        if place == 7
        else {"class": name, "accuracy": share_record(90 + place % 10 + int(4 * better), 120)}
        for place, name in enumerate(CLASSES)
    ]
    mistakes = [
        {"class": CLASSES[1], "taken for": CLASSES[2], "images": 9 - int(8 * better)},
        {"class": CLASSES[3], "taken for": CLASSES[0], "images": 7},
        *([{"class": "five", "taken for": "six", "images": 3}] if better else []),
    ]
    bins = [
        {"confidence": 0.35 + 0.16 * step, **share_record(int(30 + 17 * step - 8 * better), 100)} for step in range(5)
    ]
    confusion = [[120 if row == column else 0 for column in range(len(CLASSES))] for row in range(len(CLASSES))]
    confusion[1][1:3] = [111, 9]
    confusion[3][0], confusion[3][3] = 7, 113
    confusion[7][7] = 0
    details = {
        "classes": classes,
        "mistakes": mistakes,
        "confusion": None if better else confusion,
        "reliability": bins,
    }
    return Finding(figures, details=details)


def share_record(successes: int, n: int) -> dict[str, Any]:
    """A share of images as plain values."""
    found = share(min(successes, n), n)
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def _robustness(better: float) -> Finding:
    levels = ((2, 0.7), (4, 0.4), (8, 0.15))
    figures = [
        Figure("robust_accuracy", ("linf", f"{level}/255"), share(int(100 * min(1, stays + better))))
        for level, stays in levels
    ]
    figures += [
        Figure("area", ("attack",), about(0.031 + better / 10, 0.004)),
        Figure("area", ("below_chance",), None, note="no failure was found for 50 of 50 images"),
    ]
    curve = [(step * 0.004 * (1 + 2 * better), max(0.0, 0.96 - 0.96 * (step / 39) ** 0.8)) for step in range(40)]
    curves = {
        "linf": [(level / 255, min(1, stays + better)) for level, stays in levels],
        "attack": curve,
        "below_chance": [],
    }
    return Finding(tuple(figures), details={"curves": curves})


def _verdicts(failed: bool) -> tuple[Verdict, ...]:
    return (
        Verdict("training-mode", True, "no layer acts otherwise while training", {}, ""),
        Verdict("gradients", True, "all gradients are finite", {"zero": 0.0}, ""),
        Verdict(
            "saturation",
            not failed,
            "31 of 32 images have gradients that vanish" if failed else "gradients do not vanish",
            {"share": 0.96875, "largest_logit": 412.5},
            "attack with a loss that does not saturate, such as the margin",
        ),
    )


def _explanations(better: float) -> Finding:
    figures: list[Figure] = []
    for column, (metric, direction) in enumerate(METRICS.items()):
        for row, explainer in enumerate(EXPLAINERS):
            estimate, note = about(0.3 + 0.1 * column + 0.05 * row + better / 2), ""
            if (metric, explainer) == ("deletion", "grad-cam"):
                estimate, note = None, "50 of 50 images have no value: the map is constant"
            figures.append(Figure(metric, (explainer,), estimate, direction, note))
    metrics = {
        metric: {"better": direction, "low": -1.0, "high": 1.0, "cost": "10 explanations"}
        for metric, direction in METRICS.items()
    }
    known = {"grad-cam": [f"3 of 8 maps: {KNOWN}"]}
    return Finding(tuple(figures), details={"metrics": metrics, "known": known})


def _neurons(folder: AuditFolder, number: int, side: int) -> Finding:
    home = folder.place(number, "neurons").parent
    table: list[dict[str, Any]] = []
    for neuron in range(7):
        name = f"neurons/{neuron}.png"
        picture(home / name, side, 900 + neuron, times=6)
        table.append(
            {"neuron": neuron, "level": 0.9 - 0.1 * neuron, "class": CLASSES[neuron], "share": 0.8, "picture": name}
        )
    figures = (
        Figure("consistency", ("layer3",), about(0.61)),
        Figure("dead_neurons", ("layer3",), share(2, 16), "lower"),
    )
    return Finding(figures, details={"layers": {"layer3": {"neurons": 16, "table": table}}})


def _gallery(folder: AuditFolder, number: int, side: int, images: int) -> Finding:
    home = folder.place(number, "gallery").parent
    entries: list[dict[str, Any]] = []
    for index in range(images):

        def keep(name: str, seed: int, index: int = index) -> str:
            path = f"pictures/{index}-{name}.png"
            picture(home / path, side, 1000 * index + seed + number)
            return path

        maps: dict[str, dict[str, Any]] = {
            explainer: {"picture": keep(explainer, 10 + place), "scale": 0.0123 * (place + 1), "signed": place != 3}
            for place, explainer in enumerate(EXPLAINERS)
        }
        maps["grad-cam"]["about"] = ["adds up to 0.0009 of 9.2", KNOWN]
        after = {
            explainer: {"picture": keep(f"{explainer}-attacked", 30 + place), "scale": 0.02, "signed": place != 3}
            for place, explainer in enumerate(EXPLAINERS)
        }
        toward = {
            name: [
                {
                    "rho": rho,
                    "picture": keep(f"{place}-{step}", 60 + 10 * place + step),
                    "probability": 0.2 + 0.19 * step,
                }
                for step, rho in enumerate(RHOS)
            ]
            for place, name in enumerate(CLASSES[1:4])
        }
        entries.append(
            {
                "index": 17 + 3 * index,
                "label": CLASSES[index % len(CLASSES)],
                "predicted": CLASSES[(index + number) % len(CLASSES)],
                "confidence": 0.973,
                "right": number == 0,
                "picture": keep("image", 0),
                "why": "chosen" if index % 2 else "worst: surest mistake",
                "maps": maps,
                "toward": toward,
                "attacked": {
                    "picture": keep("attacked", 2),
                    "predicted": CLASSES[5],
                    "confidence": 0.6,
                    "distance": 0.0314,
                    "maps": after,
                },
            }
        )
    missing = {SCRIPT: f"no rule for {HANDLER}"} if number == 0 else {}
    return Finding(details={"images": entries, "missing": missing})


def _class_maps(folder: AuditFolder, number: int, side: int) -> Finding:
    home = folder.place(number, "class maps").parent
    paths: dict[str, str] = {}
    for place, name in enumerate(CLASSES[:-1]):
        paths[name] = f"class maps/{place}.png"
        picture(home / paths[name], side, 7000 + place + number)
    details = {
        "classes": paths,
        "missing": {CLASSES[-1]: "no image was predicted as it"},
        "scale": 0.37,
        "explainer": "normlime",
        "images": 200,
        "adjusted_r2": 0.87,
        "notes": ["31% of an image's parts, on average, hide nothing"],
    }
    return Finding(details=details)
