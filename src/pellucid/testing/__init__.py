"""Conformance suites: what every entry must pass, written once. Authors of plug-ins subclass them in their tests."""

from pellucid.testing.attacks import AttackConformance as AttackConformance
from pellucid.testing.explainers import ExplainerConformance as ExplainerConformance
from pellucid.testing.metrics import MetricConformance as MetricConformance
from pellucid.testing.terms import TermConformance as TermConformance
