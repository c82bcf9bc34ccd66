from . import layout as layout
from . import processes as processes
from .layout import channels_first as channels_first
from .layout import channels_last as channels_last
from .second_order import fast_second_order as fast_second_order
