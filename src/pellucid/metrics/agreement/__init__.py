"""How alike two maps of the same image are."""

from pellucid.metrics.agreement.cosine import Cosine as Cosine
from pellucid.metrics.agreement.pearson import Pearson as Pearson
from pellucid.metrics.agreement.planes import Scale as Scale
from pellucid.metrics.agreement.planes import Sign as Sign
from pellucid.metrics.agreement.planes import planes as planes
from pellucid.metrics.agreement.planes import scaled as scaled
from pellucid.metrics.agreement.similarity import Similarity as Similarity
from pellucid.metrics.agreement.spearman import Spearman as Spearman
from pellucid.metrics.agreement.ssim import SSIM as SSIM
from pellucid.metrics.agreement.top_k import TopK as TopK
from pellucid.registry import Registry

SIMILARITIES: Registry[type[Similarity]] = Registry(
    "similarity",
    {
        "pearson": Pearson,
        "cosine": Cosine,
        "spearman": Spearman,
        "top-k": TopK,
        "ssim": SSIM,
    },
)
