"""A Django site in one file. With `migrate` or `runserver` it is what manage.py is; without, it says what it has."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path


def index(_request: HttpRequest) -> HttpResponse:
    """Return the database's own version."""
    with connection.cursor() as cursor:
        cursor.execute("select version()")
        return HttpResponse(cursor.fetchone()[0], content_type="text/plain")


urlpatterns = [path("", index)]
settings.configure(
    DEBUG=True,
    SECRET_KEY="for a machine of one's own",  # noqa: S106
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("PGDATABASE", "postgres"),
            "HOST": os.environ.get("PGHOST", ""),
        }
    },
)

if len(sys.argv) > 1:
    execute_from_command_line(sys.argv)
else:
    import django
    import psycopg

    print("Django", django.VERSION[0], "psycopg", psycopg.pq.__impl__)
