"""Explainers: maps of which pixels a network's answer hangs on."""

from pellucid.explain.adversarial import AdversarialExplanation as AdversarialExplanation
from pellucid.explain.completeness import completeness as completeness
from pellucid.explain.deconvnet import DeconvNet as DeconvNet
from pellucid.explain.expected_gradients import ExpectedGradients as ExpectedGradients
from pellucid.explain.explainer import Explainer as Explainer
from pellucid.explain.explanation import Completeness as Completeness
from pellucid.explain.explanation import Explanation as Explanation
from pellucid.explain.explanation import Remark as Remark
from pellucid.explain.grad_cam import GradCAM as GradCAM
from pellucid.explain.grad_cam_plus_plus import GradCAMPlusPlus as GradCAMPlusPlus
from pellucid.explain.gradient import Gradient as Gradient
from pellucid.explain.guided_backprop import GuidedBackprop as GuidedBackprop
from pellucid.explain.input_times_gradient import InputTimesGradient as InputTimesGradient
from pellucid.explain.integrated_gradients import IntegratedGradients as IntegratedGradients
from pellucid.explain.layer_activation import LayerActivation as LayerActivation
from pellucid.explain.lime import Lime as Lime
from pellucid.explain.lime import Surrogates as Surrogates
from pellucid.explain.lrp import LRP as LRP
from pellucid.explain.named import chosen as chosen
from pellucid.explain.named import named as named
from pellucid.explain.normlime import NormLime as NormLime
from pellucid.explain.occlusion import Occlusion as Occlusion
from pellucid.explain.pairs import Explained as Explained
from pellucid.explain.pairs import Pair as Pair
from pellucid.explain.pairs import pair as pair
from pellucid.explain.rise import RISE as RISE
from pellucid.explain.smooth import Smooth as Smooth
from pellucid.explain.smooth_grad import SmoothGrad as SmoothGrad
from pellucid.explain.smooth_grad_squared import SmoothGradSquared as SmoothGradSquared
from pellucid.explain.var_grad import VarGrad as VarGrad
from pellucid.registry import Registry

EXPLAINERS: Registry[type[Explainer]] = Registry(
    "explainer",
    {
        "gradient": Gradient,
        "input-times-gradient": InputTimesGradient,
        "smooth": Smooth,
        "smoothgrad": SmoothGrad,
        "vargrad": VarGrad,
        "smoothgrad-squared": SmoothGradSquared,
        "integrated-gradients": IntegratedGradients,
        "expected-gradients": ExpectedGradients,
        "guided-backprop": GuidedBackprop,
        "deconvnet": DeconvNet,
        "lrp": LRP,
        "grad-cam": GradCAM,
        "grad-cam-plus-plus": GradCAMPlusPlus,
        "layer-activation": LayerActivation,
        "occlusion": Occlusion,
        "rise": RISE,
        "lime": Lime,
        "normlime": NormLime,
        "adversarial": AdversarialExplanation,
    },
)
