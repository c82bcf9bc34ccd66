"""Papers: each attack, explainer, metric, loss term and part of an audit says which it is from, for who cites it.

A paper that one thing alone is from stands beside that thing; those that several are from stand here.
"""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

ADEBAYO = (
    "Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim, Sanity Checks for Saliency Maps, NeurIPS 2018. arXiv "
    "1810.03292"
)
AHERN = (
    "Ahern, Noack, Guzman-Nateras, Dou, Li and Huan, NormLime: A New Feature Importance Metric for Explaining "
    "Deep Neural Networks, 2019. arXiv 1909.04200"
)
ARRAS = (
    "Arras, Osman and Samek, CLEVR-XAI: a benchmark dataset for the ground truth evaluation of neural network "
    "explanations, Information Fusion 81, 2022. arXiv 2003.07258"
)
BACH = (
    "Bach, Binder, Montavon, Klauschen, Müller and Samek, On pixel-wise explanations for non-linear "
    "classifier decisions by layer-wise relevance propagation, PLoS ONE 10(7), 2015. doi "
    "10.1371/journal.pone.0130140"
)
CROCE = (
    "Croce and Hein, Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free "
    "attacks, ICML 2020. arXiv 2003.01690"
)
CROCE_FAB = (
    "Croce and Hein, Minimally distorted Adversarial Examples with a Fast Adaptive Boundary Attack, ICML "
    "2020. arXiv 1907.02044"
)
DONG = (
    "Dong, Bao, Su and Zhu, Towards Interpretable Deep Neural Networks by Leveraging Adversarial Examples, "
    "AAAI-19 Workshop on Network Interpretability for Deep Learning, 2019. arXiv 1901.09035"
)
HOOKER = (
    "Hooker, Erhan, Kindermans and Kim, A Benchmark for Interpretability Methods in Deep Neural Networks, "
    "NeurIPS 2019. arXiv 1806.10758"
)
JOO = (
    "Joo, Jeong, Heo, Weller and Moon, Towards More Robust Interpretation via Local Gradient Alignment, AAAI "
    "2023. doi 10.1609/aaai.v37i7.25986"
)
MADRY = (
    "Madry, Makelov, Schmidt, Tsipras and Vladu, Towards Deep Learning Models Resistant to Adversarial "
    "Attacks, ICLR 2018. arXiv 1706.06083"
)
NOACK = (
    "Noack, Ahern, Dou and Li, An Empirical Study on the Relation between Network Interpretability and "
    "Adversarial Robustness, SN Computer Science 2, 2021. doi 10.1007/s42979-020-00390-x"
)
PETSIUK = (
    "Petsiuk, Das and Saenko, RISE: randomized input sampling for explanation of black-box models, BMVC 2018. "
    "arXiv 1806.07421"
)
PINTOR = (
    "Pintor, Roli, Brendel and Biggio, Fast Minimum-norm Adversarial Attacks through Adaptive Norm "
    "Constraints, NeurIPS 2021. arXiv 2102.12827"
)
RODRIGUEZ = (
    "Rodríguez-Muñoz, Wang and Torralba, Characterizing Model Robustness via Natural Input Gradients, ECCV 2024. "
    "arXiv 2409.20139"
)
RONY = (
    "Rony, Hafemann, Oliveira, Ben Ayed, Sabourin and Granger, Decoupling Direction and Norm for Efficient "
    "Gradient-Based L2 Adversarial Attacks and Defenses, CVPR 2019. arXiv 1811.09600"
)
SMILKOV = (
    "Smilkov, Thorat, Kim, Viégas and Wattenberg, SmoothGrad: removing noise by adding noise, 2017. arXiv 1706.03825"
)
WANG = (
    "Wang, Zou, Yi, Bailey, Ma and Gu, Improving Adversarial Robustness Requires Revisiting Misclassified "
    "Examples, ICLR 2020."
)
WOODS = (
    "Woods, Chen and Teuscher, Adversarial explanations for understanding image classification decisions and "
    "improved neural network robustness, Nature Machine Intelligence 1, 2019. doi 10.1038/s42256-019-0104-6"
)
YEH = (
    "Yeh, Hsieh, Suggala, Inouye and Ravikumar, On the (In)fidelity and Sensitivity of Explanations, NeurIPS "
    "2019. arXiv 1901.09392"
)
ZEILER = "Zeiler and Fergus, Visualizing and understanding convolutional networks, ECCV 2014. arXiv 1311.2901"


def cites(*papers: str) -> Callable[[T], T]:
    """Note as `paper` which papers a class or function is from; with none, that it is from none."""

    def noted(entry: T) -> T:
        setattr(entry, "paper", papers)  # noqa: B010, of classes and functions alike
        return entry

    return noted


def papers_of(entry: Any) -> tuple[str, ...]:
    """The papers that an entry of a registry is from."""
    return getattr(entry, "paper", ())
