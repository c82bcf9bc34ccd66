"""How alike two maps of the same image are."""

import lazy_loader

from pellucid.registry import Registry

SIMILARITIES = Registry(
    "similarity",
    {
        "pearson": "pellucid.metrics.agreement.pearson:Pearson",
        "cosine": "pellucid.metrics.agreement.cosine:Cosine",
        "spearman": "pellucid.metrics.agreement.spearman:Spearman",
        "top-k": "pellucid.metrics.agreement.top_k:TopK",
        "ssim": "pellucid.metrics.agreement.ssim:SSIM",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
