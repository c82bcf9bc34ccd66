import collections.abc

import pellucid.registry

from .adding_up import completeness as completeness
from .adversarial import AdversarialExplanation as AdversarialExplanation
from .attention_relevance import AttentionRelevance as AttentionRelevance
from .attention_rollout import AttentionRollout as AttentionRollout
from .by_name import chosen as chosen
from .by_name import named as named
from .deconvnet import DeconvNet as DeconvNet
from .expected_gradients import ExpectedGradients as ExpectedGradients
from .explainer import Explainer as Explainer
from .explaining import explain as explain
from .explanation import Completeness as Completeness
from .explanation import Explanation as Explanation
from .explanation import Remark as Remark
from .grad_cam import GradCAM as GradCAM
from .grad_cam_plus_plus import GradCAMPlusPlus as GradCAMPlusPlus
from .gradient import Gradient as Gradient
from .guided_backprop import GuidedBackprop as GuidedBackprop
from .input_times_gradient import InputTimesGradient as InputTimesGradient
from .integrated_gradients import IntegratedGradients as IntegratedGradients
from .layer_activation import LayerActivation as LayerActivation
from .lime import Lime as Lime
from .lime import Surrogates as Surrogates
from .lrp import LRP as LRP
from .normlime import NormLime as NormLime
from .occlusion import Occlusion as Occlusion
from .pairs import ExplainedAnswer as ExplainedAnswer
from .pairs import Pair as Pair
from .pairs import pair as pair
from .rise import RISE as RISE
from .smooth import Smooth as Smooth
from .smooth import SmoothGrad as SmoothGrad
from .smooth import SmoothGradSquared as SmoothGradSquared
from .smooth import VarGrad as VarGrad

EXPLAINERS: pellucid.registry.Registry[collections.abc.Callable[..., Explainer]]
