"""How the service is set up. What differs between computers comes from the environment."""

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).parent.parent

MUSIC_DATA = Path(os.environ.get("MUSIC_DATA", BASE_DIR.parent / "data"))
DATA_UPLOAD_MAX_MEMORY_SIZE = int(os.environ.get("MUSIC_LARGEST_BODY", 65_536))  # bytes
DATA_UPLOAD_MAX_NUMBER_FIELDS = None  # parameters of a query; its length is the server's business

DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or get_random_secret_key()
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]

INSTALLED_APPS = ["music"]
ROOT_URLCONF = "service.urls"
WSGI_APPLICATION = "service.wsgi.application"
APPEND_SLASH = False
MIDDLEWARE = [
    "music.middleware.Observe",
    "django.middleware.common.CommonMiddleware",  # Content-Length, ALLOWED_HOSTS
    "music.middleware.explain_405",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
TIME_ZONE = "UTC"
USE_I18N = False  # what it says is the contract's, in one language

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("MUSIC_DATABASE", BASE_DIR / "db.sqlite3"),
        "OPTIONS": {
            # SQLite has one writer at a time: the others wait, and those who read go on
            "timeout": 20,  # seconds
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL",
        },
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "music.middleware.JsonLines"}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
        }
    },
    "loggers": {
        "music": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
        "django.server": {"level": "CRITICAL"},  # the access log of runserver
    },
}
