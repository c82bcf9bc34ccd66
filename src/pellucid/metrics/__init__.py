"""Functions from per-image columns to numbers that know how sure they are."""

from pellucid.metrics.area import area as area
from pellucid.metrics.estimates import Estimate as Estimate
