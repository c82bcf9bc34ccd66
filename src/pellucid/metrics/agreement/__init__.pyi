import pellucid.registry

from .cosine import Cosine as Cosine
from .pearson import Pearson as Pearson
from .planar import Scale as Scale
from .planar import Sign as Sign
from .planar import planes as planes
from .planar import scaled as scaled
from .similarity import Similarity as Similarity
from .spearman import Spearman as Spearman
from .ssim import SSIM as SSIM
from .top_k import TopK as TopK

SIMILARITIES: pellucid.registry.Registry[type[Similarity]]
