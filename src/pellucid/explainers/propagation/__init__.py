"""Signals other than gradients, from a logit back to the pixels of one forward pass."""

from pellucid.explainers.propagation.composites import COMPOSITES as COMPOSITES
from pellucid.explainers.propagation.composites import Composite as Composite
from pellucid.explainers.propagation.relevance import Normalizing as Normalizing
from pellucid.explainers.propagation.relevance import Relevance as Relevance
from pellucid.explainers.propagation.signals import Gated as Gated
from pellucid.explainers.propagation.signals import propagated as propagated
