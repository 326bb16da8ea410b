"""The settings under test: the same module, with a throwaway data folder and cheap passwords."""

import os
import tempfile

os.environ["LAUNCHPAD_DATA"] = tempfile.mkdtemp(prefix="launchpad-tests-")
os.environ["SECRET_KEY"] = "for tests only"
os.environ["LAUNCHPAD_EMBEDDED"] = "1"
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/15")
os.environ.pop("DATABASE_URL", None)
if os.environ.get("TEST_DATABASE") == "postgres":
    os.environ["DATABASE_URL"] = "postgres://postgres@127.0.0.1:5432/launchpad"

from launchpad.settings import *  # noqa: E402, F403
from launchpad.settings import ALLOWED_HOSTS, FILE_UPLOAD_TEMP_DIR, STORAGES

ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
