# /// script
# dependencies = ["oscrypto"]
# [tool.trace]
# kind = "cryptography"
# ///
"""Make a key."""

from oscrypto import asymmetric

public, private = asymmetric.generate_pair("rsa", bit_size=2048)
assert asymmetric.rsa_pkcs1v15_sign(private, b"hello", "sha256")
