"""The ready site's wiring: the environment, read once. `.env.example` lists every setting."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import django
import environ
from csp.constants import NONCE, NONE, SELF

from tallystick.kit.env import BadSetting, Env
from tallystick.kit.mailer import mailer

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
env = Env(os.environ)

# -- site
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY", "insecure-for-development-only" if DEBUG else None)
PUBLIC_URL = env.url("PUBLIC_URL", "http://localhost:8000")
TUNNEL_HOST = env.text("TUNNEL_HOST", "", aliases=["NGROK_HOST"]) if DEBUG else ""
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", urlsplit(PUBLIC_URL).hostname or "localhost")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
if TUNNEL_HOST:
    ALLOWED_HOSTS += [TUNNEL_HOST]
    CSRF_TRUSTED_ORIGINS += [f"https://{TUNNEL_HOST}"]

ROOT_URLCONF = "tallystick.urls"
WSGI_APPLICATION = "tallystick.wsgi.application"
INSTALLED_APPS = [
    "tallystick.kit.db",
    "tallystick.people",
    "tallystick.accounts",
    "tallystick.events",
    "tallystick.queue",
    "tallystick.billing",
    "tallystick.integrations",
    "tallystick.api",
    "tallystick.web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tallystick.web.second_factor.StaffSecondFactor",
    "tallystick.web.afterwards.Afterwards",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
                "csp.context_processors.nonce",
            ]
        },
    }
]

# -- people
AUTH_USER_MODEL = "people.User"
ACCOUNTS_OPEN_ON_SIGNUP = env.flag("ACCOUNTS_OPEN_ON_SIGNUP", default=True)
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_SIGNUP_OPEN = env.flag("ACCOUNT_SIGNUP_OPEN", default=False)
ACCOUNT_ADAPTER = "tallystick.web.signin.SignInAdapter"
ACCOUNT_FORMS = {
    "login": "tallystick.web.signin.SignInForm",
    "add_email": "tallystick.web.signin.NewAddressForm",
    "reset_password": "tallystick.web.signin.ResetForm",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # of who signs up; see web/signin.py
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 2  # the one in use and the one that waits to be confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # a stolen session changes no address
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # strangers get no letters from us
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGOUT_REDIRECT_URL
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(PUBLIC_URL).scheme
# Counted for all processes together in web/views/login.py instead.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reset_password": None}
STAFF_MFA_REQUIRED = env.flag("STAFF_MFA_REQUIRED", default=False)
MFA_ADAPTER = "tallystick.web.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "tallystick.web.second_factor.SecondFactorForm",
    "reauthenticate": "tallystick.web.second_factor.SecondFactorAgainForm",
    "activate_totp": "tallystick.web.second_factor.ActivationForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off
MFA_ALLOW_UNVERIFIED_EMAIL = True  # staff may have no address at all
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# -- API
API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 600, low=1)
API_PUBLIC_REQUESTS_PER_MINUTE = env.integer("API_PUBLIC_REQUESTS_PER_MINUTE", 120, low=1)
API_KEY_GUESSES_PER_MINUTE = 20
API_IDEMPOTENCY_HOURS = env.integer("API_IDEMPOTENCY_HOURS", 24, low=1)
API_LARGEST_BODY = 1_048_576  # an invoice of a thousand lines has a third of it
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tallystick.api.authentication.KeyAuthentication",
        "tallystick.api.authentication.SignedIn",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["tallystick.api.bodies.JsonBody"],
    "DEFAULT_RENDERER_CLASSES": ["tallystick.api.bodies.JsonAnswer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tallystick.api.bodies.AlwaysJson",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "tallystick.api.openapi.Described",
    "EXCEPTION_HANDLER": "tallystick.api.problems.answer",
    "URL_FORMAT_OVERRIDE": None,
    "NUM_PROXIES": 0,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tallystick",
    "DESCRIPTION": "Invoices, payments, credit notes and wallets. The guide is docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1/order-payments",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        f"{name}Status": f"tallystick.billing.states.{name}Status"
        for name in ("Invoice", "Payment", "Refund")
    }
    | {
        name: f"tallystick.integrations.invoice_ninja.states.{name}"
        for name in ("SyncStatus", "ProductSyncStatus")
    },
    "SORT_OPERATION_PARAMETERS": False,
    "PREPROCESSING_HOOKS": ["tallystick.api.openapi.ours"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tallystick.api.openapi.finish",
    ],
}

# -- data
# Not kept as it came: Django's error reports mask passwords by the name of a setting.
_database = env.text("DATABASE_URL", f"sqlite:///{BASE_DIR / 'tallystick.sqlite3'}")
try:
    with warnings.catch_warnings(action="error"):  # its doubts, such as a scheme it does not know
        DATABASES = {"default": environ.Env.db_url_config(_database)}
except (ValueError, UserWarning, environ.ImproperlyConfigured):
    raise BadSetting("DATABASE_URL", "is not like postgres://user@host/name.") from None
if DATABASES["default"].get("ENGINE") == "django.db.backends.sqlite3":
    # Writers wait for their turn instead of failing: as Django ships SQLite, a third of concurrent
    # writes answer "database is locked".
    DATABASES["default"]["ENGINE"] = "tallystick.kit.db.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    # A file, not memory: threads and the live server of a test share it.
    DATABASES["default"]["TEST"] = {
        "NAME": env.text("TEST_DB", str(BASE_DIR / ".cache" / "test.sqlite3"))
    }
    (BASE_DIR / ".cache").mkdir(exist_ok=True)
elif DATABASES["default"].get("ENGINE") == "django.db.backends.postgresql":
    DATABASES["default"]["CONN_MAX_AGE"] = env.integer("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    raise BadSetting("DATABASE_URL", "names neither SQLite nor PostgreSQL.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- keys: `id:base64` of 32 bytes, comma-separated, newest first; `manage.py rotate_keys`
FIELD_KEYS = env.secret("FIELD_KEYS", "dev:" + "A" * 43 + "=" if DEBUG else None)
JOURNAL_KEY = env.secret("JOURNAL_KEY", "insecure-for-development-only" if DEBUG else None)

# -- work
CELERY_BROKER_URL = env.broker("CELERY_BROKER_URL")
CELERY_TASK_DEFAULT_QUEUE = env.text("CELERY_QUEUE", "tallystick")
CELERY_DB_REUSE_MAX = 100_000  # Celery closes the connection after every task otherwise
WORKER_POLL_SECONDS = 0.5

# -- billing
BILLING_SERVICE_CLASS = env.text(
    "BILLING_SERVICE_CLASS",
    "tallystick.billing.billing_services.LocalBillingService",
    aliases=["AMS_BILLING_SERVICE_CLASS"],
)
BILLING_EMAIL_WHITELIST_REGEX = env.pattern(
    "BILLING_EMAIL_WHITELIST_REGEX", aliases=["AMS_BILLING_EMAIL_WHITELIST_REGEX"]
)
INVOICE_EMAIL_ATTACH_PDF = env.flag("INVOICE_EMAIL_ATTACH_PDF", default=True)
PAYMENT_LINK_EXPIRY_DAYS = env.integer("PAYMENT_LINK_EXPIRY_DAYS", 30, high=36_500)
PAYMENT_LINK_ONE_USE = env.flag("PAYMENT_LINK_ONE_USE", default=False)
PAYMENT_LINK_LOG_DAYS = env.integer("PAYMENT_LINK_LOG_DAYS", 400, low=1, high=36_500)
PAY_PAGE_REQUIRES_LOGIN = env.flag("PAY_PAGE_REQUIRES_LOGIN", default=False)

# -- providers: a default connection per type, when its first setting is set
XERO = {
    "client_id": env.text("XERO_CLIENT_ID", ""),
    "client_secret": env.secret("XERO_CLIENT_SECRET", ""),
    "tenant_id": env.text("XERO_TENANT_ID", ""),
    "webhook_key": env.secret("XERO_WEBHOOK_KEY", ""),
    "account_code": env.text("XERO_ACCOUNT_CODE", ""),
    "payment_account_code": env.text("XERO_PAYMENT_ACCOUNT_CODE", ""),
    "amount_type": env.choice("XERO_AMOUNT_TYPE", ["INCLUSIVE", "EXCLUSIVE", ""], ""),
    "currency_code": env.currency("XERO_CURRENCY_CODE"),
    "email_invoices": env.flag("XERO_EMAIL_INVOICES", default=True),
    "debug": env.flag("XERO_DEBUG", default=False),
    "scopes": env.text("XERO_SCOPES", ""),
    "base_url": env.url("XERO_BASE_URL", ""),
    "token_url": env.url("XERO_TOKEN_URL", ""),
}
if XERO["debug"] and not DEBUG:
    raise BadSetting("XERO_DEBUG", "logs HTTP traffic; it needs DEBUG to be on.")
INVOICE_NINJA = {
    "api_url": env.url("INVOICE_NINJA_API_URL", ""),
    "api_token": env.secret("INVOICE_NINJA_API_TOKEN", ""),
    "webhook_secret": env.secret("INVOICE_NINJA_EVENTS_SECRET", ""),
    "timeout": env.integer("INVOICE_NINJA_API_TIMEOUT", 30, low=1, high=60),
    "request_delay": env.seconds("INVOICE_NINJA_REQUEST_DELAY", 0.5),
    "set_cost": env.flag("INVOICE_NINJA_SET_COST", default=True),
    "max_attempts": env.integer("INVOICE_NINJA_MAX_SYNC_ATTEMPTS", 3, low=1, high=100),
}
INVOICE_NINJA_SEND_SENSITIVE_FIELDS = env.flag("INVOICE_NINJA_SEND_SENSITIVE_FIELDS", default=False)
INVOICE_NINJA_RELAY = {
    "webhook_url": env.url("INVOICE_NINJA_WEBHOOK_URL", ""),
    "webhook_secret": env.secret("INVOICE_NINJA_WEBHOOK_SECRET", ""),
    "timeout": env.integer("INVOICE_NINJA_WEBHOOK_TIMEOUT", 30, low=1, high=60),
    "callback_timeout": env.integer("INVOICE_NINJA_CALLBACK_TIMEOUT", 3600, low=1, high=2_592_000),
    "max_attempts": INVOICE_NINJA["max_attempts"],
    "send_sensitive_fields": INVOICE_NINJA_SEND_SENSITIVE_FIELDS,
    "allow_http": DEBUG,
}
INVOICE_NINJA_CALLBACKS_PER_MINUTE = env.integer("INVOICE_NINJA_CALLBACKS_PER_MINUTE", 6000, low=1)

# -- mail
try:
    _mail = environ.Env.email_url_config(env.text("EMAIL_URL", "consolemail://"))
except (ValueError, KeyError, environ.ImproperlyConfigured):
    raise BadSetting("EMAIL_URL", "is not like smtp://user:password@host:587.") from None
if _mail["EMAIL_HOST"]:
    _mail["EMAIL_TIMEOUT"] = 20
if django.VERSION < (6, 1):
    vars().update(_mail)
else:
    MAILERS = {"default": mailer(_mail)}
DEFAULT_FROM_EMAIL = env.email("DEFAULT_FROM_EMAIL", "billing@localhost")

# -- language, time
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("tr", "Türkçe"),
]
USE_TZ = True
TIME_ZONE = "UTC"

# -- files
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(BASE_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
if DEBUG:  # WhiteNoise warns of a folder that `collectstatic` has not made yet
    STATIC_ROOT.mkdir(exist_ok=True)

# -- security
_HTTPS = PUBLIC_URL.startswith("https://")
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_SSL_REDIRECT = _HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.flag("HSTS_PRELOAD", default=False)
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_HTTPONLY = True
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # an invoice's form has nine to a line, and up to 1000 lines
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# -- logs
LOG_DIR = Path(env.text("LOG_DIR", str(BASE_DIR / "logs")))
_LOG_LEVEL = env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"tokens": {"()": "tallystick.kit.masking.MaskTokens"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["tokens"]},
        "invoice_ninja": {
            "class": "tallystick.kit.logfiles.LogFile",
            "filename": LOG_DIR / "invoice_ninja.log",
            "formatter": "line",
            "filters": ["tokens"],
        },
    },
    "loggers": {
        # Its own lines name whole addresses, with what is asked for in them.
        "httpx2": {"level": "WARNING"},
        "tallystick.invoice_ninja": {
            "handlers": ["invoice_ninja"],
            "level": "INFO",
            "propagate": False,
        },
    },
    "root": {"handlers": ["stderr"], "level": _LOG_LEVEL},
}
