"""The clinic's own settings. What Tallystick needs is below its name."""

from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-trying-out")
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "clinic.urls"
USE_TZ = True
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "clinic.Patient"
INSTALLED_APPS = [
    "clinic",
    "tallystick.kit.db",
    "tallystick.accounts",
    "tallystick.events",
    "tallystick.queue",
    "tallystick.billing",
    "tallystick.integrations",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        # Writers wait for their turn instead of failing.
        "ENGINE": "tallystick.kit.db.sqlite",
        "NAME": os.environ.get("CLINIC_DB", str(BASE_DIR / "clinic.sqlite3")),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;",
        },
    }
}

# -- Tallystick
PUBLIC_URL = "http://localhost:8000"
FIELD_KEYS = os.environ.get("FIELD_KEYS", "dev:" + "A" * 43 + "=")
JOURNAL_KEY = os.environ.get("JOURNAL_KEY", "only-for-trying-out")
INVOICE_NINJA = {
    "api_url": os.environ.get("INVOICE_NINJA_API_URL", ""),
    "api_token": os.environ.get("INVOICE_NINJA_API_TOKEN", ""),
    "request_delay": 0,
    # Of a client at Invoice Ninja: what the clinic wants elsewhere than Tallystick puts it.
    "client_fields": {"custom_value3": "chart_number"},
}
# Which attribute of a patient is told under which name.
INVOICE_NINJA_USER_FIELDS = {
    "phone_number": "profile.mobile",
    "date_of_birth": "born_on",
    "nationality": "profile.passport_country",
    "chart_number": "chart_number",
    "referral_code": None,  # a patient recommends nobody
}
# Health data stays here: that is the default, and a clinic says it once more.
INVOICE_NINJA_SEND_SENSITIVE_FIELDS = False
