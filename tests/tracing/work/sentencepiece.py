# /// script
# dependencies = ["sentencepiece"]
# [tool.trace]
# kind = "science"
# ///
"""Train a model."""

import io

import sentencepiece

model = io.BytesIO()
sentences = iter(["hello world", "a library"] * 20)
sentencepiece.SentencePieceTrainer.train(sentence_iterator=sentences, model_writer=model, vocab_size=16)
assert model.getvalue()
