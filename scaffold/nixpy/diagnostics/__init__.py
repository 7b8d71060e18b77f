"""What nixpy reports without stopping: problems, and the meaning of their codes.

In: nothing but words. Out: a `Problem`, and the rows of `codes.csv`. Read `problem.py` first.
"""
