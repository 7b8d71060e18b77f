# /// script
# dependencies = ["tokenizers"]
# [tool.trace]
# kind = "science"
# ///
"""Train a tokenizer."""

from tokenizers import Tokenizer, models, trainers

tokenizer = Tokenizer(models.BPE())
tokenizer.train_from_iterator(["hello"], trainers.BpeTrainer(show_progress=False))
assert tokenizer.encode("hello").ids
