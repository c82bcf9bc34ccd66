"""An audit's folder as if it had been carried out: all kinds of parts, two networks, names that mean harm."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from pellucid.audits import AuditFolder, Figure, Finding, Outcome
from pellucid.audits.applicable import details as applicable
from pellucid.audits.applicable.details import OfExplainer
from pellucid.audits.class_maps import details as class_maps
from pellucid.audits.decided import details as decided
from pellucid.audits.decided.details import Bin, Confused, OfClass
from pellucid.audits.explained import details as explained
from pellucid.audits.explained.details import OfMetric
from pellucid.audits.gallery import details as gallery
from pellucid.audits.gallery.details import OfAttacked, OfImage, OfMap, OfStep
from pellucid.audits.neurons import details as neurons
from pellucid.audits.neurons.details import OfLayer, OfNeuron
from pellucid.audits.robust import details as robust
from pellucid.evaluate import Verdict
from pellucid.metrics import Estimate
from pellucid.page.figure import Better

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
    "applicability": {"kind": "applicable", "enough": 8},
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
            "applicability": Finding(details=_applicable(number)),
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


def _applicable(number: int) -> applicable.Details:
    tried = [OfExplainer(name, "", (f"the layer {SCRIPT}",), (KNOWN,), 50, 49, 0.0125) for name in EXPLAINERS]
    refused = OfExplainer(f"attention {HANDLER}", f"{ARABIC} has no attention; choose another {SCRIPT}")
    return applicable.Details((*tried[number:], refused))


def _decisions(better: float) -> Finding:
    figures = (
        Figure("accuracy", (), share(1700 + int(60 * better), 1797)),
        Figure("loss", (), about(0.21), "lower"),
        Figure("calibration_error", (), about(0.031, 0.008, 1797), "lower"),
    )
    classes = [
        OfClass(name, None, "no image of this class")
        if place == 7
        else OfClass(name, share(min(90 + place % 10 + int(4 * better), 120), 120))
        for place, name in enumerate(CLASSES)
    ]
    mistakes = [
        Confused(CLASSES[1], CLASSES[2], 9 - int(8 * better)),
        Confused(CLASSES[3], CLASSES[0], 7),
        *([Confused("five", "six", 3)] if better else []),
    ]
    right = [(0.35 + 0.16 * step, share(int(30 + 17 * step - 8 * better), 100)) for step in range(5)]
    bins = [Bin(sure, found.value, found.low, found.high, found.n) for sure, found in right]
    confusion = [[120 if row == column else 0 for column in range(len(CLASSES))] for row in range(len(CLASSES))]
    confusion[1][1:3] = [111, 9]
    confusion[3][0], confusion[3][3] = 7, 113
    confusion[7][7] = 0
    known = () if better else tuple(map(tuple, confusion))
    return Finding(figures, details=decided.Details(tuple(classes), tuple(mistakes), known, tuple(bins)))


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
        "linf": tuple((level / 255, min(1.0, stays + better)) for level, stays in levels),
        "attack": tuple(curve),
        "below_chance": (),
    }
    return Finding(tuple(figures), details=robust.Details(curves))


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
    metrics = {metric: OfMetric(direction, -1.0, 1.0, "10 explanations") for metric, direction in METRICS.items()}
    known = {"grad-cam": (f"3 of 8 maps: {KNOWN}",)}
    return Finding(tuple(figures), details=explained.Details(metrics, known))


def _neurons(folder: AuditFolder, number: int, side: int) -> Finding:
    home = folder.place(number, "neurons").parent
    table: list[OfNeuron] = []
    for neuron in range(7):
        name = f"neurons/{neuron}.png"
        picture(home / name, side, 900 + neuron, times=6)
        table.append(OfNeuron(neuron, 0.9 - 0.1 * neuron, CLASSES[neuron], 0.8, name))
    figures = (
        Figure("consistency", ("layer3",), about(0.61)),
        Figure("dead_neurons", ("layer3",), share(2, 16), "lower"),
    )
    return Finding(figures, details=neurons.Details({"layer3": OfLayer(16, tuple(table))}))


def _gallery(folder: AuditFolder, number: int, side: int, images: int) -> Finding:
    home = folder.place(number, "gallery").parent
    entries: list[OfImage] = []
    for index in range(images):

        def keep(name: str, seed: int, index: int = index) -> str:
            path = f"pictures/{index}-{name}.png"
            picture(home / path, side, 1000 * index + seed + number)
            return path

        maps = {
            explainer: OfMap(keep(explainer, 10 + place), 0.0123 * (place + 1), place != 3)
            for place, explainer in enumerate(EXPLAINERS)
        }
        maps["grad-cam"] = replace(maps["grad-cam"], about=("adds up to 0.0009 of 9.2", KNOWN))
        after = {
            explainer: OfMap(keep(f"{explainer}-attacked", 30 + place), 0.02, place != 3)
            for place, explainer in enumerate(EXPLAINERS)
        }
        toward = {
            name: tuple(
                OfStep(rho, keep(f"{place}-{step}", 60 + 10 * place + step), 0.2 + 0.19 * step)
                for step, rho in enumerate(RHOS)
            )
            for place, name in enumerate(CLASSES[1:4])
        }
        entries.append(
            OfImage(
                17 + 3 * index,
                keep("image", 0),
                CLASSES[(index + number) % len(CLASSES)],
                CLASSES[index % len(CLASSES)],
                number == 0,
                0.973,
                "chosen" if index % 2 else "worst: surest mistake",
                maps,
                toward,
                OfAttacked(keep("attacked", 2), CLASSES[5], 0.6, 0.0314, after),
            )
        )
    missing = {SCRIPT: f"no rule for {HANDLER}"} if number == 0 else {}
    return Finding(details=gallery.Details(tuple(entries), missing))


def _class_maps(folder: AuditFolder, number: int, side: int) -> Finding:
    home = folder.place(number, "class maps").parent
    paths: dict[str, str] = {}
    for place, name in enumerate(CLASSES[:-1]):
        paths[name] = f"class maps/{place}.png"
        picture(home / paths[name], side, 7000 + place + number)
    missing = {CLASSES[-1]: "no image was predicted as it"}
    notes = ("31% of an image's parts, on average, hide nothing",)
    details = class_maps.Details(paths, missing, 0.37, 200, 0.87, notes=notes, explainer="normlime")
    return Finding(details=details)
