"""Who may ask the page, how much, and how often."""

import ipaddress
import socket
import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

LARGEST_FILE = 25 * 2**20
"""Bytes of a picture."""

LARGEST_PICTURE = 50_000_000
"""Pixels of a picture; a file of a few bytes can unfold to many."""

PER_MINUTE = 60
"""Pictures that one address may ask about in a minute."""


def is_own_host(header: str, host: str) -> bool:
    """Whether a request's Host header names this machine.

    Another site can make its own name lead to this machine's address, and so let its scripts ask the page as if it were
    theirs (DNS rebinding); the header then has that name. An address cannot be given another meaning.

    Args:
        header: `name`, `name:port`, or `[address]:port`.
        host: What the page was told to listen on.
    """
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in ("localhost", host.lower(), socket.gethostname().lower())
    return True


def is_own_page(origin: str | None, header: str) -> bool:
    """Whether a request comes from the page itself, or from no page at all."""
    return origin is None or urlsplit(origin).netloc == header


class Rate:
    """Counts what each address asks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def allows(self, address: str) -> bool:
        """Note one more request of an address, unless it had `PER_MINUTE` within the last minute."""
        now = self._clock()
        for known in list(self._times):
            times = self._times[known]
            while times and times[0] <= now - 60:
                times.popleft()
            if not times:
                del self._times[known]
        times = self._times.setdefault(address, deque())
        if len(times) >= PER_MINUTE:
            return False
        times.append(now)
        return True
