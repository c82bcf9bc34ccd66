import pellucid.registry

from .grid import Grid as Grid
from .lime import Lime as Lime
from .picks import DenseWeights as DenseWeights
from .picks import sp_lime as sp_lime
from .picks import submodular_pick as submodular_pick
from .pixels import Pixels as Pixels
from .quickshift import Quickshift as Quickshift
from .sampling import Kernel as Kernel
from .segmentation import Segmentation as Segmentation
from .slic import Slic as Slic
from .surrogates import Surrogates as Surrogates
from .surrogates import TooFewMasks as TooFewMasks

SEGMENTATIONS: pellucid.registry.Registry[type[Segmentation]]
