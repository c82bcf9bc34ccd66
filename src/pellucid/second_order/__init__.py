"""Operations whose second derivatives cost what counting passes says they should."""

from pellucid.second_order.mode import fast_second_order

__all__ = ["fast_second_order"]
