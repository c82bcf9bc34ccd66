"""Explainers: maps of which pixels a network's answer hangs on."""

import lazy_loader

from pellucid.registry import Registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

EXPLAINERS = Registry(
    "explainer",
    {
        "gradient": "pellucid.explainers.gradient:Gradient",
        "input-times-gradient": "pellucid.explainers.input_times_gradient:InputTimesGradient",
        "smooth": "pellucid.explainers.smooth:Smooth",
        "smoothgrad": "pellucid.explainers.smooth:SmoothGrad",
        "vargrad": "pellucid.explainers.smooth:VarGrad",
        "smoothgrad-squared": "pellucid.explainers.smooth:SmoothGradSquared",
        "integrated-gradients": "pellucid.explainers.integrated_gradients:IntegratedGradients",
        "expected-gradients": "pellucid.explainers.expected_gradients:ExpectedGradients",
        "guided-backprop": "pellucid.explainers.guided_backprop:GuidedBackprop",
        "deconvnet": "pellucid.explainers.deconvnet:DeconvNet",
        "lrp": "pellucid.explainers.lrp:LRP",
        "grad-cam": "pellucid.explainers.grad_cam:GradCAM",
        "grad-cam-plus-plus": "pellucid.explainers.grad_cam_plus_plus:GradCAMPlusPlus",
        "layer-activation": "pellucid.explainers.layer_activation:LayerActivation",
        "attention-rollout": "pellucid.explainers.attention_rollout:AttentionRollout",
        "attention-relevance": "pellucid.explainers.attention_relevance:AttentionRelevance",
        "occlusion": "pellucid.explainers.occlusion:Occlusion",
        "rise": "pellucid.explainers.rise:RISE",
        "lime": "pellucid.explainers.lime.lime:Lime",
        "normlime": "pellucid.explainers.normlime.normlime:NormLime",
        "adversarial": "pellucid.explainers.adversarial:AdversarialExplanation",
    },
)
