"""Signals other than gradients, from a logit back to the pixels of one forward pass."""

from pellucid.explain.propagation.composites import COMPOSITES as COMPOSITES
from pellucid.explain.propagation.composites import Composite as Composite
from pellucid.explain.propagation.relevance import Normalising as Normalising
from pellucid.explain.propagation.relevance import Relevance as Relevance
from pellucid.explain.propagation.signals import Gated as Gated
from pellucid.explain.propagation.signals import propagated as propagated
