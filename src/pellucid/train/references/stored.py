"""Maps that lie in a folder."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from jaxtyping import Float
from torch import Tensor

from pellucid.data import Split
from pellucid.train.references.map_folder import MapFolder
from pellucid.train.references.reference import Reference, matching
from pellucid.train.references.treatment import check_treatment, treated


@final
@dataclass(frozen=True)
class Stored(Reference):
    """Maps that `pellucid references` made, from the folder `path`.

    With a `threshold`, entries within so many standard deviations of their map's mean become zero; 0 keeps them all.
    `permute` first shuffles that share of each map's entries among themselves, which spoils a reference by degrees.
    """

    path: str = field(metadata={"identity": False})
    threshold: float = 0.0
    permute: float = 0.0
    fingerprint: str = ""

    def __post_init__(self) -> None:
        check_treatment(self.threshold, self.permute, "Stored")

    def maps(self, split: Split, seed: int = 0) -> Float[Tensor, "n *shape"]:
        """The maps; where nothing is done to them, they stay on the disk until they are read."""
        folder = MapFolder.open(Path(self.path))
        folder.check(split)
        return treated(folder.load(), threshold=self.threshold, permute=self.permute, seed=seed)

    def identified(self, split: Split) -> "Stored":
        """The same source with the fingerprint of its maps, wherever they lie."""
        folder = MapFolder.open(Path(self.path))
        folder.check(split)
        return replace(self, fingerprint=matching(self.fingerprint, folder.fingerprint, f"the maps in '{self.path}'"))
