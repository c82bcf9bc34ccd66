"""Times as a person says them."""


def time_in_words(seconds: float) -> str:
    """A time no finer than it can be known beforehand.

    >>> time_in_words(0.2), time_in_words(12.4), time_in_words(200), time_in_words(9000)
    ('under a second', '12 s', '3 min', '2.5 h')
    """
    if seconds < 1:
        return "under a second"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def measured_time(seconds: float) -> str:
    """A time that was measured, which may be short.

    >>> measured_time(0.0123), measured_time(1.2)
    ('12 ms', '1 s')
    """
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else time_in_words(seconds)
