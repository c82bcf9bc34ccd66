from .areas import area as area
from .estimates import Estimate as Estimate
from .pairing import Paired as Paired
from .pairing import paired as paired
from .student import over_repeats as over_repeats
from .verdict import Verdict as Verdict
