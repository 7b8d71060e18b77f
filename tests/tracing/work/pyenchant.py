# /// script
# dependencies = ["pyenchant"]
# [tool.trace]
# kind = "text"
# ///
"""Check the spelling of a word."""

import enchant

words = enchant.Dict("en_US")
assert words.check("library")
assert not words.check("libary")
