"""All settings, read from the environment once. No secret has a default.

`make run` writes what a demo needs; `docs/running.md` lists every variable.
"""

from pathlib import Path
from urllib.parse import quote

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.conf.locale import LANG_INFO

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# -- who we are and where --------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
DEBUG = False
DEMO = env.bool("DEMO", default=False)
VAR = Path(env.str("PORTAL_VAR", default=str(BASE_DIR / "var")))
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
ROOT_URLCONF = "safety_portal.urls"
WSGI_APPLICATION = "safety_portal.wsgi.application"

INSTALLED_APPS = [
    "safety_portal",
    "tips",
    "drills",
    "notifications",
    "schools",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "phonenumber_field",
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
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

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
                "safety_portal.navigation.navigation",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# -- database: SQLite in WAL mode by default, PostgreSQL by DATABASE_URL ---------------
DATABASES = {
    "default": env.db_url(
        "DATABASE_URL", default=f"sqlite:///{quote(str(VAR / 'portal.sqlite3'))}"
    )
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a writer queues at BEGIN instead of failing in mid-transaction.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    _database["CONN_HEALTH_CHECKS"] = True
    # A worker frozen inside a transaction must not hold an alert's row for ever.
    _database.setdefault("OPTIONS", {}).setdefault(
        "options", "-c idle_in_transaction_session_timeout=15000"
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- people ----------------------------------------------------------------------------
AUTH_USER_MODEL = "schools.User"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
AUTHENTICATION_BACKENDS = ["schools.signing_in.PeopleBackend"]
INVITATION_DAYS = env.int("INVITATION_DAYS", default=7)  # how long a mailed link opens
# What somebody who leaves has under way: each floor names its own.
HANDOVERS = ["schools.handover.plans_of", "notifications.handover.alerts_of"]
_judges = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": f"{_judges}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": f"{_judges}.MinimumLengthValidator"},
    {"NAME": f"{_judges}.CommonPasswordValidator"},
    {"NAME": f"{_judges}.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = 12 * 3600  # a long school day
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # signing out works everywhere

# -- words and clocks ------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="America/Chicago")
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "locale"]
PHONENUMBER_DEFAULT_REGION = "US"
LANGUAGES = [
    ("en", "English"),
    ("es", "Spanish"),
    ("hmn", "Hmong"),
    ("so", "Somali"),
    ("vi", "Vietnamese"),
    ("ru", "Russian"),
    ("ar", "Arabic"),
    ("om", "Oromo"),
]
for _code, _name, _own in (
    ("hmn", "Hmong", "Hmoob"),
    ("so", "Somali", "Soomaali"),
    ("om", "Oromo", "Afaan Oromoo"),
):  # Django knows no names for these three
    LANG_INFO.setdefault(
        _code, {"bidi": False, "code": _code, "name": _name, "name_local": _own}
    )

# -- safe from the first page ----------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# No address leaves the site. Stricter still, "no-referrer", makes browsers send
# "Origin: null" with our own forms, which the forgery check must refuse.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
FILE_UPLOAD_PERMISSIONS = 0o600

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(VAR / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR / "uploads"), "base_url": None},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# The last go-kits, to be opened by hand when the database is down (docs/go-kit.md).
GO_KITS = Path(env.str("GO_KITS", default=str(VAR / "go-kits")))

# -- the doorbell: the broker carries ids, the database carries the work ---------------
CELERY_BROKER_URL = env.str(
    "REDIS_URL", default=f"redis+socket://{quote(str(VAR / 'run' / 'valkey.sock'))}"
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "general"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,  # tasks last <= 40 s; a lost one is rung again sooner
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "retry_on_timeout": False,
    "max_retries": 0,
}
# A press answers in under two seconds even when the broker is gone.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_DB_REUSE_MAX = 1_000_000  # else Celery reconnects to the database every task
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "run" / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "notifications.sweep", "schedule": 15.0},
    # 16:00 UTC is a school morning all over the United States; due once in 30 days.
    "canary": {
        "task": "safety_portal.canary",
        "schedule": crontab(minute=0, hour=16, day_of_week="mon-fri"),
    },
    # 09:20 UTC is deep night from Maine to Hawaii; one task for each school.
    "go-kits": {
        "task": "schools.make_go_kits",
        "schedule": crontab(minute=20, hour=9),
    },
    "missing-go-kits": {"task": "schools.make_missing_go_kits", "schedule": 300.0},
    # Morning to afternoon in the United States; each reminder leaves once.
    "agreement-reminders": {
        "task": "safety_portal.remind_of_agreements",
        "schedule": crontab(minute=17, hour="12-22"),
    },
}

# -- the way out -----------------------------------------------------------------------
TWILIO_BASE_URL = env.str("TWILIO_BASE_URL", default="https://api.twilio.com")
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
EMAIL_WEBHOOK_SECRET = env.str("EMAIL_WEBHOOK_SECRET", default="")
EMAIL_HOST = env.str("EMAIL_HOST", default="127.0.0.1")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default="alerts@district.example.org"
)
# Who the monthly test to district staff is sent for, by email; off when empty.
CANARY_BY = env.str("CANARY_BY", default="")
SANDBOX_URL = env.str("SANDBOX_URL", default="")

# -- the crisis team -------------------------------------------------------------------
# Days after which a partner's number has to be tried again.
CONTACT_TEST_DAYS = env.int("CONTACT_TEST_DAYS", default=180)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}

# -- the demo district's accounts, printed by `make run`; invented people --------------
DEMO_PASSWORD = env.str("DEMO_PASSWORD", default="") if DEMO else ""
DEMO_ACCOUNTS = [
    f"{name}@district.example.org"
    for name in ("priya", "omar", "dana", "cal", "sam", "ines", "ada")
] + ["bo@blaine.example.org"]
