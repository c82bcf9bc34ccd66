"""Explainers: maps of which pixels a network's answer hangs on."""

from pellucid.explainers.adversarial import AdversarialExplanation as AdversarialExplanation
from pellucid.explainers.completeness import completeness as completeness
from pellucid.explainers.deconvnet import DeconvNet as DeconvNet
from pellucid.explainers.expected_gradients import ExpectedGradients as ExpectedGradients
from pellucid.explainers.explainer import Explainer as Explainer
from pellucid.explainers.explaining import explain as explain
from pellucid.explainers.explanation import Completeness as Completeness
from pellucid.explainers.explanation import Explanation as Explanation
from pellucid.explainers.explanation import Remark as Remark
from pellucid.explainers.grad_cam import GradCAM as GradCAM
from pellucid.explainers.grad_cam_plus_plus import GradCAMPlusPlus as GradCAMPlusPlus
from pellucid.explainers.gradient import Gradient as Gradient
from pellucid.explainers.guided_backprop import GuidedBackprop as GuidedBackprop
from pellucid.explainers.input_times_gradient import InputTimesGradient as InputTimesGradient
from pellucid.explainers.integrated_gradients import IntegratedGradients as IntegratedGradients
from pellucid.explainers.layer_activation import LayerActivation as LayerActivation
from pellucid.explainers.lime import Lime as Lime
from pellucid.explainers.lime import Surrogates as Surrogates
from pellucid.explainers.lrp import LRP as LRP
from pellucid.explainers.named import chosen as chosen
from pellucid.explainers.named import named as named
from pellucid.explainers.normlime import NormLime as NormLime
from pellucid.explainers.occlusion import Occlusion as Occlusion
from pellucid.explainers.pairs import Explained as Explained
from pellucid.explainers.pairs import Pair as Pair
from pellucid.explainers.pairs import pair as pair
from pellucid.explainers.rise import RISE as RISE
from pellucid.explainers.smooth import Smooth as Smooth
from pellucid.explainers.smooth_grad import SmoothGrad as SmoothGrad
from pellucid.explainers.smooth_grad_squared import SmoothGradSquared as SmoothGradSquared
from pellucid.explainers.var_grad import VarGrad as VarGrad
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
