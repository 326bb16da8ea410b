"""The settings of both modes, driven by the environment; defaults are production's and fail closed."""

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from launchpad import env

BASE_DIR = Path(__file__).resolve().parent.parent
LAUNCHPAD_DATA = env.folder("LAUNCHPAD_DATA", BASE_DIR / "var")
_KEY_FILE = LAUNCHPAD_DATA / "secret_key"

SECRET_KEY = env.text("SECRET_KEY")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
# A checkout that `make run` has set up is embedded for every later command too,
# unless anything of a production set-up is given.
EMBEDDED = env.flag(
    "LAUNCHPAD_EMBEDDED",
    default=_KEY_FILE.exists()
    and not any((SECRET_KEY, ALLOWED_HOSTS, env.text("DATABASE_URL"), env.text("REDIS_URL"))),
)
if EMBEDDED:
    SECRET_KEY = SECRET_KEY or (_KEY_FILE.read_text().strip() if _KEY_FILE.exists() else "")
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["127.0.0.1", "localhost", "[::1]"]
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY to a long random text, or start with `make run`.")
# Newest first: the first one encrypts, all of them decrypt.
FIELD_KEYS = env.keys("FIELD_KEYS", LAUNCHPAD_DATA / "field_key" if EMBEDDED else None)
if not FIELD_KEYS:
    raise ImproperlyConfigured(
        "Set FIELD_KEYS to a key for stored secrets: 32 random bytes in URL-safe base64."
    )
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS to the host names people use, separated by commas.")

DEBUG = False
PORT = env.integer("PORT", 8000, minimum=1)
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
INTERNAL_URL = env.text("INTERNAL_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
# Runs call by this name, whatever people use.
ALLOWED_HOSTS = [*ALLOWED_HOSTS, urlsplit(INTERNAL_URL).hostname or ""]
_HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", _HTTPS)
# What runs and probes call comes from inside, past the proxy that ends TLS. Clients of the API are never
# redirected either: a redirect would turn their POST into a GET, and what they sent has been sent already.
SECURE_REDIRECT_EXEMPT = [r"^(runs|v2|api/v1|oauth)(/|$)", r"^healthz$"]
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 31_536_000 if _HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # other hosts of the domain are not ours to bind
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("TRUST_PROXY") else None
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "guardian",
    "ninja",
    "oauth2_provider",
    "launchpad.accounts",
    "launchpad.workspaces",
    "launchpad.resource_groups",
    "launchpad.audit",
    "launchpad.apps.LaunchpadConfig",
    "mlops.apps.MlopsConfig",
]
MIDDLEWARE = [
    "launchpad.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "launchpad.middleware.ContentSecurity",
    "launchpad.middleware.ReaderZone",
    "launchpad.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "launchpad.middleware.SignInRequired",
    "launchpad.middleware.ViewAs",
    "launchpad.last_place.LastPlace",
    "launchpad.middleware.Errors",
]
APPEND_SLASH = False
ROOT_URLCONF = "launchpad.urls"
WSGI_APPLICATION = "launchpad.wsgi.application"
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
    }
]

# Tokens of API clients; clients fetch a new one when less than an hour is left, so a short life would cost a
# call for every call. Only a checksum of each is stored.
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 43_199,
    "CLIENT_SECRET_HASHER": "pbkdf2_sha256_machine",
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "SCOPES": {"ai-api": "Everything the roles of the service account allow"},
}
TOKEN_CACHE_SECONDS = env.seconds("TOKEN_CACHE_SECONDS", 4.5)  # a revoked key is refused within 5 s
# What one client may ask for; each web process counts for itself.
API_REQUESTS_PER_SECOND = env.integer("API_REQUESTS_PER_SECOND", 200)  # 0: as many as it likes
API_BURST = env.integer("API_BURST", 400, minimum=1)
BODY_SILENCE_SECONDS = env.seconds("BODY_SILENCE_SECONDS", 30)
API_QUERY_SECONDS = env.seconds("API_QUERY_SECONDS", 10)
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth2_provider.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth2_provider.RefreshToken"
OAUTH2_PROVIDER_GRANT_MODEL = "oauth2_provider.Grant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth2_provider.IDToken"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "launchpad.accounts.hashers.MachineSecretHasher",
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
LOGIN_URL = "accounts.sign_in"
LOGIN_REDIRECT_URL = "workspaces.index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

_DATABASE_URL = env.text("DATABASE_URL")
if _DATABASE_URL:
    # A connection a thread, checked before use. No pool: after a restart of the server psycopg's finds its
    # broken connections one by one, with a pause that doubles each time.
    DATABASES = {
        "default": dj_database_url.parse(
            _DATABASE_URL, engine="launchpad.postgresql", conn_max_age=60, conn_health_checks=True
        )
    }
elif EMBEDDED:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": LAUNCHPAD_DATA / "launchpad.sqlite3",
            # Opening the file and reading its schema takes as long as what a tick or a page asks of it.
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
else:
    raise ImproperlyConfigured("Set DATABASE_URL to a PostgreSQL database, or start with `make run`.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
if not REDIS_URL and not EMBEDDED:
    raise ImproperlyConfigured("Set REDIS_URL to a Redis server, or start with `make run`.")
CELERY_BROKER_URL = REDIS_URL or "filesystem://"
CELERY_BROKER_TRANSPORT = None if REDIS_URL else "launchpad.broker:Transport"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"socket_timeout": 10, "socket_connect_timeout": 2, "health_check_interval": 10}
    if REDIS_URL
    else {
        "data_folder_in": str(LAUNCHPAD_DATA / "broker" / "queue"),
        "data_folder_out": str(LAUNCHPAD_DATA / "broker" / "queue"),
        "control_folder": str(LAUNCHPAD_DATA / "broker" / "control"),
        "store_processed": False,
        "polling_interval": 0.05,
    }
)

STATIC_URL = "/static/"
STATIC_ROOT = env.folder("STATIC_ROOT", LAUNCHPAD_DATA / "static")
# plotly.js is served straight from the Python package, so that the two cannot drift apart.
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("plotly", Path(find_spec("plotly").submodule_search_locations[0]) / "package_data"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# How long an S3 server may keep us waiting, and which hosts may be one: host, host:port or .domain; when none
# is named, any.
S3_TIMEOUT_SECONDS = env.seconds("S3_TIMEOUT_SECONDS", 60)
S3_ENDPOINTS = [name.lower() for name in env.words("S3_ENDPOINTS")]
MEDIA_ROOT = LAUNCHPAD_DATA / "media"
FILE_UPLOAD_HANDLERS = ["launchpad.uploads.SignedInOnly"]
# Uploads of many GiB wait beside the stores, not in a /tmp that may be memory.
FILE_UPLOAD_TEMP_DIR = LAUNCHPAD_DATA / "tmp"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
# What one upload may bring in files, also out of a zip, and how large the zips of one may be unpacked.
UPLOAD_FILES = env.integer("UPLOAD_FILES", 10_000, minimum=1)
UNPACKED_BYTES = env.integer("UNPACKED_MIB", 10_240, minimum=1) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
USE_THOUSAND_SEPARATOR = False

# The engine's clockwork, in seconds; tests run in tenths.
HEARTBEAT_SECONDS = env.seconds("HEARTBEAT_SECONDS", 5)
LEASE_SECONDS = env.seconds("LEASE_SECONDS", 30)
SWEEP_SECONDS = env.seconds("SWEEP_SECONDS", 5)
WATCH_SECONDS = env.seconds("WATCH_SECONDS", 1)
GRACE_SECONDS = env.seconds("GRACE_SECONDS", 5)
LOG_FLUSH_SECONDS = env.seconds("LOG_FLUSH_SECONDS", 0.4)
# How long a deleted artifact can be had back, in days.
BIN_DAYS = env.integer("BIN_DAYS", 30, minimum=1)
DRAIN_SECONDS = env.integer("DRAIN_SECONDS", 0)

# Git: how often applications are synced, how long one sync may ask a server and how much it may bring, how
# many run at once on a host, and which addresses beside https and ssh may be asked.
GIT_SYNC_SECONDS = env.seconds("GIT_SYNC_SECONDS", 180)
GIT_TIMEOUT_SECONDS = env.seconds("GIT_TIMEOUT_SECONDS", 120)
GIT_LIMIT_BYTES = env.integer("GIT_LIMIT_MIB", 512, minimum=1) * 1024 * 1024
GIT_SYNCS_AT_ONCE = env.integer("GIT_SYNCS_AT_ONCE", 4, minimum=1)
GIT_ALLOW_HTTP = env.flag("GIT_ALLOW_HTTP")
GIT_ALLOW_FILE = env.flag("GIT_ALLOW_FILE", EMBEDDED)

# Deployments: how many servers one worker holds and by which name web processes reach its host; how long a
# server may take to be ready and how long it gets no new requests before it is ended; how often it may end by
# itself in a row, the pause before it is started again, doubled each time, and after how long it counts as
# steady; how often a ready one is looked at.
DEPLOYMENT_SLOTS = env.integer("DEPLOYMENT_SLOTS", 8, minimum=1)
DEPLOYMENT_HOST = env.text("DEPLOYMENT_HOST", "127.0.0.1")
DEPLOYMENT_START_SECONDS = env.seconds("DEPLOYMENT_START_SECONDS", 300)
DEPLOYMENT_DRAIN_SECONDS = env.seconds("DEPLOYMENT_DRAIN_SECONDS", 5)
DEPLOYMENT_RESTARTS = env.integer("DEPLOYMENT_RESTARTS", 5)
DEPLOYMENT_BACKOFF_SECONDS = env.seconds("DEPLOYMENT_BACKOFF_SECONDS", 1)
DEPLOYMENT_STEADY_SECONDS = env.seconds("DEPLOYMENT_STEADY_SECONDS", 60)
PROBE_SECONDS = env.seconds("PROBE_SECONDS", 5)

# Schedules: how far two due times of one are apart at least, and how late one is still on time; what is later
# was missed, and its schedule says what becomes of it. For how many days rows of their ledgers are kept.
SCHEDULE_MINIMUM_SECONDS = env.integer("SCHEDULE_MINIMUM_SECONDS", 60, minimum=60)
SCHEDULE_TOLERANCE_SECONDS = env.integer("SCHEDULE_TOLERANCE_SECONDS", 60, minimum=1)
LEDGER_DAYS = env.integer("LEDGER_DAYS", 400, minimum=1)

# Notices: how e-mail is sent, "" for not at all; which hosts webhooks may go to beside public ones, by http
# too (host, host:port or .domain), and how long one may take to answer; how many are under way at once, how
# often one is tried, the first pause, four times as long each time up to a limit, how long a try is its
# worker's alone, and for how many days what was told is kept.
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 25, minimum=1)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_USER"), env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"launchpad@{urlsplit(PUBLIC_URL).hostname}")
WEBHOOK_HOSTS = [name.lower() for name in env.words("WEBHOOK_HOSTS")]
WEBHOOK_SECONDS = env.seconds("WEBHOOK_SECONDS", 10)
NOTICES_AT_ONCE = env.integer("NOTICES_AT_ONCE", 8, minimum=1)
NOTICE_TRIES = env.integer("NOTICE_TRIES", 8, minimum=1)
NOTICE_BACKOFF_SECONDS = env.seconds("NOTICE_BACKOFF_SECONDS", 60)
NOTICE_BACKOFF_LIMIT_SECONDS = env.seconds("NOTICE_BACKOFF_LIMIT_SECONDS", 8 * 3600)
NOTICE_LEASE_SECONDS = env.seconds("NOTICE_LEASE_SECONDS", 120)
NOTICE_DAYS = env.integer("NOTICE_DAYS", 30, minimum=1)

# The inference gateway, each web process for itself: requests a second to one deployment (0: any number) and
# how long one waits for a free place; how large a body may be; for how many days counts of requests are kept,
# and how many kept requests a deployment may have.
GATEWAY_REQUESTS_PER_SECOND = env.integer("GATEWAY_REQUESTS_PER_SECOND", 0)
GATEWAY_WAIT_SECONDS = env.seconds("GATEWAY_WAIT_SECONDS", 5)
GATEWAY_BODY_BYTES = env.integer("GATEWAY_BODY_MIB", 100, minimum=1) * 1024 * 1024
TRAFFIC_DAYS = env.integer("TRAFFIC_DAYS", 7, minimum=1)
PREDICTION_ROWS = env.integer("PREDICTION_ROWS", 100_000, minimum=1)

EXECUTION_SLOTS = env.integer("EXECUTION_SLOTS", 0)  # 0: one a core
STEP_PARALLELISM = env.integer("STEP_PARALLELISM", 4)  # steps of one execution at once
STEP_MEMORY_BYTES = env.integer("STEP_MEMORY_MIB", 0) * 1024 * 1024  # 0: what the resource plan says
SANDBOX = env.choice("SANDBOX", "auto", ("auto", "sandbox", "plain"))
ALLOW_PLAIN_MODE = env.flag("ALLOW_PLAIN_MODE", EMBEDDED)
STEP_UID = env.integer("STEP_UID", 65534)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # The embedded broker is a folder, which has no host to name.
        **({} if REDIS_URL else {"kombu.connection": {"level": "ERROR"}}),
    },
}
