"""Functions from per-image columns to numbers that know how sure they are."""

from pellucid.metrics.area import area as area
from pellucid.metrics.estimates import Estimate as Estimate
from pellucid.metrics.paired import Paired as Paired
from pellucid.metrics.paired import paired as paired
from pellucid.metrics.student import over_repeats as over_repeats
