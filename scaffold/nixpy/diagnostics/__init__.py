"""Define the diagnostics of nixpy and the meaning of their codes.

In: nothing but words. Out: a `Diagnostic`, and the rows of `codes.csv`. Read `diagnostic.py` first.
"""
