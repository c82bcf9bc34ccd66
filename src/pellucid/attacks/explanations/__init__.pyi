import pellucid.registry

from .aim import Aim as Aim
from .aim import TowardsMap as TowardsMap
from .attack import ExplanationAttack as ExplanationAttack
from .attack import Manipulated as Manipulated
from .center_of_mass import CenterOfMass as CenterOfMass
from .decorrelate import Decorrelate as Decorrelate
from .frame import Frame as Frame
from .top_k import TopK as TopK
from .towards import Towards as Towards

AIMS: pellucid.registry.Registry[type[Aim]]
