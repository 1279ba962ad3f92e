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
