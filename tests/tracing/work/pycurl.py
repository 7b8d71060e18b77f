# /// script
# dependencies = ["pycurl"]
# [tool.trace]
# kind = "web"
# ///
"""Fetch from a server that does not run."""

import pycurl

curl = pycurl.Curl()
curl.setopt(curl.URL, "https://127.0.0.1:1")
try:
    curl.perform()
except pycurl.error as error:
    assert error.args[0] == pycurl.E_COULDNT_CONNECT
