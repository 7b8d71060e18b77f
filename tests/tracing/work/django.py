# /// script
# dependencies = ["django"]
# [tool.trace]
# kind = "web"
# ///
"""Answer a request."""

import django
from django.conf import settings

settings.configure(ROOT_URLCONF=(), DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "a.db"}})
django.setup()
from django.db import connection

connection.ensure_connection()
