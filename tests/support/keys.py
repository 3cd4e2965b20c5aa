"""Private keys, like those that GitHub makes for an App."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

PKCS1, PKCS8 = PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8


@cache
def rsa_key(bits: int) -> RSAPrivateKey:
    """Generate a key, once in a process."""
    return generate_private_key(65_537, bits)


def write_pem(key: RSAPrivateKey | EllipticCurvePrivateKey, form: PrivateFormat = PKCS1, password: bytes = b"") -> str:
    """Write a key as PEM, encrypted if there is a password."""
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, locked).decode()


def app_key(bits: int = 2048) -> str:
    """Return a key as GitHub gives it to an App's owner; a short one of 1,024 `bits` is read eight times as fast."""
    return write_pem(rsa_key(bits))
