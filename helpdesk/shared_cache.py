"""A cache that all processes share while Redis answers; while it does not, each has its own.

Only limits are counted in it. So when Redis is away they are a little too generous, and that is
all: no page fails, and none waits for long.
"""

import logging
import time
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE = 10.0  # seconds until Redis is tried again

_away_since: float | None = None  # of this process, whichever thread noticed


class SharedCache(BaseCache):
    """The cache “shared”; “own” as long as that cannot be reached."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        return bool(self._do("add", key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._do("get", key, default, version)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        self._do("set", key, value, timeout, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._do("touch", key, timeout, version))

    def delete(self, key: Any, version: Any = None) -> bool:
        return bool(self._do("delete", key, version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Raises ValueError when there is no such key."""
        return int(self._do("incr", key, delta, version))

    def clear(self) -> None:
        self._do("clear")

    def _do(self, verb: str, *args: Any) -> Any:
        global _away_since
        if _away_since is None or time.monotonic() - _away_since > PAUSE:
            try:
                done = getattr(caches["shared"], verb)(*args)
            except (RedisError, OSError) as fault:
                if _away_since is None:
                    logger.warning("Redis is away, each process counts by itself: %s", fault)
                _away_since = time.monotonic()
            else:
                if _away_since is not None:
                    logger.warning("Redis is back.")
                _away_since = None
                return done
        return getattr(caches["own"], verb)(*args)
