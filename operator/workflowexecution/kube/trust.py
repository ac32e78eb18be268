"""Whom a connection to the API server trusts."""

import ssl
from pathlib import Path


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
