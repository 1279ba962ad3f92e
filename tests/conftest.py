"""What all tests share."""

import pytest
from django.test import override_settings


@pytest.fixture(autouse=True, scope="session")
def _fast_and_plain() -> object:
    """Cheap password hashing and static files without a build: neither is under test here."""
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STORAGES={
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        },
    ):
        yield
