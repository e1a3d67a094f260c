"""Shared patient queries."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from apps.patients.blind_indexes import identity_tokens, mrn_tokens, prefix_tokens, word_tokens
from apps.patients.models import Patient, SearchToken, TokenKind
from apps.patients.names import MAX_PREFIX_CHARACTERS, prefixes, words

_QUOTED = re.compile(r'^\s*"(.+)"\s*$')


def found_by(text: str) -> QuerySet[Patient]:
    """Find patients by MRN, or by name: each word in ``text`` is a prefix of a name word, or equal to one if quoted.

    Name tokens are deliberately truncated, so there may be false matches; filter them with :func:`fits`.
    The caller applies the visibility filter.
    """
    condition = Q(pk__in=_with_token(TokenKind.MRN, mrn_tokens(text)))
    exact = _QUOTED.match(text)
    query_words = words(exact.group(1) if exact else text)
    if query_words:
        by_name = Patient.objects.all()
        for word in query_words:
            by_name = by_name.filter(pk__in=_with_word(word) if exact or not prefixes(word) else _with_prefix(word))
        condition |= Q(pk__in=by_name.values("pk"))
    return Patient.objects.filter(condition)


def fits(patient: Patient, text: str) -> bool:
    """Return whether the decrypted record really matches the search text."""
    if patient.mrn == text.strip():
        return True
    exact = _QUOTED.match(text)
    query_words, name_words = words(exact.group(1) if exact else text), words(patient.name)
    if exact:
        return bool(query_words) and all(word in name_words for word in query_words)
    return bool(query_words) and all(
        any(name_word.startswith(word) for name_word in name_words) for word in query_words
    )


def with_mrn(mrn: str) -> QuerySet[Patient]:
    """Find patients by MRN, whoever issued it, regardless of visibility."""
    return Patient.objects.filter(pk__in=_with_token(TokenKind.MRN, mrn_tokens(mrn)))


def with_name_starts(starts: Iterable[tuple[str, bool]]) -> QuerySet[Patient] | None:
    """Find patients whose name has all these folded words, regardless of visibility; there may be false matches.

    Args:
        starts: the start of a word, and whether it is the complete word.

    Returns:
        None if all are too short to be indexed.
    """
    rows = None
    for word, complete in starts:
        if complete or prefixes(word):
            found = Patient.objects.filter(pk__in=_with_word(word) if complete else _with_prefix(word))
            rows = found if rows is None else rows.filter(pk__in=found.values("pk"))
    return rows


def with_identity(mrn: str, issuer: str) -> Patient | None:
    """Return the record with this MRN and issuer, regardless of visibility."""
    tokens = list(identity_tokens(mrn, issuer).values())
    return Patient.objects.filter(
        pk__in=SearchToken.objects.filter(kind=TokenKind.IDENTITY, token__in=tokens).values("patient")
    ).first()


def _with_token(kind: TokenKind, tokens: list[str]) -> QuerySet[SearchToken, object]:
    return SearchToken.objects.filter(kind=kind, token__in=tokens).values("patient")  # type: ignore[return-value]


def _with_word(word: str) -> QuerySet[SearchToken, object]:
    return _with_token(TokenKind.WORD, word_tokens(word))


def _with_prefix(word: str) -> QuerySet[SearchToken, object]:
    return _with_token(TokenKind.LETTERS, prefix_tokens(word[:MAX_PREFIX_CHARACTERS]))
