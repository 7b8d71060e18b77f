# /// script
# dependencies = ["lxml"]
# [tool.trace]
# kind = "web"
# ///
"""Parse and transform a document."""

from lxml import etree, html

assert html.fromstring("<p>hello").text == "hello"
etree.tostring(etree.XML("<a/>"))
