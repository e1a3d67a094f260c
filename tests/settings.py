"""Settings of the tests: the embedded default in a folder of its own, and quick passwords."""

import os
import tempfile
from pathlib import Path

VAR = Path(os.environ.setdefault("MEDPORTAL_VAR", tempfile.mkdtemp(prefix="medportal-tests-")))
os.environ.setdefault("MEDPORTAL_SECRET_KEY", "only for tests")
os.environ["MEDPORTAL_DEMO"] = "1"

from medportal.settings import *  # noqa: E402, F403
from medportal.settings import DATABASES, REST_FRAMEWORK  # noqa: E402

WHITENOISE_USE_FINDERS = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT = "memory"  # else the file transport makes its folders in the working directory
CELERY_BROKER_TRANSPORT_OPTIONS = {}
ACCOUNT_RATE_LIMITS = {}
VOLUME_SETTLE_SECONDS = 0.0
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"user": None, "anon": None}}
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in life: threads lock each other out of a database in memory.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "test.sqlite3")}
    DATABASES["keys"]["TEST"] = {"NAME": str(VAR / "test-keys.sqlite3")}
