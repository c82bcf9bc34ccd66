"""Metrics of explanations: whether to believe them."""

from pellucid.evaluate.explanations.adversarial_insertion import AdversarialInsertion as AdversarialInsertion
from pellucid.evaluate.explanations.adversarial_similarity import AdversarialSimilarity as AdversarialSimilarity
from pellucid.evaluate.explanations.cascading_randomization import CascadingRandomization as CascadingRandomization
from pellucid.evaluate.explanations.case import Case as Case
from pellucid.evaluate.explanations.class_sensitivity import ClassSensitivity as ClassSensitivity
from pellucid.evaluate.explanations.deletion import Deletion as Deletion
from pellucid.evaluate.explanations.faithfulness_correlation import FaithfulnessCorrelation as FaithfulnessCorrelation
from pellucid.evaluate.explanations.gradient_bound import GradientBound as GradientBound
from pellucid.evaluate.explanations.image_alignment import ImageAlignment as ImageAlignment
from pellucid.evaluate.explanations.infidelity import Infidelity as Infidelity
from pellucid.evaluate.explanations.insertion import Insertion as Insertion
from pellucid.evaluate.explanations.invalidation import Invalidation as Invalidation
from pellucid.evaluate.explanations.judged import Judged as Judged
from pellucid.evaluate.explanations.judged import Judging as Judging
from pellucid.evaluate.explanations.judged import judge as judge
from pellucid.evaluate.explanations.judged import judge_steps as judge_steps
from pellucid.evaluate.explanations.judged import judging_description as judging_description
from pellucid.evaluate.explanations.label_randomization import LabelRandomization as LabelRandomization
from pellucid.evaluate.explanations.local_lipschitz import LocalLipschitz as LocalLipschitz
from pellucid.evaluate.explanations.mass_in_mask import MassInMask as MassInMask
from pellucid.evaluate.explanations.max_sensitivity import MaxSensitivity as MaxSensitivity
from pellucid.evaluate.explanations.metric import Columns as Columns
from pellucid.evaluate.explanations.metric import Metric as Metric
from pellucid.evaluate.explanations.metric import Scores as Scores
from pellucid.evaluate.explanations.named import asked as asked
from pellucid.evaluate.explanations.named import named as named
from pellucid.evaluate.explanations.passes import Passes as Passes
from pellucid.evaluate.explanations.passes import counted as counted
from pellucid.evaluate.explanations.pixel_flipping import PixelFlipping as PixelFlipping
from pellucid.evaluate.explanations.pointing_game import PointingGame as PointingGame
from pellucid.evaluate.explanations.random_similarity import RandomSimilarity as RandomSimilarity
from pellucid.evaluate.explanations.rank_in_mask import RankInMask as RankInMask
from pellucid.evaluate.explanations.reference_alignment import ReferenceAlignment as ReferenceAlignment
from pellucid.evaluate.explanations.road import ROAD as ROAD
from pellucid.evaluate.explanations.sparsity import Sparsity as Sparsity
from pellucid.evaluate.explanations.target_similarity import TargetSimilarity as TargetSimilarity
from pellucid.metrics.agreement.planes import Sign as Sign
from pellucid.metrics.agreement.planes import planes as planes
from pellucid.registry import Registry

METRICS: Registry[type[Metric]] = Registry(
    "metric",
    {
        "sparsity": Sparsity,
        "random-similarity": RandomSimilarity,
        "max-sensitivity": MaxSensitivity,
        "local-lipschitz": LocalLipschitz,
        "reference-alignment": ReferenceAlignment,
        "image-alignment": ImageAlignment,
        "gradient-bound": GradientBound,
        "insertion": Insertion,
        "cascading-randomization": CascadingRandomization,
        "label-randomization": LabelRandomization,
        "class-sensitivity": ClassSensitivity,
        "pointing-game": PointingGame,
        "mass-in-mask": MassInMask,
        "rank-in-mask": RankInMask,
        "deletion": Deletion,
        "pixel-flipping": PixelFlipping,
        "infidelity": Infidelity,
        "road": ROAD,
        "faithfulness-correlation": FaithfulnessCorrelation,
        "adversarial-similarity": AdversarialSimilarity,
        "target-similarity": TargetSimilarity,
        "adversarial-insertion": AdversarialInsertion,
        "invalidation": Invalidation,
    },
)
