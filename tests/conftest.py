"""What all tests share."""

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, settings

from troubleshooter.models import sisters

# No test fails because the machine is busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True, scope="session")
def _fast_and_plain() -> object:
    """Cheap password hashing, static files without a build, and no page that may be a second late:
    none of it is under test here."""
    sisters.FRESH = 0.0
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STORAGES={
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        },
    ):
        yield


# --- In which order tests run -------------------------------------------------------------------

# Few tests that take long, or wait for processes: begun last, they would keep one processor busy
# while the other has nothing left to do.
LONG = {"test_machine.py", "test_nginx.py", "test_promises.py", "test_recount.py"}
LONG |= {"test_reload.py", "test_reversing.py", "test_server.py", "test_torture.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)
