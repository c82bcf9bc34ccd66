import pellucid.registry

from .edges import Edges as Edges
from .making import make as make
from .making import make_steps as make_steps
from .map_folder import MapFolder as MapFolder
from .masks import Masks as Masks
from .random_maps import RandomMaps as RandomMaps
from .reference import Reference as Reference
from .stored import Stored as Stored
from .taught import Taught as Taught
from .treatment import permuted as permuted
from .treatment import thresholded as thresholded

REFERENCES: pellucid.registry.Registry[type[Reference]]
