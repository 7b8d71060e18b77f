# /// script
# dependencies = ["keyring", "SecretStorage"]
# [tool.trace]
# kind = "desktop"
# ///
"""Look for a service of secrets that does not run."""

import secretstorage

connection = secretstorage.dbus_init()
assert not secretstorage.check_service_availability(connection)
