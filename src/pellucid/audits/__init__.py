"""Audits: everything that tells whether a network's decisions and explanations can be believed, in one folder."""

from pellucid.audits.auto_attacked import AutoAttacked as AutoAttacked
from pellucid.audits.carry_out import Began as Began
from pellucid.audits.carry_out import Done as Done
from pellucid.audits.carry_out import Event as Event
from pellucid.audits.carry_out import Planned as Planned
from pellucid.audits.carry_out import begin as begin
from pellucid.audits.carry_out import carry_out as carry_out
from pellucid.audits.carry_out import plan as plan
from pellucid.audits.checked import Checked as Checked
from pellucid.audits.class_maps import ClassMaps as ClassMaps
from pellucid.audits.conclusion import conclusion as conclusion
from pellucid.audits.decided import Decided as Decided
from pellucid.audits.explained import Explained as Explained
from pellucid.audits.figure import Figure as Figure
from pellucid.audits.folder import AuditFolder as AuditFolder
from pellucid.audits.folder import Outcome as Outcome
from pellucid.audits.gallery import Gallery as Gallery
from pellucid.audits.gate import Gate as Gate
from pellucid.audits.gate import gate as gate
from pellucid.audits.gate import keep as keep
from pellucid.audits.gate import kept as kept
from pellucid.audits.gradients import Gradients as Gradients
from pellucid.audits.neurons import Neurons as Neurons
from pellucid.audits.pace import Pace as Pace
from pellucid.audits.part import Announced as Announced
from pellucid.audits.part import Finding as Finding
from pellucid.audits.part import Part as Part
from pellucid.audits.part import Task as Task
from pellucid.audits.profile import Profile as Profile
from pellucid.audits.profile import chosen as chosen
from pellucid.audits.profiles import PROFILES as PROFILES
from pellucid.audits.requirement import Requirement as Requirement
from pellucid.audits.requirement import announced as announced
from pellucid.audits.requirement import announced_of as announced_of
from pellucid.audits.requirement import shortfalls as shortfalls
from pellucid.audits.robust import Robust as Robust
from pellucid.audits.short_names import letter as letter
from pellucid.audits.short_names import short_names as short_names
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
