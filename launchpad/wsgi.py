"""The WSGI application: pages and JSON; streams are asgi.py's."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchpad.settings")

application = get_wsgi_application()
