# /// script
# dependencies = ["ldap3"]
# [tool.trace]
# kind = "web"
# ///
"""Connect to a server that does not run."""

import ldap3

try:
    ldap3.Connection(ldap3.Server("127.0.0.1"), auto_bind=True)
except ldap3.core.exceptions.LDAPSocketOpenError:
    pass
