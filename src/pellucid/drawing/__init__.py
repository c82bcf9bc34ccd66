"""Pictures: of images, of maps, and sheets of many."""

from pellucid.drawing.colors import colored as colored
from pellucid.drawing.colors import plane as plane
from pellucid.drawing.colors import scaled as scaled
from pellucid.drawing.photograph import difference as difference
from pellucid.drawing.photograph import photograph as photograph
from pellucid.drawing.sheet import Cell as Cell
from pellucid.drawing.sheet import Sheet as Sheet
from pellucid.drawing.sheet import png as png
from pellucid.drawing.sheet import save as save
