"""What all tests share."""

import sys
from types import ModuleType

import pytest
from django.test import TransactionTestCase, override_settings
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


# --- Which tests run, and in which order --------------------------------------------------------

# Few tests that take long, or wait for processes: begun last, they would keep one processor busy
# while the other has nothing left to do.
LONG = {"test_machine.py", "test_nginx.py", "test_promises.py", "test_recount.py"}
LONG |= {"test_reload.py", "test_reversing.py", "test_server.py", "test_torture.py"}

# What a module imports that can reach a database.
REACHES = {"connection", "connections", "ConnectionHandler", "subprocess"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only",
        action="store_true",
        help="leave out tests that are the same whichever database DATABASE_URL names",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("database_only"):
        same = [item for item in items if not can_reach_the_database(item)]
        config.hook.pytest_deselected(items=same)
        items[:] = [item for item in items if item not in same]
    items.sort(key=lambda item: item.path.name not in LONG)


def can_reach_the_database(item: pytest.Item) -> bool:
    """Whether Django or pytest-django would let this test, or it could start a process that does.

    Whatever is in doubt can: a module that has only heard of either, or that borrows from one.
    Marked are those whose processes have a SQLite file of their own, wherever the tests run.
    """
    case, module = getattr(item, "cls", None), getattr(item, "module", None)
    if item.get_closest_marker("own_sqlite"):
        return False
    if case is None or module is None or issubclass(case, TransactionTestCase):
        return True
    return any(REACHES & vars(each).keys() for each in (module, *borrowed_from(module)))


def borrowed_from(module: ModuleType) -> set[ModuleType]:
    """The modules of ours that it imports something from, or as a whole."""
    found = {getattr(each, "__module__", None) for each in vars(module).values()}
    names = {name for name in found if isinstance(name, str)}
    names |= {each.__name__ for each in vars(module).values() if isinstance(each, ModuleType)}
    ours = ("tests.", "bench.", "torture.")
    return {sys.modules[name] for name in names if name.startswith(ours) and name in sys.modules}
