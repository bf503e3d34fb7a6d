"""Whom a client trusts, and who it says it is, from files in PEM."""

import ssl
from pathlib import Path

import httpx


def tls_context(
    authorities: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Trust the authorities of a file, the public ones when None; show the certificate, whose key may be in its file.

    Raises:
        ValueError: a file cannot be used; one line that names it.
    """
    context = _public() if authorities is None else _trusting(authorities)
    if certificate is not None:
        _show(context, certificate, key)
    return context


def _public() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _trusting(authorities: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=_readable(authorities))
    except ssl.SSLError:
        raise ValueError(f"{authorities}: expected certificates in PEM, found none") from None
    # Python 3.13 asks for more of certificates than versions before it; authorities of one's own often have less.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(_readable(certificate), None if key is None else _readable(key), _no_password)
    except ssl.SSLError as error:
        beside = certificate if key is None else f"{certificate} and {key}"
        why = "the key belongs to another certificate" if error.reason == "KEY_VALUES_MISMATCH" else "found none"
        raise ValueError(f"{beside}: expected a certificate and its key in PEM: {why}") from None


def _readable(file: Path) -> Path:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror}") from None
    return file


def _no_password() -> str:
    raise ValueError("expected a key without a password: nobody is there to type it")
