"""Functions from per-image columns to numbers that know how sure they are."""

from pellucid.metrics.estimates import Estimate as Estimate
