"""How many requests a caller may send in a minute, so that no script keeps the others waiting."""

from __future__ import annotations

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from coverage.service.problems import Refusal


class Pace:
    """Requests of the last minute by who sent them, of this process; of one event loop."""

    def __init__(self, most_per_minute: int) -> None:
        self._most = RateLimitItemPerMinute(most_per_minute)
        self._counts = MovingWindowRateLimiter(MemoryStorage())

    def require(self, who: str) -> None:
        """Count one more request. Raises `Refusal` (429) with the seconds to wait where there were too many."""
        if self._counts.hit(self._most, who):
            return
        free_at = self._counts.get_window_stats(self._most, who).reset_time
        wait_s = max(1, round(free_at - time.time()))
        raise Refusal(
            429,
            "too_fast",
            f"Quá {self._most.amount} yêu cầu trong một phút. Hãy thử lại sau {wait_s} giây.",
            f"More than {self._most.amount} requests in a minute. Try again in {wait_s} seconds.",
            {"Retry-After": str(wait_s)},
        )
