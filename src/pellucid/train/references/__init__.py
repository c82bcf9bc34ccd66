"""Reference maps: making them, keeping them, and what a network's gradients may be asked to resemble."""

from pellucid.registry import Registry
from pellucid.train.references.making import Mapped as Mapped
from pellucid.train.references.making import make as make
from pellucid.train.references.making import make_steps as make_steps
from pellucid.train.references.map_folder import MapFolder as MapFolder
from pellucid.train.references.masks import Masks as Masks
from pellucid.train.references.random_maps import RandomMaps as RandomMaps
from pellucid.train.references.reference import Reference as Reference
from pellucid.train.references.stored import Stored as Stored
from pellucid.train.references.taught import Taught as Taught
from pellucid.train.references.treatment import permuted as permuted
from pellucid.train.references.treatment import thresholded as thresholded

REFERENCES: Registry[type[Reference]] = Registry(
    "reference", {"stored": Stored, "taught": Taught, "masks": Masks, "random-maps": RandomMaps}
)
