"""Audits: everything that tells whether a network's decisions and explanations can be believed, in one folder."""

from pellucid.audit.auto_attacked import AutoAttacked as AutoAttacked
from pellucid.audit.carry_out import Began as Began
from pellucid.audit.carry_out import Done as Done
from pellucid.audit.carry_out import Event as Event
from pellucid.audit.carry_out import Planned as Planned
from pellucid.audit.carry_out import begin as begin
from pellucid.audit.carry_out import carry_out as carry_out
from pellucid.audit.carry_out import plan as plan
from pellucid.audit.checked import Checked as Checked
from pellucid.audit.class_maps import ClassMaps as ClassMaps
from pellucid.audit.conclusion import conclusion as conclusion
from pellucid.audit.decided import Decided as Decided
from pellucid.audit.explained import Explained as Explained
from pellucid.audit.figure import Figure as Figure
from pellucid.audit.folder import AuditFolder as AuditFolder
from pellucid.audit.folder import Outcome as Outcome
from pellucid.audit.gallery import Gallery as Gallery
from pellucid.audit.gate import Gate as Gate
from pellucid.audit.gate import gate as gate
from pellucid.audit.gate import keep as keep
from pellucid.audit.gate import kept as kept
from pellucid.audit.gradients import Gradients as Gradients
from pellucid.audit.neurons import Neurons as Neurons
from pellucid.audit.pace import Pace as Pace
from pellucid.audit.part import Announced as Announced
from pellucid.audit.part import Finding as Finding
from pellucid.audit.part import Part as Part
from pellucid.audit.part import Task as Task
from pellucid.audit.profile import Profile as Profile
from pellucid.audit.profile import chosen as chosen
from pellucid.audit.profiles import PROFILES as PROFILES
from pellucid.audit.requirement import Requirement as Requirement
from pellucid.audit.requirement import announced as announced
from pellucid.audit.requirement import announced_of as announced_of
from pellucid.audit.requirement import shortfalls as shortfalls
from pellucid.audit.robust import Robust as Robust
from pellucid.audit.short_names import letter as letter
from pellucid.audit.short_names import short_names as short_names
from pellucid.registry import Registry

PARTS: Registry[type[Part]] = Registry(
    "part",
    {
        "decided": Decided,
        "robust": Robust,
        "auto-attacked": AutoAttacked,
        "checked": Checked,
        "explained": Explained,
        "gradients": Gradients,
        "neurons": Neurons,
        "gallery": Gallery,
        "class-maps": ClassMaps,
    },
)
