"""Limits that all processes share, and that hold, a little less strictly, while Redis is away."""

import logging
import socket
import time
import uuid
from unittest import SkipTest
from unittest.mock import patch

from django.core.cache import caches
from django.test import RequestFactory, SimpleTestCase, override_settings
from redis.exceptions import RedisError

from helpdesk import shared_cache
from troubleshooter.web import within_limit

REDIS = "redis://127.0.0.1:6379/0"
LOCAL = "django.core.cache.backends.locmem.LocMemCache"


def here(url: str) -> dict[str, object]:
    return {
        "default": {"BACKEND": "helpdesk.shared_cache.SharedCache"},
        "shared": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "KEY_PREFIX": f"helpdesk-test-{uuid.uuid4().hex}",
            "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25},
        },
        "own": {"BACKEND": LOCAL, "LOCATION": uuid.uuid4().hex},
    }


class SharedCacheTestCase(SimpleTestCase):
    def setUp(self) -> None:
        self.enterContext(patch.object(shared_cache, "_away_since", None))

    def limited(self, most: int = 2) -> bool:
        return within_limit(RequestFactory().get("/"), "test", most)


class AwayTests(SharedCacheTestCase):
    def setUp(self) -> None:
        super().setUp()
        with socket.socket() as probe:  # nobody listens there
            probe.bind(("127.0.0.1", 0))
            url = f"redis://:secret-password@127.0.0.1:{probe.getsockname()[1]}/0"
        self.enterContext(override_settings(CACHES=here(url)))

    def test_limits_hold_in_the_process_and_it_is_said_once(self) -> None:
        with self.assertLogs(shared_cache.logger, "WARNING") as logged:
            within = [self.limited() for _nth in range(4)]
        self.assertEqual(within, [True, True, False, False])
        [line] = logged.output
        self.assertIn("Redis is away, each process counts by itself", line)
        self.assertNotIn("secret-password", line)

    def test_nobody_waits_for_it_at_each_request(self) -> None:
        logging.disable()
        self.addCleanup(logging.disable, logging.NOTSET)
        self.limited()
        with patch.object(caches["shared"], "add") as add:
            self.limited()
        add.assert_not_called()

    def test_when_it_is_back_it_is_used_and_that_is_said(self) -> None:
        with self.assertLogs(shared_cache.logger, "WARNING") as logged:
            self.limited()
            later = time.monotonic() + shared_cache.PAUSE + 1
            with (
                patch("helpdesk.shared_cache.time.monotonic", return_value=later),
                patch.object(caches["shared"], "add", return_value=True) as add,
            ):
                self.assertTrue(self.limited())
        add.assert_called_once()
        self.assertIn("Redis is back.", logged.output[-1])

    def test_every_verb_falls_back(self) -> None:
        cache = caches["default"]
        logging.disable()
        self.addCleanup(logging.disable, logging.NOTSET)
        cache.set("a", 1, 60)
        self.assertEqual((cache.get("a"), cache.incr("a"), cache.get("b", 7)), (1, 2, 7))
        self.assertEqual(
            (cache.touch("a", 60), cache.delete("a"), cache.get("a")), (True, True, None)
        )
        cache.set("a", 1)
        cache.clear()
        self.assertIsNone(cache.get("a"))
        with self.assertRaises(ValueError):
            cache.incr("a")


class RedisTests(SharedCacheTestCase):
    """With a real Redis; without one on this machine the tests are skipped."""

    def setUp(self) -> None:
        super().setUp()
        self.caches = here(REDIS)
        self.enterContext(override_settings(CACHES=self.caches))
        try:
            caches["shared"].get("x")
        except (RedisError, OSError) as fault:
            raise SkipTest("SKIPPED, no Redis on 127.0.0.1:6379.") from fault
        self.addCleanup(self.close)

    def close(self) -> None:
        for pool in caches["shared"]._cache._pools.values():  # type: ignore[attr-defined]
            pool.disconnect()

    def test_two_processes_share_one_limit(self) -> None:
        within = [self.limited(3) for _nth in range(2)]
        own = {"BACKEND": LOCAL, "LOCATION": uuid.uuid4().hex}  # of the other process
        with override_settings(CACHES=self.caches | {"own": own}):
            within += [self.limited(3) for _nth in range(2)]
        self.assertEqual(within, [True, True, True, False])

    def test_a_limit_ends_with_its_time(self) -> None:
        caches["default"].add("limit", 1, 60)
        caches["default"].incr("limit")
        key = caches["shared"].make_and_validate_key("limit")
        left = caches["shared"]._cache.get_client(key).ttl(key)  # type: ignore[attr-defined]
        self.assertTrue(0 < left <= 60, left)
        caches["default"].delete("limit")
        self.assertTrue(caches["default"].add("limit", 1, 60))
        caches["default"].delete("limit")
