import pellucid.registry

from .applicable.part import Applicable as Applicable
from .auditing import Listener as Listener
from .auditing import audit as audit
from .auto_attacked.part import AutoAttacked as AutoAttacked
from .carrying_out import Began as Began
from .carrying_out import Done as Done
from .carrying_out import Event as Event
from .carrying_out import Lightened as Lightened
from .carrying_out import Waiting as Waiting
from .carrying_out import begin as begin
from .carrying_out import carry_out as carry_out
from .checked.part import Checked as Checked
from .class_maps.part import ClassMaps as ClassMaps
from .concluding import Audited as Audited
from .concluding import conclusion as conclusion
from .concluding import reported as reported
from .decided.part import Decided as Decided
from .explained.part import Explained as Explained
from .finding import Figure as Figure
from .finding import Finding as Finding
from .folder import AuditFolder as AuditFolder
from .folder import Outcome as Outcome
from .gallery.part import Gallery as Gallery
from .gating import Gate as Gate
from .gating import gate as gate
from .gating import read_gate as read_gate
from .gating import write_gate as write_gate
from .gradients.part import Gradients as Gradients
from .neurons.part import Neurons as Neurons
from .part import Announced as Announced
from .part import Part as Part
from .part import Task as Task
from .planning import Pace as Pace
from .planning import Planned as Planned
from .planning import plan as plan
from .profile import Profile as Profile
from .profile import chosen as chosen
from .requirement import Required as Required
from .requirement import Requirement as Requirement
from .requirement import announced as announced
from .requirement import announced_of as announced_of
from .requirement import shortfalls as shortfalls
from .robust.part import Robust as Robust
from .section import Found as Found
from .section import Headline as Headline
from .section import Section as Section
from .sharing import Sharing as Sharing

PARTS: pellucid.registry.Registry[type[Part]]
PROFILES: pellucid.registry.Registry[Profile]
