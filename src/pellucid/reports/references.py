"""The papers to cite for what an audit used, by the words under which settings and figures name it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pellucid.reports.read import Audit

_WOODS = (
    "Woods, Chen and Teuscher, Adversarial explanations for understanding image classification decisions "
    "and improved neural network robustness, Nature Machine Intelligence 1, 2019. doi "
    "10.1038/s42256-019-0104-6"
)
_NOACK = (
    "Noack, Ahern, Dou and Li, An Empirical Study on the Relation between Network Interpretability and "
    "Adversarial Robustness, SN Computer Science 2, 2021. doi 10.1007/s42979-020-00390-x"
)
_JOO = (
    "Joo, Jeong, Heo, Weller and Moon, Towards More Robust Interpretation via Local Gradient Alignment, "
    "AAAI 2023. doi 10.1609/aaai.v37i7.25986"
)
_DONG = (
    "Dong, Bao, Su and Zhu, Towards Interpretable Deep Neural Networks by Leveraging Adversarial Examples, "
    "AAAI-19 Workshop on Network Interpretability for Deep Learning, 2019. arXiv 1901.09035"
)
_MADRY = (
    "Madry, Makelov, Schmidt, Tsipras and Vladu, Towards Deep Learning Models Resistant to Adversarial "
    "Attacks, ICLR 2018. arXiv 1706.06083"
)
_FMN = (
    "Pintor, Roli, Brendel and Biggio, Fast Minimum-norm Adversarial Attacks through Adaptive Norm "
    "Constraints, NeurIPS 2021. arXiv 2102.12827"
)
_DDN = (
    "Rony, Hafemann, Oliveira, Ben Ayed, Sabourin and Granger, Decoupling Direction and Norm for Efficient "
    "Gradient-Based L2 Adversarial Attacks and Defenses, CVPR 2019. arXiv 1811.09600"
)
_CROCE = (
    "Croce and Hein, Reliable evaluation of adversarial robustness with an ensemble of diverse "
    "parameter-free attacks, ICML 2020. arXiv 2003.01690"
)
_SMILKOV = (
    "Smilkov, Thorat, Kim, Viégas and Wattenberg, SmoothGrad: removing noise by adding noise, 2017. arXiv 1706.03825"
)
_HOOKER = (
    "Hooker, Erhan, Kindermans and Kim, A Benchmark for Interpretability Methods in Deep Neural Networks, "
    "NeurIPS 2019. arXiv 1806.10758"
)
_ADEBAYO = (
    "Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim, Sanity Checks for Saliency Maps, NeurIPS 2018. "
    "arXiv 1810.03292"
)
_ZEILER = "Zeiler and Fergus, Visualizing and understanding convolutional networks, ECCV 2014. arXiv 1311.2901"
_YEH = (
    "Yeh, Hsieh, Suggala, Inouye and Ravikumar, On the (In)fidelity and Sensitivity of Explanations, "
    "NeurIPS 2019. arXiv 1901.09392"
)
_PETSIUK = (
    "Petsiuk, Das and Saenko, RISE: randomized input sampling for explanation of black-box models, BMVC "
    "2018. arXiv 1806.07421"
)
_ARRAS = (
    "Arras, Osman and Samek, CLEVR-XAI: a benchmark dataset for the ground truth evaluation of neural "
    "network explanations, Information Fusion 81, 2022. arXiv 2003.07258"
)
_BACH = (
    "Bach, Binder, Montavon, Klauschen, Müller and Samek, On pixel-wise explanations for non-linear "
    "classifier decisions by layer-wise relevance propagation, PLoS ONE 10(7), 2015. doi "
    "10.1371/journal.pone.0130140"
)
_REFERENCES: Mapping[str, Sequence[str]] = {
    "robust": (_MADRY, _CROCE, _FMN, _DDN, _WOODS, _NOACK),
    "auto-attacked": (_CROCE,),
    "neurons": (_DONG,),
    "pgd": (_MADRY,),
    "fmn": (_FMN,),
    "ddn": (_DDN,),
    "auto-attack": (_CROCE,),
    "adversarial": (_WOODS,),
    "gradient": (
        "Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks: Visualizing Image "
        "Classification Models and Saliency Maps, ICLR workshop 2014. arXiv 1312.6034",
    ),
    "smooth": (_SMILKOV,),
    "smoothgrad": (_SMILKOV,),
    "smoothgrad-squared": (_SMILKOV, _HOOKER),
    "vargrad": (_ADEBAYO, _HOOKER),
    "integrated-gradients": (
        "Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks, ICML 2017. arXiv 1703.01365",
    ),
    "expected-gradients": (
        "Erion, Janizek, Sturmfels, Lundberg and Lee, Improving performance of deep learning models with "
        "axiomatic attribution priors and expected gradients, Nature Machine Intelligence 3, 2021. arXiv "
        "1906.10670",
    ),
    "input-times-gradient": (
        "Shrikumar, Greenside, Shcherbina and Kundaje, Not Just a Black Box: Learning Important Features "
        "Through Propagating Activation Differences, 2016. arXiv 1605.01713",
    ),
    "guided-backprop": (
        "Springenberg, Dosovitskiy, Brox and Riedmiller, Striving for simplicity: the all convolutional "
        "net, ICLR workshop 2015. arXiv 1412.6806",
    ),
    "deconvnet": (_ZEILER,),
    "occlusion": (_ZEILER,),
    "lrp": (_BACH,),
    "grad-cam": (
        "Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra, Grad-CAM: visual explanations from deep "
        "networks via gradient-based localization, ICCV 2017. arXiv 1610.02391",
    ),
    "grad-cam-plus-plus": (
        "Chattopadhay, Sarkar, Howlader and Balasubramanian, Grad-CAM++: generalized gradient-based visual "
        "explanations for deep convolutional networks, WACV 2018. arXiv 1710.11063",
    ),
    "layer-activation": (
        "Zhou, Khosla, Lapedriza, Oliva and Torralba, Learning deep features for discriminative "
        "localization, CVPR 2016. arXiv 1512.04150",
    ),
    "rise": (_PETSIUK,),
    "lime": (
        'Ribeiro, Singh and Guestrin, "Why Should I Trust You?": Explaining the Predictions of Any '
        "Classifier, KDD 2016. arXiv 1602.04938",
    ),
    "normlime": (
        "Ahern, Noack, Guzman-Nateras, Dou, Li and Huan, NormLime: A New Feature Importance Metric for "
        "Explaining Deep Neural Networks, 2019. arXiv 1909.04200",
    ),
    "insertion": (_PETSIUK,),
    "deletion": (_PETSIUK,),
    "infidelity": (_YEH,),
    "max-sensitivity": (_YEH,),
    "local-lipschitz": (
        "Alvarez-Melis and Jaakkola, On the Robustness of Interpretability Methods, 2018. arXiv 1806.08049",
    ),
    "cascading-randomization": (_ADEBAYO,),
    "label-randomization": (_ADEBAYO,),
    "class-sensitivity": (
        "Sixt, Granz and Landgraf, When explanations lie: why many modified BP attributions fail, ICML "
        "2020. arXiv 1912.09818",
    ),
    "pointing-game": (
        "Zhang, Bargal, Lin, Brandt, Shen and Sclaroff, Top-down neural attention by excitation backprop, "
        "International Journal of Computer Vision 126, 2018. arXiv 1608.00507",
    ),
    "mass-in-mask": (_ARRAS,),
    "rank-in-mask": (_ARRAS,),
    "reference-alignment": (_NOACK,),
    "image-alignment": (
        "Etmann, Lunz, Maass and Schönlieb, On the Connection Between Adversarial Robustness and Saliency "
        "Map Interpretability, ICML 2019. arXiv 1905.04172",
    ),
    "sparsity": (
        "Chalasani, Chen, Chowdhury, Jha and Wu, Concise explanations of neural networks using adversarial "
        "training, ICML 2020.",
    ),
    "gradient-bound": (_JOO,),
    "random-similarity": (_JOO,),
    "adversarial-similarity": (_JOO,),
    "adversarial-insertion": (_JOO,),
    "target-similarity": (_JOO,),
    "invalidation": (_WOODS,),
    "pixel-flipping": (_BACH,),
    "road": (
        "Rong, Leemann, Borisov, Kasneci and Kasneci, A consistent and efficient evaluation strategy for "
        "attribution methods, 2022.",
    ),
    "faithfulness-correlation": (
        "Bhatt, Weller and Moura, Evaluating and aggregating feature-based model explanations, 2020.",
    ),
}


def references(audit: Audit) -> list[str]:
    "What to cite, each once, by the first author's name."
    words = set(_words(audit.about["parts"]))
    for part in audit.sections:
        for figures in audit.found(part).figures:
            for figure in figures:
                words |= {figure.name, *figure.arguments}
    return sorted({paper for word in words for paper in _REFERENCES.get(word, ())})


def _words(settings: Any) -> Iterable[str]:
    "The names of things in settings: under `kind`, and the keys under which they are listed."
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            if name == "kind":
                yield str(value)
            elif isinstance(value, Mapping):
                yield from _words(value)
            elif isinstance(value, list):
                for entry in value:
                    yield from _words(entry)
