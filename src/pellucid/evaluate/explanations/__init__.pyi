import pellucid.registry

from .adversarial_insertion import AdversarialInsertion as AdversarialInsertion
from .adversarial_similarity import AdversarialSimilarity as AdversarialSimilarity
from .by_name import metrics_named as metrics_named
from .cascading_randomization import CascadingRandomization as CascadingRandomization
from .case import Case as Case
from .class_sensitivity import ClassSensitivity as ClassSensitivity
from .deletion import Deletion as Deletion
from .faithfulness_correlation import FaithfulnessCorrelation as FaithfulnessCorrelation
from .gradient_bound import GradientBound as GradientBound
from .image_alignment import ImageAlignment as ImageAlignment
from .infidelity import Infidelity as Infidelity
from .insertion import Insertion as Insertion
from .invalidation import Invalidation as Invalidation
from .judging import Judged as Judged
from .judging import judge as judge
from .judging import judging_description as judging_description
from .label_randomization import LabelRandomization as LabelRandomization
from .local_lipschitz import LocalLipschitz as LocalLipschitz
from .mass_in_mask import MassInMask as MassInMask
from .max_sensitivity import MaxSensitivity as MaxSensitivity
from .metric import Columns as Columns
from .metric import Metric as Metric
from .metric import Scores as Scores
from .passes import Passes as Passes
from .passes import counted as counted
from .pixel_flipping import PixelFlipping as PixelFlipping
from .pointing_game import PointingGame as PointingGame
from .random_similarity import RandomSimilarity as RandomSimilarity
from .rank_in_mask import RankInMask as RankInMask
from .reference_alignment import ReferenceAlignment as ReferenceAlignment
from .road import ROAD as ROAD
from .sparsity import Sparsity as Sparsity
from .target_similarity import TargetSimilarity as TargetSimilarity

METRICS: pellucid.registry.Registry[type[Metric]]
