"""Blind indexes of what patients are searched by."""

from __future__ import annotations

from apps.protection.keyring import keyring


def mrn_index(mrn: str, issuer: str) -> str:
    """The blind index of an MRN and its issuer."""
    return keyring().index("patient.mrn", f"{issuer.strip()}\0{mrn.strip()}")


def mrn_search(mrn: str) -> str:
    """The blind index of an MRN whoever issued it, for search."""
    return keyring().index("patient.mrn-alone", mrn.strip())


def name_index(word: str) -> str:
    """The blind index of one folded word of a name."""
    return keyring().index("patient.name", word)
