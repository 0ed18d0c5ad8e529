"""The WSGI entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from safety_portal.surge import SurgeKeeper

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safety_portal.settings")
application = SurgeKeeper(get_wsgi_application())
