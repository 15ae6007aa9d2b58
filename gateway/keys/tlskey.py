"""A TLS key of our own (ECDSA P-256, what every TLS stack speaks) and its self-signed certificate or request, as PEM."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def make(passphrase: bytes) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A new key, and its PEM encrypted with the passphrase."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    return key, pem


def certificate(key: ec.EllipticCurvePrivateKey, party: str, begin: datetime, end: datetime, unit: str = "") -> bytes:
    """A self-signed certificate (PEM) for both ends of mutual TLS: partners pin it by our card."""
    name = _name(party, unit)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_both_ends(), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def request(key: ec.EllipticCurvePrivateKey, party: str) -> bytes:
    """A certificate request (PEM), for a place whose rules want its TLS certificate from a CA."""
    made = (
        x509.CertificateSigningRequestBuilder().subject_name(_name(party)).add_extension(_both_ends(), critical=False)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(party: str, unit: str = "") -> x509.Name:
    units = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []
    return x509.Name([*units, x509.NameAttribute(NameOID.COMMON_NAME, party)])


def _both_ends() -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
