"""How important features are to a class, put together from the explanations of many images."""

from pellucid.explain.normlime.aggregate import Importance as Importance
from pellucid.explain.normlime.aggregate import Rule as Rule
from pellucid.explain.normlime.aggregate import Tally as Tally
from pellucid.explain.normlime.aggregate import aggregate as aggregate
from pellucid.explain.normlime.normlime import NormLime as NormLime
from pellucid.explain.normlime.normlime import explainer_of as explainer_of
from pellucid.explain.normlime.normlime import small as small
from pellucid.explain.normlime.vocabulary import Vocabulary as Vocabulary
