"""Blind indexes of what patients are searched by.

MRNs keep 128 bits: a record is matched by them, and two MRNs must never meet. Names keep few, so that
different names share tokens: whoever reads the table learns less, and the finder looks twice
(:func:`apps.patients.queries.fits`).
"""

from __future__ import annotations

from apps.patients.models import TokenKind
from apps.patients.names import beginnings, words
from apps.protection.keyring import keyring

WORD_BITS = 24
LETTERS_BITS = 16

Tokens = dict[int, set[tuple[str, str]]]
"""By index key: pairs of kind and token."""


def identity_tokens(mrn: str, issuer: str) -> dict[int, str]:
    """The blind index of an MRN and its issuer, by index key."""
    return keyring().indexes("patient.mrn", f"{issuer.strip()}\0{mrn.strip()}")


def mrn_tokens(mrn: str) -> list[str]:
    """The blind indexes of an MRN whoever issued it."""
    return list(keyring().indexes("patient.mrn-alone", mrn.strip()).values())


def word_tokens(word: str) -> list[str]:
    """The blind indexes of a whole folded word of a name."""
    return list(keyring().indexes("patient.word", word, bits=WORD_BITS).values())


def letters_tokens(letters: str) -> list[str]:
    """The blind indexes of the first letters of a word."""
    return list(keyring().indexes("patient.letters", letters, bits=LETTERS_BITS).values())


def all_tokens(*, mrn: str, issuer: str, name: str) -> Tokens:
    """Everything a patient is found by, for each key in the keyring."""
    ring = keyring()
    found: Tokens = {key_id: set() for key_id in ring.index_ids}

    def add(kind: TokenKind, by_key: dict[int, str]) -> None:
        for key_id, token in by_key.items():
            found[key_id].add((kind.value, token))

    add(TokenKind.IDENTITY, identity_tokens(mrn, issuer))
    add(TokenKind.MRN, ring.indexes("patient.mrn-alone", mrn.strip()))
    for word in set(words(name)):
        add(TokenKind.WORD, ring.indexes("patient.word", word, bits=WORD_BITS))
        for letters in beginnings(word):
            add(TokenKind.LETTERS, ring.indexes("patient.letters", letters, bits=LETTERS_BITS))
    return found
