"""LIME: linear models of a network around an image, fitted to what it says when parts of the image are hidden."""

from pellucid.explain.lime.kernel import Kernel as Kernel
from pellucid.explain.lime.lime import Lime as Lime
from pellucid.explain.lime.regular import Grid as Grid
from pellucid.explain.lime.regular import Pixels as Pixels
from pellucid.explain.lime.segmentation import Segmentation as Segmentation
from pellucid.explain.lime.sp_lime import DenseWeights as DenseWeights
from pellucid.explain.lime.sp_lime import sp_lime as sp_lime
from pellucid.explain.lime.sp_lime import submodular_pick as submodular_pick
from pellucid.explain.lime.superpixels import Quickshift as Quickshift
from pellucid.explain.lime.superpixels import Slic as Slic
from pellucid.explain.lime.surrogates import Surrogates as Surrogates
from pellucid.explain.lime.surrogates import TooFewMasks as TooFewMasks
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
