"""The settings under test: the same with a throwaway data folder; TEST_DATABASE chooses the database."""

import base64
import os
import tempfile

_ON_POSTGRES = os.environ.get("TEST_DATABASE") == "postgres"
_DATABASE = os.environ.pop("DATABASE_URL", "") or "postgres://postgres@127.0.0.1:5432/postgres"
# Any 32 bytes do.
_FIELD_KEY = base64.urlsafe_b64encode(bytes(32)).decode()
_DATA = tempfile.TemporaryDirectory(prefix="launchpad-tests-", ignore_cleanup_errors=True)
os.environ.update(
    LAUNCHPAD_DATA=_DATA.name, SECRET_KEY="for tests only", FIELD_KEYS=_FIELD_KEY, LAUNCHPAD_EMBEDDED="1"
)
# Tests ask as fast as they can; the one of the limit sets it.
os.environ.setdefault("API_REQUESTS_PER_SECOND", "0")
# Who waits for a place does so for as long as a slow machine needs to bring about what it waits for.
os.environ.setdefault("GATEWAY_WAIT_SECONDS", "60")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/15")
if _ON_POSTGRES:
    os.environ["DATABASE_URL"] = _DATABASE

from launchpad.settings import *  # noqa: F403
from launchpad.settings import (
    ALLOWED_HOSTS,
    DATABASES,
    FILE_UPLOAD_TEMP_DIR,
    PASSWORD_HASHERS,
    STATIC_ROOT,
    STORAGES,
)

# Runs side by side must not share a test database; SQLite's is a file, as the real one is.
_NAME = f"launchpad_test_{os.getpid()}" if _ON_POSTGRES else os.path.join(_DATA.name, "test.sqlite3")
DATABASES["default"]["TEST"] = {"NAME": _NAME}
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
for _folder in (FILE_UPLOAD_TEMP_DIR, STATIC_ROOT):
    _folder.mkdir(parents=True, exist_ok=True)
