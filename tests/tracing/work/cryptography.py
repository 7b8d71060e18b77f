# /// script
# dependencies = ["cryptography"]
# [tool.trace]
# kind = "cryptography"
# ///
"""Encrypt a text."""

from cryptography.fernet import Fernet

box = Fernet(Fernet.generate_key())
assert box.decrypt(box.encrypt(b"hello")) == b"hello"
