"""How often a client may ask: a bucket for each, that fills up again with time."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_CLIENTS = 10_000  # that are remembered


class Rates:
    """At most ``limit`` requests a minute from each client, of which all may come at once; 0 = any number."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client -> requests left, and when

    def wait(self, client: str) -> int:
        """Counts a request; 0 where it may pass, else after how many seconds to come again."""
        if self._limit <= 0:
            return 0
        now = self._clock()
        left, then = self._left.pop(client, (float(self._limit), now))
        left = min(float(self._limit), left + (now - then) * self._limit / 60)
        passes = left >= 1 - 1e-6  # what was told in whole seconds may fall short by a rounding
        self._left[client] = (max(0.0, left - 1) if passes else left, now)
        if len(self._left) > _MOST_CLIENTS:
            self._left.popitem(last=False)
        return 0 if passes else max(1, math.ceil((1 - left) * 60 / self._limit))


def household(address: str) -> str:
    """The address as far as one client cannot change it: of IPv6 the first half."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(found.ipv4_mapped or ipaddress.IPv6Network((found, 64), strict=False))
