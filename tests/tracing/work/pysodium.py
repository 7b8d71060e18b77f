# /// script
# dependencies = ["pysodium"]
# [tool.trace]
# kind = "cryptography"
# builds = true
# ///
"""Encrypt a text."""

import pysodium

key = pysodium.randombytes(pysodium.crypto_secretbox_KEYBYTES)
nonce = pysodium.randombytes(pysodium.crypto_secretbox_NONCEBYTES)
box = pysodium.crypto_secretbox(b"hello", nonce, key)
assert pysodium.crypto_secretbox_open(box, nonce, key) == b"hello"
