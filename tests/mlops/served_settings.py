"""The settings of a web server under test: the real ones without the list of collected static files."""

from launchpad.settings import *  # noqa: F403
from launchpad.settings import STORAGES

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
