"""What figures and the colors of maps are called on the page."""

from collections.abc import Mapping, Sequence

from pellucid.page.figure import Figure

_NAMES = {
    "calibration_error": "calibration error",
    "robust_accuracy": "right under attack",
    "loss": "cross-entropy",
    "area": "accuracy-robustness area",
    "consistency": "consistency of neurons",
    "consistency_corrected": "consistency of neurons beyond chance",
    "content_over_target": "attacked images activate neurons by content, not by target",
    "distance_ratio": "distance of attacked images to their class, over that to the target",
    "dead_neurons": "neurons that are never active",
}
_NORMS = {"linf": "L\N{INFINITY}", "l2": "L2", "l1": "L1", "rms": "RMS"}
_GOALS = {"attack": "until it is wrong", "below_chance": "until it is worse than chance"}
DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "neither": "neither end is better"}
ARROWS = {"higher": "\N{UPWARDS ARROW}", "lower": "\N{DOWNWARDS ARROW}", "neither": ""}


def spoken(name: str) -> str:
    """A name as words: what stands for a blank in names becomes one."""
    return _NAMES.get(name, name.replace("_", " ").replace("-", " "))


def called(figure: Figure) -> str:
    """What a figure is called: its name, and what it is of."""
    if figure.name == "robust_accuracy" and len(figure.arguments) >= 2:
        norm, eps, *attack = figure.arguments
        by = f" by {', '.join(attack)}" if attack else ""
        return f"right under attack{by}, {_NORMS.get(norm, norm)} up to {eps}"
    arguments = ", ".join(_GOALS.get(argument, argument) for argument in figure.arguments)
    return f"{spoken(figure.name)}, {arguments}" if arguments else spoken(figure.name)


def listed(words: Sequence[str]) -> str:
    """Words one after the other, as a sentence has them."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def legends(said: Mapping[str, str]) -> list[str]:
    """A line for each legend, which begins with the explainers that it is of where there are several."""
    of: dict[str, list[str]] = {}
    for name, legend in said.items():
        of.setdefault(legend, []).append(name)
    if len(of) == 1:
        return list(of)
    return [f"{', '.join(names)}: {legend}" for legend, names in of.items()]
