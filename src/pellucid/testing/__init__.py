"""Conformance suites: what every entry must pass, written once. Authors of plug-ins subclass them in their tests.

A suite tries its entry on a small smooth network. Where the entry works on networks of one kind only, the subclass
overrides `network`; see `pellucid.testing.suite.Suite`.
"""

from pellucid.testing.attacks import AttackConformance as AttackConformance
from pellucid.testing.explainers import ExplainerConformance as ExplainerConformance
from pellucid.testing.metrics import MetricConformance as MetricConformance
from pellucid.testing.terms import TermConformance as TermConformance
