# /// script
# dependencies = ["PyKCS11"]
# [tool.trace]
# kind = "hardware"
# ///
"""Load a module that does not exist."""

import PyKCS11

try:
    PyKCS11.PyKCS11Lib().load("none.so")
except PyKCS11.PyKCS11Error:
    pass
