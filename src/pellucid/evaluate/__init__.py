"""Measurements of a network, image by image, and whether to believe them."""

from pellucid.evaluate.checks import CHECKS as CHECKS
from pellucid.evaluate.checks import Verdict as Verdict
from pellucid.evaluate.decisions import Decisions as Decisions
from pellucid.evaluate.decisions import decide as decide
from pellucid.evaluate.importance import Explained as Explained
from pellucid.evaluate.importance import explain as explain
from pellucid.evaluate.importance import explain_steps as explain_steps
from pellucid.evaluate.importance_folder import ImportanceFolder as ImportanceFolder
from pellucid.evaluate.importance_table import class_maps as class_maps
from pellucid.evaluate.importance_table import missing as missing
from pellucid.evaluate.importance_table import names_of as names_of
from pellucid.evaluate.importance_table import notes_of as notes_of
from pellucid.evaluate.importance_table import shared_segments as shared_segments
from pellucid.evaluate.importance_table import write_importance as write_importance
from pellucid.evaluate.measure import Measured as Measured
from pellucid.evaluate.measure import description as description
from pellucid.evaluate.measure import measure as measure
from pellucid.evaluate.measure import measure_steps as measure_steps
from pellucid.evaluate.record import Record as Record
from pellucid.evaluate.record import worst as worst
from pellucid.evaluate.sample import sample as sample
from pellucid.evaluate.verdicts import verdicts as verdicts
