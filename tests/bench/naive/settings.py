"""The naive portal's own settings; `tests.bench.peers` gives it its environment."""

import os
from importlib.util import find_spec

SECRET_KEY = "a peer in a measurement keeps no secrets"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
OPTIONAL = [app for app in ("post_office", "mailer") if find_spec(app)]
INSTALLED_APPS = ["django.contrib.contenttypes", *OPTIONAL, "tests.bench.naive"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "naive",
        "USER": "postgres",
        "HOST": os.environ["BENCH_DB_HOST"],
        "CONN_MAX_AGE": 60,
    }
}
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
    *(
        [
            {
                "BACKEND": "post_office.template.backends.post_office."
                "PostOfficeTemplates",
                "APP_DIRS": True,
            }
        ]
        if "post_office" in OPTIONAL
        else []
    ),
]
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "BATCH_SIZE": 5000,
    "THREADS_PER_PROCESS": 5,
}
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["EMAIL_PORT"])
CELERY_BROKER_URL = os.environ["BENCH_BROKER"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
if "CELERY_DB_REUSE_MAX" in os.environ:
    CELERY_DB_REUSE_MAX = int(os.environ["CELERY_DB_REUSE_MAX"])
