"""Networks from images in [0, 1] to logits, and the one door through which trained ones come in."""

import lazy_loader

from pellucid.registry import Registry

MODELS = Registry(
    "model",
    {
        "mlp": "pellucid.models.mlp:mlp",
        "lenet": "pellucid.models.lenet:lenet",
        "lenet-joo2023": "pellucid.models.lenet_joo2023:lenet_joo2023",
        "simple-cnn": "pellucid.models.simple_cnn:simple_cnn",
        "resnet18": "pellucid.models.resnet18:resnet18",
        "preact-resnet44": "pellucid.models.preact_resnet44:preact_resnet44",
        "wide-resnet-28-10": "pellucid.models.wide_resnet_28_10:wide_resnet_28_10",
        "vit": "pellucid.models.vit:vit",
        "alexnet": "pellucid.models.alexnet:alexnet",
        "vgg16": "pellucid.models.vgg16:vgg16",
    },
)

ACTIVATIONS = Registry(
    "activation",
    {
        "relu": "torch.nn.modules.activation:ReLU",
        "softplus": "torch.nn.modules.activation:Softplus",
        "half-huber": "pellucid.models.half_huber:HalfHuber",
        "gelu": "torch.nn.modules.activation:GELU",
        "silu": "torch.nn.modules.activation:SiLU",
        "elu": "torch.nn.modules.activation:ELU",
        "tanh": "torch.nn.modules.activation:Tanh",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
