"""Reads of patients that more than one caller needs."""

from __future__ import annotations

import re

from django.db.models import Q, QuerySet

from apps.patients.blind_indexes import identity_tokens, letters_tokens, mrn_tokens, word_tokens
from apps.patients.models import Patient, SearchToken, TokenKind
from apps.patients.names import LONGEST_BEGINNING, beginnings, words

_QUOTED = re.compile(r'^\s*"(.+)"\s*$')


def found_by(text: str) -> QuerySet[Patient]:
    """Patients whose MRN is ``text``, or of whose name each word in ``text`` begins one; in quotes, is one.

    Name tokens are cut short on purpose, so a few others may be among them: :func:`fits` tells.
    Visibility is the caller's to add.
    """
    found = Q(pk__in=_having(TokenKind.MRN, mrn_tokens(text)))
    exact = _QUOTED.match(text)
    wanted = words(exact.group(1) if exact else text)
    if wanted:
        named = Patient.objects.all()
        for word in wanted:
            named = named.filter(pk__in=_whole(word) if exact or not beginnings(word) else _beginning(word))
        found |= Q(pk__in=named.values("pk"))
    return Patient.objects.filter(found)


def fits(patient: Patient, text: str) -> bool:
    """Whether the opened record is what the search meant."""
    if patient.mrn == text.strip():
        return True
    exact = _QUOTED.match(text)
    wanted, own = words(exact.group(1) if exact else text), words(patient.name)
    if exact:
        return bool(wanted) and all(word in own for word in wanted)
    return bool(wanted) and all(any(mine.startswith(word) for mine in own) for word in wanted)


def with_identity(mrn: str, issuer: str) -> Patient | None:
    """The record of this MRN and issuer, whoever may see it."""
    tokens = list(identity_tokens(mrn, issuer).values())
    return Patient.objects.filter(
        pk__in=SearchToken.objects.filter(kind=TokenKind.IDENTITY, token__in=tokens).values("patient")
    ).first()


def _having(kind: TokenKind, tokens: list[str]) -> QuerySet[SearchToken, object]:
    return SearchToken.objects.filter(kind=kind, token__in=tokens).values("patient")  # type: ignore[return-value]


def _whole(word: str) -> QuerySet[SearchToken, object]:
    return _having(TokenKind.WORD, word_tokens(word))


def _beginning(word: str) -> QuerySet[SearchToken, object]:
    return _having(TokenKind.LETTERS, letters_tokens(word[:LONGEST_BEGINNING]))
