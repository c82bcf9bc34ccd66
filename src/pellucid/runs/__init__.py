"""Runs: a specification, the folder named by its fingerprint, and carrying it out."""

from pellucid.runs.execute import Event as Event
from pellucid.runs.execute import Finished as Finished
from pellucid.runs.execute import Teaching as Teaching
from pellucid.runs.execute import build_model as build_model
from pellucid.runs.execute import execute as execute
from pellucid.runs.execute import prepare as prepare
from pellucid.runs.folder import RunFolder as RunFolder
from pellucid.runs.folder import headline as headline
from pellucid.runs.folder import runs_in as runs_in
from pellucid.runs.folder import test_accuracy as test_accuracy
from pellucid.runs.loading import load_data as load_data
from pellucid.runs.spec import DataSpec as DataSpec
from pellucid.runs.spec import ModelSpec as ModelSpec
from pellucid.runs.spec import Spec as Spec
from pellucid.runs.spec import build as build
from pellucid.runs.spec import table as table
