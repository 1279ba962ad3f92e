"""Settings of the floors: what a request costs at least, and what the usual way costs.

The very database settings of the product, and its server (`helpdesk.serve` with these settings).
BENCH_FLOOR says which floor: `hello` and `insert` are Django without middleware, `wizard` is
Django as `startproject` makes it, with django-formtools.
"""

import os
from pathlib import Path

from helpdesk.settings import (
    ALLOWED_HOSTS,
    DATABASES,
    HOST,
    METRICS_TOKEN,
    PIN_WORKERS,
    PORT,
    SECRET_KEY,
    VAR_DIR,
    WORKERS,
)

__all__ = [
    "ALLOWED_HOSTS",
    "DATABASES",
    "HOST",
    "METRICS_TOKEN",
    "PIN_WORKERS",
    "PORT",
    "SECRET_KEY",
    "VAR_DIR",
    "WORKERS",
]

FLOOR = os.environ.get("BENCH_FLOOR", "hello")
USE_TZ = True
ROOT_URLCONF = "bench.wizard" if FLOOR == "wizard" else "bench.floors"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "formtools",
]
MIDDLEWARE: list[str] = []
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).resolve().parent],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
if FLOOR == "wizard":
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
else:
    INSTALLED_APPS = []
