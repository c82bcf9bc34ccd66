"""What a person looks at: maps as pictures."""

from pellucid.report.class_maps import write_class_maps as write_class_maps
from pellucid.report.colours import coloured as coloured
from pellucid.report.colours import plane as plane
from pellucid.report.colours import scaled as scaled
from pellucid.report.explanations import difference as difference
from pellucid.report.explanations import photograph as photograph
from pellucid.report.explanations import write as write
from pellucid.report.sheet import Cell as Cell
from pellucid.report.sheet import Sheet as Sheet
