"""Counts the words of a sentence."""

import pandas as pd

words = pd.Series(["the", "quick", "fox", "jumps", "over", "the", "lazy", "dog"])
print(words.value_counts().head(1).to_string())
