"""How important features are to a class, put together from the explanations of many images."""

from pellucid.explainers.normlime.aggregate import Importance as Importance
from pellucid.explainers.normlime.aggregate import Rule as Rule
from pellucid.explainers.normlime.aggregate import Tally as Tally
from pellucid.explainers.normlime.aggregate import aggregate as aggregate
from pellucid.explainers.normlime.normlime import NormLime as NormLime
from pellucid.explainers.normlime.normlime import explainer_of as explainer_of
from pellucid.explainers.normlime.normlime import small as small
from pellucid.explainers.normlime.vocabulary import Vocabulary as Vocabulary
