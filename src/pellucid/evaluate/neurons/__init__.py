"""Measuring the neurons of a network: what activates them, what attacks change, what predictions rest on."""

from pellucid.evaluate.neurons.activations import Pool as Pool
from pellucid.evaluate.neurons.activations import activations as activations
from pellucid.evaluate.neurons.attacked import attacked_activations as attacked_activations
from pellucid.evaluate.neurons.chunks import Stage as Stage
from pellucid.evaluate.neurons.differences import prediction_differences as prediction_differences
from pellucid.evaluate.neurons.examine import Examined as Examined
from pellucid.evaluate.neurons.examine import Probing as Probing
from pellucid.evaluate.neurons.examine import examine as examine
from pellucid.evaluate.neurons.findings import LayerFindings as LayerFindings
from pellucid.evaluate.neurons.findings import Which as Which
from pellucid.evaluate.neurons.findings import findings as findings
from pellucid.evaluate.neurons.support import Support as Support
from pellucid.evaluate.neurons.support import supports as supports
from pellucid.evaluate.neurons.traces import traces as traces
from pellucid.evaluate.neurons.writing import write_findings as write_findings
