"""One file of settings. Every difference between two installations is an environment variable;
defaults are safe on a laptop, and a value that cannot be right is refused with a sentence.

docs/operators.md lists the variables; environment.py reads them.
"""

import os
import re
import secrets
import sqlite3
from contextlib import suppress
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from helpdesk.environment import (
    bare_address,
    bracketed,
    flag,
    header,
    host,
    host_names,
    lan_address,
    log_format,
    mail_address,
    mail_host,
    network_cache,
    number,
    outbound_hosts,
    setting,
    site_url,
    strong,
    text,
    time_zone,
    tls,
    token,
    words,
)

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things are -----------------------------------------------------------------------

# LAN=1 shows the site to other devices in the same network, over plain http.
LAN = lan_address() if setting("LAN", False, flag, "1 or 0") else ""
VAR_DIR = BASE_DIR / (text("VAR_DIR") or "var")
EVERYWHERE = "0.0.0.0"  # noqa: S104 (LAN asks for just that)
HOST = setting("HOST", EVERYWHERE if LAN else "127.0.0.1", host, "an address like 127.0.0.1")
PORT = setting("PORT", 8000, number(1, 65535), "a port number from 1 to 65535")
WORKERS = setting("WORKERS", 2, number(1, 64), "a number of processes from 1 to 64")
# Whether each of them keeps to one CPU. Where they fill half of the machine, it is taken for ours;
# else they could be kept to a CPU that others use while the next one is idle.
_cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
PIN_WORKERS = setting("PIN_WORKERS", 0 < _cpus <= 2 * WORKERS, flag, "1 or 0") and bool(_cpus)
WORKER_SECONDS = setting("WORKER_SECONDS", 2, number(1, 3600), "a number from 1 to 3600")
# How often the worker counts for the pages of numbers.
COUNT_SECONDS = setting("COUNT_SECONDS", 60, number(1, 3600), "a number from 1 to 3600")
# Without an answer for so long, a session is counted as left or assumed, not as under way.
IDLE_MINUTES = setting("IDLE_MINUTES", 30, number(1, 1440), "a number of minutes from 1 to 1440")

_site = setting(
    "SITE_URL",
    urlsplit(f"http://{LAN or '127.0.0.1'}:{PORT}"),
    site_url,
    "the address of the site with nothing after the host, like https://help.example.org",
)
SITE_URL = _site.geturl()
SECURE = _site.scheme == "https"
LOOPBACK = _site.hostname in ("127.0.0.1", "localhost", "::1")
# Whether only this machine, or with LAN the devices around it, can reach the site.
LOCAL = LOOPBACK or _site.hostname == LAN
# Whether another device can open the address: only then pages offer to go on there.
REACHABLE = not LOOPBACK

# --- Safety ---------------------------------------------------------------------------------

DEBUG = setting("DEBUG", False, flag, "1 or 0")
if DEBUG and not (LOOPBACK and ip_address(HOST).is_loopback):
    raise ImproperlyConfigured(
        "DEBUG shows the insides of the site, so it is only for this machine:"
        " SITE_URL and HOST must be on loopback, and LAN must be off."
    )


def secret_key() -> str:
    """SECRET_KEY from the environment; on this machine without one, a random key kept in var/."""
    if key := text("SECRET_KEY"):
        return strong("SECRET_KEY", key)
    if not LOCAL:
        raise ImproperlyConfigured(
            f"SECRET_KEY is missing. {SITE_URL} is a public address, so it needs a secret of its"
            " own: at least 50 random characters, kept for as long as the site lives."
        )
    path = VAR_DIR / "secret_key"
    try:
        return strong(f"The key in {path}", _local_secret(path))
    except OSError as fault:
        raise ImproperlyConfigured(
            f"VAR_DIR is {VAR_DIR}, which this account cannot use: {fault.strerror}."
        ) from None


def _local_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        with suppress(FileExistsError):  # of two processes starting at once, the first one wins
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()


SECRET_KEY = secret_key()
SECRET_KEY_FALLBACKS = [
    strong("SECRET_KEY_FALLBACKS", key) for key in words(text("SECRET_KEY_FALLBACKS"))
]

ALLOWED_HOSTS = setting("ALLOWED_HOSTS", list[str](), host_names, "names of hosts, no patterns")
ALLOWED_HOSTS += [bracketed(_site.hostname or ""), *([LAN] if LAN else [])]
if LOCAL:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# How many proxies stand in front and set X-Forwarded-For and -Proto; without one both are ignored.
# We speak plain http ourselves: https in SITE_URL means that a proxy speaks it for us.
PROXY_COUNT = setting("PROXY_COUNT", int(SECURE), number(0, 5), "a number of proxies from 0 to 5")
if SECURE and not PROXY_COUNT:
    raise ImproperlyConfigured(
        "PROXY_COUNT is 0, but SITE_URL is https: the proxy that speaks https counts as one."
    )
if PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]  # machines inside ask by plain http
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
# A session of staff ends when nobody used it for so long, and after so long whatever they do.
STAFF_IDLE_HOURS = setting("STAFF_IDLE_HOURS", 8, number(1, 24), "a number of hours from 1 to 24")
STAFF_HOURS = setting("STAFF_HOURS", 12, number(1, 72), "a number of hours from 1 to 72")
SESSION_COOKIE_AGE = STAFF_HOURS * 3600
SESSION_ENGINE = "troubleshooter.models.logins"
# Whether staff need a second factor. On loopback they do not, so that the first start is simple.
MFA_REQUIRED = setting("MFA_REQUIRED", SECURE, flag, "1 or 0")
# After so many days a line of the audit log is deleted.
AUDIT_DAYS = setting("AUDIT_DAYS", 365, number(1, 3650), "a number of days from 1 to 3650")

# Bodies are refused by their length before anything reads them (web.BodyLimit).
BODY_LIMIT = 64 * 1024
FILE_LIMIT = 8 * 1024 * 1024  # of one file that staff send
BODY_LIMIT_STAFF = FILE_LIMIT + 64 * 1024  # around a file stands the rest of its form
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT_STAFF
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a guide with many placements is one form
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_PERMISSIONS = 0o640

# Who is told of escalations, besides the agents' desk; without it nobody is.
SUPPORT_EMAIL = setting("SUPPORT_EMAIL", "", bare_address, "one e-mail address")
# After so many days a closed escalation is only a number: name, address and words are gone.
ESCALATION_DAYS = setting("ESCALATION_DAYS", 180, number(1, 3650), "a number from 1 to 3650")

# When a visitor who left an address is asked whether it is still fixed, and when the address and
# the link of that mail end, whatever became of it. A day at least: so "a few a day to one address"
# is counted on rows that still have their address.
FOLLOW_UP_HOURS = setting("FOLLOW_UP_HOURS", 48, number(24, 504), "a number from 24 to 504")
FOLLOW_UP_DAYS = setting("FOLLOW_UP_DAYS", 30, number(2, 365), "a number of days from 2 to 365")
if FOLLOW_UP_DAYS * 24 <= FOLLOW_UP_HOURS:
    raise ImproperlyConfigured(
        "FOLLOW_UP_DAYS is too small: addresses would be deleted before FOLLOW_UP_HOURS are over."
    )

# After so many days a session is only counted, and its rows are gone. They hold nothing personal,
# so by default they stay: numbers can be counted anew from them, by other rules, too.
SESSION_DAYS = setting("SESSION_DAYS", 0, number(31, 36500), "a number of days from 31 to 36500")

START_LIMIT = setting("START_LIMIT", 20, number(1, 1_000_000), "a number from 1 to 1000000")
# The networks counted by that limit and little else: in each process, or for all of them in Redis.
CACHE_URL = network_cache("CACHE_URL", text("CACHE_URL"))
_own_memory: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "OPTIONS": {"MAX_ENTRIES": 50_000},
}
CACHES = {"default": _own_memory}
if CACHE_URL:
    CACHES = {
        "default": {"BACKEND": "helpdesk.shared_cache.SharedCache"},
        "shared": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CACHE_URL,
            "KEY_PREFIX": "helpdesk",
            "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25},
        },
        "own": _own_memory,
    }

# --- The app --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "troubleshooter",
    "django.contrib.admin.apps.SimpleAdminConfig",  # urls.py loads what it shows
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "allauth",  # ours stand before it, and so do our templates
    "troubleshooter.staff.apps.Account",
    "allauth.mfa",
]

# The first ones read nothing, and so every answer has their headers, a refused body's too.
MIDDLEWARE = [
    "troubleshooter.observing.Observed",
    "troubleshooter.staff.gate.Visitors",
    "troubleshooter.web.Headers",
    "django.middleware.security.SecurityMiddleware",
    "troubleshooter.probes.Probes",
    "troubleshooter.web.Unavailable",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "troubleshooter.languages.Languages",
    "troubleshooter.web.BodyLimit",
    "troubleshooter.web.Common",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "troubleshooter.staff.gate.Staff",
]

# What stands before the pages of staff alone; visitors' pages know no login and no cookie.
STAFF_MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "troubleshooter.staff.gate.SecondFactor",
]
# These look for four of them in MIDDLEWARE; tests/test_staff.py shows that they are at work.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410", "security.W003"]

ROOT_URLCONF = "helpdesk.urls"
VISITORS_URLCONF = "troubleshooter.urls"
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


# Not DELETE: with it, FULL does not sync the folder, so a journal that was removed can come back
# after a power cut and undo the last commit. One that stays is synced when its head is cleared,
# and of a file that keeps its length the disk has less to write than of one that is cut.
SQLITE_JOURNAL = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "PERSIST"
SQLITE_OPTIONS = {
    "timeout": 10,
    # Take the write lock at BEGIN: a deferred transaction fails under load instead of waiting.
    "transaction_mode": "IMMEDIATE",
    # FULL: an answer we acknowledged survives a power cut. secure_delete: what is deleted is gone,
    # but for what a journal of at most so many bytes holds until the next commits replace it.
    "init_command": f"PRAGMA journal_mode={SQLITE_JOURNAL};PRAGMA synchronous=FULL;"
    "PRAGMA secure_delete=ON;PRAGMA cell_size_check=ON;PRAGMA journal_size_limit=4194304",
}
POSTGRES_OPTIONS = {
    "connect_timeout": 2,
    # No jit: to compile a statement of ours takes longer than to run it.
    "options": "-c lock_timeout=2s -c idle_in_transaction_session_timeout=10s -c jit=off",
}


def named(config: dict[str, Any]) -> bool:
    """Whether a database is named, here or in the file of services that PostgreSQL reads."""
    return bool(config["NAME"] or config.get("OPTIONS", {}).get("service"))


def database() -> dict[str, Any]:
    """The database that DATABASE_URL names, with what keeps acknowledged answers safe."""
    url = text("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'helpdesk.sqlite3'}"
    config: dict[str, Any] = {}
    if re.match("(sqlite:///|postgres(ql)?://)(?!:memory:).", url):
        with suppress(ValueError):  # of a port that is none
            config = environ.Env.db_url_config(url)
    match config.get("ENGINE"):
        case "django.db.backends.sqlite3":
            # A connection for each thread, kept: to open one costs more than a whole answer.
            lasting: dict[str, Any] = {"ENGINE": "helpdesk.sqlite", "CONN_MAX_AGE": None}
            lasting["TEST"] = {"NAME": ":memory:"}  # pytest-django asks the name of the engine
            return config | lasting | {"NAME": BASE_DIR / config["NAME"], "OPTIONS": SQLITE_OPTIONS}
        case "django.db.backends.postgresql" if not named(config):
            raise ImproperlyConfigured(
                "DATABASE_URL names a server, but no database on it: its name comes last, as in"
                " postgres://user:password@host:5432/name."
            )
        case "django.db.backends.postgresql" if find_spec("psycopg"):
            options = POSTGRES_OPTIONS | config.get("OPTIONS", {})
            # Made anew each hour, so that a server that has moved is found.
            lasting = {"ENGINE": "helpdesk.postgres", "CONN_MAX_AGE": 3600}
            return config | lasting | {"CONN_HEALTH_CHECKS": True, "OPTIONS": options}
        case "django.db.backends.postgresql":
            raise ImproperlyConfigured(
                "DATABASE_URL names PostgreSQL, but its driver is not installed:"
                " pip install -r requirements-postgres.txt"
            )
    raise ImproperlyConfigured(
        "DATABASE_URL must be like sqlite:////path/to/file.sqlite3 or"
        " postgres://user:password@host:5432/name."
    )


DATABASES = {"default": database()}

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- How staff log in -----------------------------------------------------------------------

# allauth asks for the second factor and keeps it. Of its pages only those in urls.py exist: nobody
# can sign up, and no password is mailed.
LOGIN_URL, LOGIN_REDIRECT_URL = "account_login", "admin:index"
ACCOUNT_ADAPTER = "troubleshooter.staff.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False  # no field that asks; the session's own limits hold
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_FORMS = {
    "login": "troubleshooter.staff.forms.LoginForm",
    "reauthenticate": "troubleshooter.staff.forms.PasswordAgainForm",
}
# Failures are counted in rows, per account and network (models/logins.py). This holds codes of one
# account from all networks: who may guess those knows the password.
ACCOUNT_RATE_LIMITS = {"login": None, "reauthenticate": None, "login_failed": "20/15m/key"}
MFA_ADAPTER = "troubleshooter.staff.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # accounts of staff need no address
MFA_TOTP_ISSUER = "Helpdesk"
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOOPBACK
MFA_FORMS = {
    "authenticate": "troubleshooter.staff.forms.CodeForm",
    "reauthenticate": "troubleshooter.staff.forms.CodeAgainForm",
    "activate_totp": "troubleshooter.staff.forms.AppForm",
    "add_webauthn": "troubleshooter.staff.forms.PasskeyForm",
    "authenticate_webauthn": "troubleshooter.staff.forms.PasskeySecondForm",
    "reauthenticate_webauthn": "troubleshooter.staff.forms.PasskeyAgainForm",
}

# --- Mail and webhooks ----------------------------------------------------------------------

# Without EMAIL_HOST mails wait in the outbox: nothing is lost, and nobody needs mail to begin.
EMAIL_HOST = setting("EMAIL_HOST", "", mail_host, "the name of a mail server")
_mail_is_local = EMAIL_HOST in ("localhost", "::1") or EMAIL_HOST.startswith("127.")
_tls = setting("EMAIL_TLS", "none" if _mail_is_local else "starttls", tls, "starttls, tls or none")
EMAIL_USE_TLS, EMAIL_USE_SSL = _tls == "starttls", _tls == "tls"
EMAIL_PORT = setting(
    "EMAIL_PORT",
    {"starttls": 587, "tls": 465, "none": 25}[_tls],
    number(1, 65535),
    "a port number from 1 to 65535",
)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = text("EMAIL_USER"), text("EMAIL_PASSWORD")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = setting(
    "MAIL_FROM", "", mail_address, "one address, like Help desk <desk@example.org>"
)
if EMAIL_HOST and not DEFAULT_FROM_EMAIL:
    raise ImproperlyConfigured(
        "MAIL_FROM is missing: EMAIL_HOST is set, and every mail needs a sender."
    )
if bool(EMAIL_HOST_USER) != bool(EMAIL_HOST_PASSWORD):
    raise ImproperlyConfigured("EMAIL_USER and EMAIL_PASSWORD go together: one of them is missing.")
if EMAIL_HOST_PASSWORD and _tls == "none" and not _mail_is_local:
    raise ImproperlyConfigured(
        "EMAIL_TLS is none: EMAIL_PASSWORD would cross the network for everybody to read."
    )

# Where webhooks may lead: by default https on the open internet, and nowhere else.
OUTBOUND_HTTP = setting("OUTBOUND_HTTP", False, flag, "1 or 0")
OUTBOUND_HOSTS = setting(
    "OUTBOUND_HOSTS", list[str](), outbound_hosts, "names of hosts, like erp.internal:8443"
)
DELIVERY_DAYS = setting("DELIVERY_DAYS", 30, number(1, 365), "a number of days from 1 to 365")

# --- Language and time ----------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("es", _("Spanish")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = setting("TIME_ZONE", "UTC", time_zone, "the name of a time zone, like Europe/Berlin")
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
WHITENOISE_ALLOW_ALL_ORIGINS = False  # our own pages alone use them

# --- What operators see ---------------------------------------------------------------------

# Who asks for /metrics shows it; without one there is no such page.
METRICS_TOKEN = token("METRICS_TOKEN", text("METRICS_TOKEN"))
# A header in which our own proxy names each request; what visitors send in it must not get here.
REQUEST_ID_HEADER = setting("REQUEST_ID_HEADER", "", header, "a header like X-Request-ID")
LOG_FORMAT = setting("LOG_FORMAT", "plain", log_format, "plain or json")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "troubleshooter.logs.Plain",
            "fmt": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "troubleshooter.logs.Json"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "helpdesk.request": {"level": "INFO"},
    },
}
