"""The time zones that this machine knows."""

import functools
import zoneinfo


@functools.cache
def names() -> frozenset[str]:
    """Names of all of them; found once, because the search reads hundreds of files."""
    return frozenset(zoneinfo.available_timezones())
