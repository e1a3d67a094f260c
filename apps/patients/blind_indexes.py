"""Blind indexes for patient search.

MRN tokens have 128 bits, because records are matched by them and collisions must not occur. Name tokens have few
bits, so that different names share tokens and the table leaks less; matches are filtered after decryption
(:func:`apps.patients.queries.fits`).
"""

from __future__ import annotations

from apps.patients.models import TokenKind
from apps.patients.names import prefixes, words
from apps.protection.keyring import keyring

WORD_BITS = 24
PREFIX_BITS = 16

Tokens = dict[int, set[tuple[str, str]]]
"""Pairs of kind and token, by index key id."""


def identity_tokens(mrn: str, issuer: str) -> dict[int, str]:
    """Compute the tokens of an MRN with its issuer, by index key id."""
    return keyring().indexes("patient.mrn", f"{issuer.strip()}\0{mrn.strip()}")


def mrn_tokens(mrn: str) -> list[str]:
    """Compute the tokens of an MRN regardless of its issuer."""
    return list(keyring().indexes("patient.mrn-alone", mrn.strip()).values())


def word_tokens(word: str) -> list[str]:
    """Compute the tokens of a complete, folded word of a name."""
    return list(keyring().indexes("patient.word", word, bits=WORD_BITS).values())


def prefix_tokens(prefix: str) -> list[str]:
    """Compute the tokens of the first characters of a word."""
    return list(keyring().indexes("patient.letters", prefix, bits=PREFIX_BITS).values())


def all_tokens(*, mrn: str, issuer: str, name: str) -> Tokens:
    """Compute all search tokens of a patient, for each key in the keyring."""
    ring = keyring()
    tokens: Tokens = {key_id: set() for key_id in ring.index_ids}

    def add(kind: TokenKind, by_key: dict[int, str]) -> None:
        for key_id, token in by_key.items():
            tokens[key_id].add((kind.value, token))

    add(TokenKind.IDENTITY, identity_tokens(mrn, issuer))
    add(TokenKind.MRN, ring.indexes("patient.mrn-alone", mrn.strip()))
    for word in set(words(name)):
        add(TokenKind.WORD, ring.indexes("patient.word", word, bits=WORD_BITS))
        for prefix in prefixes(word):
            add(TokenKind.LETTERS, ring.indexes("patient.letters", prefix, bits=PREFIX_BITS))
    return tokens
