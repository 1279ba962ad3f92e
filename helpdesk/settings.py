"""One file of settings. Every difference between two installations is an environment variable;
defaults are safe on a laptop, and a value that cannot be right is refused with a sentence.

docs/operators.md lists the variables.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

T = TypeVar("T")

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()  # NAME_FILE=/run/secrets/name works in place of NAME


def setting(name: str, default: T, cast: Callable[[str], T], expects: str) -> T:
    """The value of an environment variable, or a sentence that says what it should be."""
    text = env.str(name, default="").strip()
    if not text:
        return default
    try:
        return cast(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}: it must be {expects}.") from None


def flag(text: str) -> bool:
    try:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
            text.lower()
        ]
    except KeyError:
        raise ValueError from None


def number(low: int, high: int) -> Callable[[str], int]:
    def cast(text: str) -> int:
        if not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return cast


def site_url(text: str) -> SplitResult:
    """An origin: scheme, host and perhaps a port; nothing after them."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError
    _port = parts.port  # raises ValueError when it is no port
    return parts._replace(path="")


# --- Where things are -----------------------------------------------------------------------

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
HOST = env.str("HOST", default="127.0.0.1")
PORT = setting("PORT", 8000, number(1, 65535), "a port number from 1 to 65535")
WORKERS = setting("WORKERS", 2, number(1, 64), "a number of processes from 1 to 64")

_site = setting(
    "SITE_URL",
    urlsplit(f"http://127.0.0.1:{PORT}"),
    site_url,
    "the address of the site, like https://help.example.org",
)
SITE_URL = _site.geturl()
SECURE = _site.scheme == "https"
LOOPBACK = _site.hostname in ("127.0.0.1", "localhost", "::1")

# --- Safety ---------------------------------------------------------------------------------

DEBUG = setting("DEBUG", False, flag, "1 or 0")
if DEBUG and not LOOPBACK:
    raise ImproperlyConfigured("DEBUG is only for this machine: SITE_URL is not on loopback.")


def secret_key() -> str:
    """SECRET_KEY from the environment; on loopback without one, a random key kept in var/."""
    key: str = env.str("SECRET_KEY", default="")
    if key and (len(key) < 50 or len(set(key)) < 5):
        raise ImproperlyConfigured("SECRET_KEY is too weak: use at least 50 random characters.")
    if key:
        return key
    if not LOOPBACK:
        raise ImproperlyConfigured(
            f"SECRET_KEY is missing. {SITE_URL} is a public address, so it needs a secret of its"
            " own: at least 50 random characters, kept for as long as the site lives."
        )
    return _local_secret(VAR_DIR / "secret_key")


def _local_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    fresh = path.with_suffix(f".{os.getpid()}")
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        with suppress(FileExistsError):  # of two processes starting at once, the first one wins
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()


SECRET_KEY = secret_key()
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])

ALLOWED_HOSTS = [_site.hostname, *env.list("ALLOWED_HOSTS", default=[])]
if LOOPBACK:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# How many proxies stand in front and set X-Forwarded-For; without one the header is ignored.
PROXY_COUNT = setting("PROXY_COUNT", 0, number(0, 5), "a number of proxies from 0 to 5")
if PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = setting(
    "HSTS_SUBDOMAINS", SECURE, flag, "1 or 0"
)
# Not no-referrer: browsers then send `Origin: null` and the admin's forms are refused.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Cookies exist for staff only; visitors never get one.
_prefix = "__Host-" if SECURE else ""
SESSION_COOKIE_NAME = f"{_prefix}staff"
CSRF_COOKIE_NAME = f"{_prefix}csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600

# Bodies are refused by their length before anything reads them (web.BodyLimit).
BODY_LIMIT = 64 * 1024
BODY_LIMIT_STAFF = 8 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT_STAFF
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a guide with many placements is one form
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_PERMISSIONS = 0o640

START_LIMIT = setting("START_LIMIT", 20, number(1, 1_000_000), "sessions a minute and network")

# --- The app --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "troubleshooter",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "troubleshooter.web.BodyLimit",
    "django.middleware.security.SecurityMiddleware",
    "troubleshooter.web.Headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "helpdesk.urls"
WSGI_APPLICATION = "helpdesk.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite is free of the bug that can corrupt a file in WAL mode.

    Two connections that write and checkpoint at once could; mended in 3.51.3 and, for older
    lines, in 3.50.7 and 3.44.6. Source: https://www.sqlite.org/wal.html#walresetbug
    """
    return (
        version >= (3, 51, 3)
        or (3, 50, 7) <= version < (3, 51, 0)
        or (3, 44, 6) <= version < (3, 45, 0)
    )


SQLITE_JOURNAL = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "DELETE"


def database() -> dict[str, Any]:
    default = f"sqlite:///{VAR_DIR / 'helpdesk.sqlite3'}"
    try:
        config: dict[str, Any] = env.db_url("DATABASE_URL", default=default)
    except (environ.ImproperlyConfigured, ValueError, KeyError):
        config = {}
    match config.get("ENGINE"):
        case "django.db.backends.sqlite3":
            config["OPTIONS"] = {
                "timeout": 10,
                # Take the write lock at BEGIN: a deferred transaction fails under load instead
                # of waiting. FULL: an answer we acknowledged survives a power cut.
                "transaction_mode": "IMMEDIATE",
                "init_command": f"PRAGMA journal_mode={SQLITE_JOURNAL};PRAGMA synchronous=FULL;"
                "PRAGMA secure_delete=ON;PRAGMA cell_size_check=ON;"
                "PRAGMA journal_size_limit=67108864",
            }
        case "django.db.backends.postgresql":
            config["CONN_HEALTH_CHECKS"] = True
            config["OPTIONS"] = {
                **config.get("OPTIONS", {}),
                "connect_timeout": 2,
                # The server retires idle threads; a pool gets their connections back.
                "pool": {"min_size": 1, "max_size": 8, "timeout": 5},
                "options": "-c lock_timeout=2s -c idle_in_transaction_session_timeout=10s",
            }
        case _:
            raise ImproperlyConfigured(
                "DATABASE_URL must be like sqlite:////path/to/file.sqlite3 or"
                " postgres://user:password@host:5432/name."
            )
    return config


DATABASES = {"default": database()}

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Language and time ----------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("es", _("Spanish")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

# --- Static files ---------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- Logs -----------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"mask": {"()": "troubleshooter.web.MaskKeys"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["mask"],
            "formatter": "line",
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": [], "level": "WARNING", "propagate": True}},
}
