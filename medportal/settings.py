"""Settings. The embedded default needs no server; the environment points to external services.

Everything that differs between one machine and many is a URL or a path in the environment (docs/operations.md).
"""

from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from medportal.databases import with_options
from medportal.log_config import logging_to_console
from medportal.openapi import openapi_settings
from medportal.policy import content_security_policy
from medportal.schedule import schedule
from medportal.version import __version__

VERSION = __version__
BASE_DIR = Path(__file__).resolve().parent.parent
# True in a source checkout; False for an installed wheel, which contains its files in the package.
CHECKOUT = (BASE_DIR / "manage.py").is_file()
HOME_DIR = BASE_DIR if CHECKOUT else Path.cwd()
ASSETS_DIR = BASE_DIR if CHECKOUT else Path(__file__).resolve().parent / "assets"
env = environ.Env()
environ.Env.read_env(HOME_DIR / ".env")

VAR_DIR = Path(env("MEDPORTAL_VAR", default=str(HOME_DIR / "var")))
DEBUG = env.bool("MEDPORTAL_DEBUG", default=False)
DEMO = env.bool("MEDPORTAL_DEMO", default=False)
HTTPS = env.bool("MEDPORTAL_HTTPS", default=not (DEBUG or DEMO))
SECRET_KEY = env("MEDPORTAL_SECRET_KEY", default="")
if not SECRET_KEY:
    secret_file = VAR_DIR / "secret-key"
    if secret_file.is_file():
        SECRET_KEY = secret_file.read_text().strip()
    elif DEBUG or DEMO:
        SECRET_KEY = get_random_secret_key()
    else:
        raise ImproperlyConfigured("set MEDPORTAL_SECRET_KEY to a long random text, the same for web and worker")
ALLOWED_HOSTS = env.list("MEDPORTAL_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("MEDPORTAL_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_vite",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "rules.apps.AutodiscoverRulesConfig",
    "apps.jobs",
    "apps.protection",
    "apps.accounts",
    "apps.terminology",
    "apps.patients",
    "apps.contact",
    "apps.imaging",
    "apps.records",
    "apps.inference",
    "apps.explainability",
    "apps.notes",
    "apps.predictions",
    "apps.cases",
    "apps.reports",
    "apps.recommendations",
    "apps.portal",
    "apps.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "apps.accounts.middleware.isolation",
    "apps.accounts.middleware.encrypted_api",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.accounts.middleware.no_store",
    "apps.accounts.middleware.storable_input",
    "apps.accounts.middleware.audit_context",
    "apps.accounts.middleware.audit_denied_access",
    "apps.accounts.middleware.time_out",
    "apps.accounts.middleware.force_password_change",
    "apps.accounts.middleware.second_factor",
]

ROOT_URLCONF = "medportal.urls"
ASGI_APPLICATION = "medportal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ASSETS_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "apps.portal.context.site",
            ],
        },
    }
]

# Data -----------------------------------------------------------------------------------------

# Data keys are stored separately, with separate backups: restoring data does not restore erased patients.
DATABASES = with_options(
    {
        "default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'medportal.sqlite3'}"),
        "keys": env.db("KEYS_DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'keys.sqlite3'}"),
    }
)
DATABASE_ROUTERS = ["apps.protection.router.KeysRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL", default="")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

S3_BUCKET = env("S3_BUCKET", default="")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "sealed": (
        {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": S3_BUCKET,
                "endpoint_url": env("S3_ENDPOINT_URL", default=None),
                "file_overwrite": True,
            },
        }
        if S3_BUCKET
        else {
            "BACKEND": "apps.protection.storage.AtomicFileStorage",
            "OPTIONS": {
                "location": VAR_DIR / "sealed",
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    ),
    "staticfiles": {  # the demo's browser is on the same machine: compression would only delay its start
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedStaticFilesStorage"
    },
}

KEYRING_FILE = Path(env("MEDPORTAL_KEYRING_FILE", default=str(VAR_DIR / "keyring.json")))
KEYRING = env("MEDPORTAL_KEYRING", default="")
KMS = env("MEDPORTAL_KMS", default="")
KEY_CACHE_SECONDS = env.int("KEY_CACHE_SECONDS", default=15)
ARCHIVE_GRACE_SECONDS = env.int("ARCHIVE_GRACE_SECONDS", default=86_400)
REENCRYPT_GRACE_SECONDS = env.int("REENCRYPT_GRACE_SECONDS", default=3600)

# Celery ---------------------------------------------------------------------------------------

CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=REDIS_URL or "filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {"queue_order_strategy": "priority"}
if CELERY_BROKER_URL == "filesystem://":
    CELERY_BROKER_TRANSPORT = "apps.jobs.filesystem_broker:Transport"
    queue_dir = VAR_DIR / "queue"
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "data_folder_in": str(queue_dir / "messages"),
        "data_folder_out": str(queue_dir / "messages"),
        "control_folder": str(queue_dir / "control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "short"
CELERY_TIMEZONE = "UTC"
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=60)
JOB_SWEEP_SECONDS = env.int("JOB_SWEEP_SECONDS", default=15)
JOB_QUEUES = ("short", "accelerator", "accelerator.background")
CELERY_BEAT_SCHEDULER = "apps.jobs.clock:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = schedule(sweep=JOB_SWEEP_SECONDS, audit=env.int("AUDIT_SECONDS", default=300), queues=JOB_QUEUES)

# Consent and emergencies -----------------------------------------------------------------------

# Purposes for which consent is presumed without a recorded decision, because the hospital has
# another legal ground. Analysis by models and research require consent unless listed.
PRESUMED_CONSENT = env.list("PRESUMED_CONSENT", default=["care", "portal", "ai"] if DEMO else ["care", "portal"])
EMERGENCY_ACCESS_MINUTES = env.int("EMERGENCY_ACCESS_MINUTES", default=60)
RELEASE_DAYS = env.int("RELEASE_DAYS", default=30)
# Years for which studies are kept: the longest of the rules in China and the EU; the demo keeps nothing for that long.
RETENTION_YEARS = env.int("RETENTION_YEARS", default=0 if DEMO else 30)
DELETION_GRACE_DAYS = env.int("DELETION_GRACE_DAYS", default=30)

# Sign-in --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "apps.accounts.passwords.NoObviousWords"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "apps.accounts.adapters.ClosedSignup"
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/ip,5/5m/key", "reauthenticate": "10/m/user"}
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGIN_TIMEOUT = 300
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # others end: Django's session hash depends on the password
MFA_ADAPTER = "apps.accounts.adapters.SealedFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO and not HTTPS
MFA_TOTP_ISSUER = "MedPortal"
MFA_TOTP_TOLERANCE = 0  # the library remembers used codes for one period only; longer-lived codes could be reused
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Roles that require a second factor. In the demo a password is enough.
MFA_REQUIRED_ROLES = env.list(
    "MFA_REQUIRED_ROLES",
    default=[] if DEMO else ["doctor", "radiologist", "nurse", "researcher", "admin", "auditor"],
)
USERSESSIONS_TRACK_ACTIVITY = False
SOCIALACCOUNT_ADAPTER = "apps.accounts.adapters.HospitalSignIn"
SOCIALACCOUNT_STORE_TOKENS = False
# Single sign-on by the hospital's OpenID Connect provider, which names the account by preferred_username.
OIDC_ISSUER = env("OIDC_ISSUER", default="")
OIDC_DOES_MFA = env.bool("OIDC_DOES_MFA", default=False)
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "hospital",
                "name": env("OIDC_NAME", default="Single sign-on"),
                "client_id": env("OIDC_CLIENT_ID", default=""),
                "secret": env("OIDC_CLIENT_SECRET", default=""),
                "settings": {"server_url": OIDC_ISSUER, "token_auth_method": "client_secret_basic"},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("MEDPORTAL_PROXIES", default=0)
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=12 * 3600)
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=30 * 60)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^api/v1/", r"^dicom-web/"]  # API clients are refused instead
if env.bool("MEDPORTAL_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Vite's development server with hot module replacement: 'make dev' sets both.
VITE_SERVER = "http://127.0.0.1:5173" if DEBUG and env.bool("MEDPORTAL_VITE", default=False) else ""
CONTENT_SECURITY_POLICY = content_security_policy(OIDC_ISSUER, dev_server=VITE_SERVER)

# Uploads --------------------------------------------------------------------------------------

FILE_UPLOAD_HANDLERS = ["apps.imaging.uploads.UnnamedFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 2**20  # so that a note of 5 MB is rejected by its form, not by Django
DATA_UPLOAD_MAX_NUMBER_FILES = 1
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=4 * 2**30)

# Models ---------------------------------------------------------------------------------------

MODEL_PACKAGE_DIRS = [BASE_DIR / "apps/inference/bundled", VAR_DIR / "model-packages"]
# Time limit of an explanation; on expiry the best result so far is shown, marked as such.
EXPLANATION_SECONDS = env.int("EXPLANATION_SECONDS", default=30)
# The most forward passes of one explanation: fewer take less of the machine and leave wider intervals.
EXPLANATION_EVALUATIONS = env.int("EXPLANATION_EVALUATIONS", default=512)
if EXPLANATION_EVALUATIONS < 64:
    raise ImproperlyConfigured("set EXPLANATION_EVALUATIONS to 64 or more: with fewer, an explanation is noise")
# A volume is analysed when no slice of its series has arrived for this long.
VOLUME_SETTLE_SECONDS = env.float("VOLUME_SETTLE_SECONDS", default=4.0)

# Notes: folder or name of a local sentence model; empty for the installed extra, or a bag of words.
SENTENCE_MODEL = env("SENTENCE_MODEL", default="")
# A local generative model that summarises cases in its own words; empty for sentences of the notes themselves.
SUMMARY_MODEL = env("SUMMARY_MODEL", default="")
HOSPITAL_NAME = env("HOSPITAL_NAME", default="MedPortal")

# Recommendations and contact --------------------------------------------------------------------

# Maximum number of open routine recommendations on a patient's page.
MAX_SHOWN_RECOMMENDATIONS = env.int("MAX_SHOWN_RECOMMENDATIONS", default=5)
# Whether every patient is re-evaluated weekly, or only those whose data change.
RECOMMENDATIONS_FOR_ALL = env.bool("RECOMMENDATIONS_FOR_ALL", default=True)
# Base URL of links in e-mails. EMAIL_URL: smtp+tls://user:password@host:587; without it no e-mails are offered. Only
# the demo writes e-mails to the log: addresses are confidential.
SITE_URL = env("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
MAILS = DEMO or bool(env("EMAIL_URL", default=""))
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://" if DEMO else "dummymail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env("EMAIL_FROM", default="medportal@localhost")

# API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.token_auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.AnonRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"user": env("API_RATE", default="6000/min"), "anon": "60/min"},
    "DEFAULT_PARSER_CLASSES": [
        "apps.accounts.untrusted_input.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
}
REST_KNOX = {"TOKEN_TTL": timedelta(days=90), "AUTO_REFRESH": False, "TOKEN_MODEL": "accounts.ApiToken"}
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105  # a model, not a token
SPECTACULAR_SETTINGS = openapi_settings()

# Languages and time ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [ASSETS_DIR / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env("MEDPORTAL_TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [ASSETS_DIR / "static/dist"]
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(VAR_DIR / "staticfiles")))
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_IMMUTABLE_FILE_TEST = r"/assets/.+-[A-Za-z0-9_-]{8}\.\w+$"
DJANGO_VITE = {
    "default": {
        "manifest_path": ASSETS_DIR / "static/dist/manifest.json",
        "dev_mode": bool(VITE_SERVER),
        "dev_server_host": "127.0.0.1",
    }
}

LOGGING = logging_to_console(env("LOG_LEVEL", default="INFO"))
