"""What colors say, once for all explainers of which they say it."""

from collections.abc import Mapping


def legends(said: Mapping[str, str]) -> list[str]:
    """A line for each legend, which begins with the explainers that it is of where there are several."""
    of: dict[str, list[str]] = {}
    for name, legend in said.items():
        of.setdefault(legend, []).append(name)
    if len(of) == 1:
        return list(of)
    return [f"{', '.join(names)}: {legend}" for legend, names in of.items()]
