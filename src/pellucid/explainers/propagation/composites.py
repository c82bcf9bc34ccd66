"""Which rule each layer of a network follows."""

from collections.abc import Callable
from dataclasses import dataclass

from pellucid.explainers.propagation.rules import AlphaBeta, Box, Epsilon, Flat, Gamma, Rule
from pellucid.registry import Registry


@dataclass(frozen=True)
class Composite:
    """A rule for dense layers, one for convolutions, and one for layers that see the pixels, if theirs differs."""

    dense: Rule
    convolution: Rule
    first: Rule | None = None


def _epsilon(epsilon: float, gamma: float) -> Composite:
    """Every layer in proportion to contributions."""
    return Composite(Epsilon(epsilon), Epsilon(epsilon))


def _plus(epsilon: float, gamma: float) -> Composite:
    """Convolutions share among positive contributions alone."""
    return Composite(Epsilon(epsilon), AlphaBeta(1, 0, epsilon))


def _plus_box(epsilon: float, gamma: float) -> Composite:
    """As epsilon-plus, and pixels by their range."""
    return Composite(Epsilon(epsilon), AlphaBeta(1, 0, epsilon), Box(epsilon))


def _all_plus_box(epsilon: float, gamma: float) -> Composite:
    """Positive contributions alone in every layer, and pixels by their range."""
    return Composite(AlphaBeta(1, 0, epsilon), AlphaBeta(1, 0, epsilon), Box(epsilon))


def _plus_flat(epsilon: float, gamma: float) -> Composite:
    """As epsilon-plus, and pixels evenly."""
    return Composite(Epsilon(epsilon), AlphaBeta(1, 0, epsilon), Flat())


def _gamma(epsilon: float, gamma: float) -> Composite:
    """Convolutions favor contributions of the output's sign."""
    return Composite(Epsilon(epsilon), Gamma(gamma, epsilon))


def _gamma_box(epsilon: float, gamma: float) -> Composite:
    """As epsilon-gamma, and pixels by their range."""
    return Composite(Epsilon(epsilon), Gamma(gamma, epsilon), Box(epsilon))


def _alpha_beta(epsilon: float, gamma: float) -> Composite:
    """Convolutions give twice the relevance to positive contributions and take it once from negative ones."""
    return Composite(Epsilon(epsilon), AlphaBeta(2, 1, epsilon))


def _alpha_beta_flat(epsilon: float, gamma: float) -> Composite:
    """As epsilon-alpha2-beta1, and pixels evenly."""
    return Composite(Epsilon(epsilon), AlphaBeta(2, 1, epsilon), Flat())


COMPOSITES: Registry[Callable[[float, float], Composite]] = Registry(
    "composite",
    {
        "epsilon": _epsilon,
        "epsilon-plus": _plus,
        "epsilon-plus-box": _plus_box,
        "epsilon-plus-flat": _plus_flat,
        "plus-box": _all_plus_box,
        "epsilon-gamma": _gamma,
        "epsilon-gamma-box": _gamma_box,
        "epsilon-alpha2-beta1": _alpha_beta,
        "epsilon-alpha2-beta1-flat": _alpha_beta_flat,
    },
)
"""Composites by name, each made from the settings epsilon and gamma."""
