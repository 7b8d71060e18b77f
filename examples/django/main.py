"""The manage.py of this site: `migrate`, `test`, `runserver` and the other commands of Django.

The database is SQLite's, in `guestbook.sqlite3`; with PGDATABASE in the environment it is PostgreSQL's, by psycopg.
"""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import execute_from_command_line

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).with_name("guestbook.sqlite3")}
POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ.get("PGDATABASE"),
    "HOST": os.environ.get("PGHOST", ""),
}
settings.configure(
    DEBUG=True,
    SECRET_KEY="for a machine of one's own",  # noqa: S106
    ROOT_URLCONF="guestbook.views",
    INSTALLED_APPS=["guestbook"],
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": POSTGRESQL if "PGDATABASE" in os.environ else SQLITE},
)

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
