from .aggregation import Importance as Importance
from .aggregation import Rule as Rule
from .aggregation import Tally as Tally
from .aggregation import aggregate as aggregate
from .normlime import NormLime as NormLime
from .normlime import explainer_of as explainer_of
from .normlime import small as small
from .vocabulary import Vocabulary as Vocabulary
