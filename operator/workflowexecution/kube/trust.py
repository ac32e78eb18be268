"""Whom a connection to the API server trusts."""

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory


def trust_in(
    authority: Path | str | None, certificate: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """Trust this authority, None for those of the machine, and prove who asks by a certificate."""
    context = ssl.create_default_context(cafile=authority)
    # Strict by default from Python 3.13 on, and then refuses every cluster whose authority has no
    # key identifiers, as that of many managed clusters. The certificate itself is verified.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def trust_in_anybody(certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Trust whoever answers, and prove who asks by a certificate all the same."""
    context = trust_in(None, certificate, key)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def prove_by(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Prove who asks by a certificate and its key (PEM), which OpenSSL reads from files only.

    Raises: OSError where they do not fit each other, or are none.
    """
    with TemporaryDirectory(prefix="wfe-") as folder:
        place = Path(folder) / "pair.pem"
        place.touch(0o600)
        place.write_text(f"{certificate}\n{key}\n")
        context.load_cert_chain(place)
