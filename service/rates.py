"""How often somebody may ask: moving windows in the memory of this process.

The window that `limits` brings for one process keeps the key of every caller for good and counts by a
clock that can be set; this one forgets whom it has not seen for longest, and its clock only goes forward.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from limits import RateLimitItem
from limits.storage import Storage
from limits.storage.base import MovingWindowSupport
from limits.strategies import MovingWindowRateLimiter

from nlp.errors import InputError


class TooManyRequests(InputError):  # noqa: N818 - the HTTP status has this name
    """The caller has asked too often; `headers` say when to come again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many requests; come again in {wait_s} s")
        self.headers = {"retry-after": str(wait_s)}


def address_key(host: str | None) -> str:
    """One caller for each address; of IPv6 for each /64, as whoever has one address has them all."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return "address:unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return f"address:{ip_network((int(address), 64), strict=False).network_address}"
        address = address.ipv4_mapped
    return f"address:{address}"


class Window(Storage, MovingWindowSupport):
    """When each caller asked lately, of a bounded number of callers and moments."""

    STORAGE_SCHEME = None

    def __init__(
        self,
        *,
        max_keys: int = 20_000,
        max_moments: int = 500_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()
        self._n_moments = 0
        self._max_keys, self._max_moments = max_keys, max_moments
        self._lock = threading.Lock()
        self.clock = clock

    def __len__(self) -> int:
        return self._n_moments

    @property
    def base_exceptions(self) -> type[Exception]:
        """What using the memory can raise: nothing of its own."""
        return MemoryError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` more of a caller, if as many are left."""
        with self._lock:
            own = self._recent(key, expiry=expiry)
            if len(own) + amount > limit:
                return False
            own.extend([self.clock()] * amount)
            self._n_moments += amount
            self._moments[key] = own
            self._moments.move_to_end(key)
            self._forget()
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The oldest moment of a caller that still counts, and how many do."""
        with self._lock:
            own = self._recent(key, expiry=expiry)
            return (own[0] if own else self.clock()), len(own)

    def take_back(self, key: str) -> None:
        """Forget the last moment of a caller."""
        with self._lock:
            own = self._moments.get(key)
            if own:
                own.pop()
                self._n_moments -= 1

    def clear(self, key: str) -> None:
        """Forget one caller."""
        with self._lock:
            self._n_moments -= len(self._moments.pop(key, ()))

    def reset(self) -> int | None:
        """Forget every caller."""
        with self._lock:
            n_keys, self._n_moments = len(self._moments), 0
            self._moments.clear()
            return n_keys

    def get(self, key: str) -> int:
        """How many moments of a caller are kept."""
        return len(self._moments.get(key, ()))

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Part of other strategies than the moving window."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Part of other strategies than the moving window."""
        raise NotImplementedError

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def _recent(self, key: str, *, expiry: int) -> deque[float]:
        own = self._moments.get(key, deque())
        begins = self.clock() - expiry
        while own and own[0] <= begins:
            own.popleft()
            self._n_moments -= 1
        return own

    def _forget(self) -> None:
        while len(self._moments) > self._max_keys or self._n_moments > self._max_moments:
            _, moments = self._moments.popitem(last=False)
            self._n_moments -= len(moments)


@dataclass(frozen=True, slots=True)
class Rates:
    """How often one caller may ask, and how often one may fail to sign in."""

    asking: RateLimitItem
    signing_in: RateLimitItem
    window: Window = field(default_factory=Window)

    def count(self, key: str, *, cost: int = 1) -> None:
        """Count a request of this caller; a dear one counts for several.

        Raises:
            TooManyRequests: it is one too many.
        """
        self._take(self.asking, key, cost=cost)

    def attempt(self, keys: Sequence[str]) -> Callable[[], None]:
        """Count an attempt to sign in for each key; call what is given back when it succeeded.

        So the thirty people behind one address may all come at eight, and one who guesses may not.

        Raises:
            TooManyRequests: too many have failed of late.
        """
        counted = [f"sign-in/{key}" for key in keys]
        for key in counted:
            self._take(self.signing_in, key, cost=1)

        def forgive() -> None:
            for key in counted:
                self.window.take_back(self.signing_in.key_for(key))

        return forgive

    def _take(self, rate: RateLimitItem, key: str, *, cost: int) -> None:
        limiter = MovingWindowRateLimiter(self.window)
        if not limiter.hit(rate, key, cost=min(cost, rate.amount)):
            wait_s = limiter.get_window_stats(rate, key).reset_time - self.window.clock()
            raise TooManyRequests(max(1, ceil(wait_s)))
