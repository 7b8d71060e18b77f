# /// script
# dependencies = ["pycryptodome"]
# [tool.trace]
# kind = "cryptography"
# ///
"""Encrypt a text."""

from Crypto.Cipher import AES

cipher = AES.new(bytes(16), AES.MODE_GCM)
cipher.encrypt_and_digest(b"hello")
