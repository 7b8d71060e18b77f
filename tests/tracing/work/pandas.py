# /// script
# dependencies = ["pandas"]
# [tool.trace]
# kind = "science"
# ///
"""Write a table and read it."""

import pandas

pandas.DataFrame({"a": [1, 2]}).to_csv("a.csv")
assert pandas.read_csv("a.csv")["a"].sum() == 3
