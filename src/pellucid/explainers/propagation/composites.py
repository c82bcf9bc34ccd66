"""Which rule each layer of a network follows."""

from dataclasses import dataclass

from pellucid.explainers.propagation.rules import AlphaBeta, Box, Epsilon, Flat, Gamma, LayerRule


@dataclass(frozen=True)
class Composite:
    """A rule for dense layers, one for convolutions, and one for layers that see the pixels, if theirs differs."""

    dense: LayerRule
    convolution: LayerRule
    first: LayerRule | None = None


def epsilon(epsilon: float, gamma: float) -> Composite:
    """Every layer in proportion to contributions."""
    return Composite(Epsilon(epsilon), Epsilon(epsilon))


def epsilon_plus(epsilon: float, gamma: float) -> Composite:
    """Convolutions share among positive contributions alone."""
    return Composite(Epsilon(epsilon), AlphaBeta(1, 0, epsilon))


def epsilon_plus_box(epsilon: float, gamma: float) -> Composite:
    """The rules of epsilon-plus, and for the first layer that of pixels in a known range."""
    return Composite(Epsilon(epsilon), AlphaBeta(1, 0, epsilon), Box(epsilon))


def plus_box(epsilon: float, gamma: float) -> Composite:
    """Positive contributions alone in every layer, and pixels by their range."""
    return Composite(AlphaBeta(1, 0, epsilon), AlphaBeta(1, 0, epsilon), Box(epsilon))


def epsilon_plus_flat(epsilon: float, gamma: float) -> Composite:
    """The rules of epsilon-plus, and for the first layer an even share to all pixels."""
    return Composite(Epsilon(epsilon), AlphaBeta(1, 0, epsilon), Flat())


def epsilon_gamma(epsilon: float, gamma: float) -> Composite:
    """Convolutions favor contributions of the output's sign."""
    return Composite(Epsilon(epsilon), Gamma(gamma, epsilon))


def epsilon_gamma_box(epsilon: float, gamma: float) -> Composite:
    """The rules of epsilon-gamma, and for the first layer that of pixels in a known range."""
    return Composite(Epsilon(epsilon), Gamma(gamma, epsilon), Box(epsilon))


def epsilon_alpha2_beta1(epsilon: float, gamma: float) -> Composite:
    """Convolutions give twice the relevance to positive contributions and take it once from negative ones."""
    return Composite(Epsilon(epsilon), AlphaBeta(2, 1, epsilon))


def epsilon_alpha2_beta1_flat(epsilon: float, gamma: float) -> Composite:
    """The rules of epsilon-alpha2-beta1, and for the first layer an even share to all pixels."""
    return Composite(Epsilon(epsilon), AlphaBeta(2, 1, epsilon), Flat())
