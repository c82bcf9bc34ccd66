"""LIME: linear models of a network around an image, fitted to what it says when parts of the image are hidden."""

from pellucid.explainers.lime.kernel import Kernel as Kernel
from pellucid.explainers.lime.lime import Lime as Lime
from pellucid.explainers.lime.regular import Grid as Grid
from pellucid.explainers.lime.regular import Pixels as Pixels
from pellucid.explainers.lime.segmentation import Segmentation as Segmentation
from pellucid.explainers.lime.sp_lime import DenseWeights as DenseWeights
from pellucid.explainers.lime.sp_lime import sp_lime as sp_lime
from pellucid.explainers.lime.sp_lime import submodular_pick as submodular_pick
from pellucid.explainers.lime.superpixels import Quickshift as Quickshift
from pellucid.explainers.lime.superpixels import Slic as Slic
from pellucid.explainers.lime.surrogates import Surrogates as Surrogates
from pellucid.explainers.lime.surrogates import TooFewMasks as TooFewMasks
from pellucid.registry import Registry

SEGMENTATIONS: Registry[type[Segmentation]] = Registry(
    "segmentation",
    {
        "slic": Slic,
        "quickshift": Quickshift,
        "grid": Grid,
        "pixels": Pixels,
    },
)
