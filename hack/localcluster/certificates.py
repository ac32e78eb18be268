"""Keys and certificates of one throw-away cluster."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME = datetime.timedelta(days=30)
_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class KeyFiles:
    """Files (PEM) in one directory: authority, API server's pair, token-signing pair."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Certificate that clients trust."""
        return self.folder / "ca.crt"

    @property
    def server_certificate(self) -> Path:
        """Certificate of the API server."""
        return self.folder / "server.crt"

    @property
    def server_key(self) -> Path:
        """Private key of the API server."""
        return self.folder / "server.key"

    @property
    def token_key(self) -> Path:
        """Private key that signs ServiceAccount tokens."""
        return self.folder / "token.key"

    @property
    def token_public_key(self) -> Path:
        """Public key that verifies ServiceAccount tokens."""
        return self.folder / "token.pub"


def write(
    folder: Path, names: list[str], addresses: list[str], *, has_key_identifiers: bool = True
) -> KeyFiles:
    """Make all files in `folder`; the server's certificate is good for `names` and `addresses`.

    Without key identifiers the certificates are as those of many managed clusters, which clients
    that verify strictly refuse.
    """
    folder.mkdir(parents=True)
    files = KeyFiles(folder)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    public = authority_key.public_key()
    draft = (
        _certificate("localcluster-ca", public)
        .issuer_name(_name("localcluster-ca"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)
    )
    if has_key_identifiers:
        identifier = x509.SubjectKeyIdentifier.from_public_key(public)
        draft = draft.add_extension(identifier, critical=False)
    authority = draft.sign(authority_key, hashes.SHA256())
    server_key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    draft = (
        _certificate("kube-apiserver", server_key.public_key())
        .issuer_name(authority.subject)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    )
    if has_key_identifiers:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
        draft = draft.add_extension(issuer, critical=False)
    server = draft.sign(authority_key, hashes.SHA256())
    token_key = ec.generate_private_key(ec.SECP256R1())

    files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files.server_certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    files.server_key.write_bytes(_private_pem(server_key))
    files.token_key.write_bytes(_private_pem(token_key))
    files.token_public_key.write_bytes(
        token_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return files


def _certificate(subject: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
