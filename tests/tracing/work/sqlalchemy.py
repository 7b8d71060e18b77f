# /// script
# dependencies = ["SQLAlchemy"]
# [tool.trace]
# kind = "databases"
# ///
"""Query a file."""

import sqlalchemy

engine = sqlalchemy.create_engine("sqlite:///a.db")
with engine.connect() as connection:
    assert connection.execute(sqlalchemy.text("SELECT 1")).scalar() == 1
