"""Clients of the key management service (Tink's own) that encrypts the keyring, if one is configured."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import tink
from django.core.exceptions import ImproperlyConfigured
from tink import aead

aead.register()


def kms_aead(uri: str) -> aead.Aead:
    """Return the service's remote key as an AEAD.

    Args:
        uri: ``hcvault://host:8200/transit/keys/NAME`` (HashiCorp Vault's transit engine, token in
            ``VAULT_TOKEN``; ``hcvault+http://`` without TLS, for a loopback agent only),
            ``aws-kms://arn:aws:kms:…`` or ``gcp-kms://projects/…`` (credentials as those clients find them).

    Raises:
        ImproperlyConfigured: for another scheme, or if the client's package is missing.
    """
    scheme = uri.split("://", 1)[0]
    try:
        if scheme in ("hcvault", "hcvault+http"):
            return _vault(uri)
        if scheme == "aws-kms":
            from tink.integration import awskms

            return awskms.AwsKmsClient(uri, None).get_aead(uri)
        if scheme == "gcp-kms":
            from tink.integration import gcpkms

            return gcpkms.GcpKmsClient(uri, None).get_aead(uri)
    except ImportError as error:
        raise ImproperlyConfigured(f"MEDPORTAL_KMS={scheme}://…: install the package {error.name}") from None
    except tink.TinkError:
        raise ImproperlyConfigured(f"MEDPORTAL_KMS: {uri} names no key") from None
    raise ImproperlyConfigured(f"MEDPORTAL_KMS: {scheme}:// is none of hcvault://, aws-kms://, gcp-kms://")


def _vault(uri: str) -> aead.Aead:
    import hvac
    from tink.integration import hcvault

    parts = urlsplit(uri)
    scheme = "http" if parts.scheme == "hcvault+http" else "https"
    if scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ImproperlyConfigured("MEDPORTAL_KMS: hcvault+http:// only reaches an agent on this machine")
    client = hvac.Client(url=f"{scheme}://{parts.netloc}", token=os.environ.get("VAULT_TOKEN", ""), timeout=10)
    return hcvault.new_aead(parts.path, client)
