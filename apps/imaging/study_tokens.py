"""Blind indexes by which studies are found: accession number, identifiers of the order, referring physician.

Identifiers have tokens of 64 bits: equal tokens practically mean equal values, and matches are compared after
decryption anyway. Words of names have few bits, as those of patients (:mod:`apps.patients.blind_indexes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apps.imaging.models import Series, Study, StudyToken, StudyTokenKind
from apps.patients.blind_indexes import PREFIX_BITS, WORD_BITS
from apps.patients.names import is_ideographic, words
from apps.protection.indexing import Progress
from apps.protection.keyring import keyring

IDENTIFIER_BITS = 64
BATCH = 500
_LONG, _SHORT = 4, 2
_BITS = {StudyTokenKind.WORD: WORD_BITS, StudyTokenKind.LETTERS: PREFIX_BITS}


def tokens(kind: StudyTokenKind, value: str) -> dict[int, str]:
    """Compute the tokens of a value, by index key id."""
    return keyring().indexes(f"imaging.study-{kind.value}", value, bits=_BITS.get(kind, IDENTIFIER_BITS))


def indexed_prefix(prefix: str) -> str:
    """Return the longest start of a folded word's prefix that is indexed; empty if it is too short."""
    lengths = (_LONG, _SHORT, 1) if prefix and is_ideographic(prefix[0]) else (_LONG, _SHORT)
    return next((prefix[:length] for length in lengths if len(prefix) >= length), "")


def write_tokens(study: Study, requests: Iterable[Sequence[str]]) -> None:
    """Store the tokens of a study; those that it has already stay.

    Args:
        requests: Scheduled Procedure Step ID and Requested Procedure ID of its series' requests.
    """
    StudyToken.objects.bulk_create(
        [
            StudyToken(study=study, kind=kind, token=token, key_id=key_id)
            for kind, value in sorted(_values(study, requests))
            for key_id, token in tokens(kind, value).items()
        ],
        ignore_conflicts=True,
    )


def _values(study: Study, requests: Iterable[Sequence[str]]) -> set[tuple[StudyTokenKind, str]]:
    values = {
        (StudyTokenKind.ACCESSION, study.headers.get("accession_number", "")),
        (StudyTokenKind.STUDY_ID, study.headers.get("study_id", "")),
    }
    for step, procedure in requests:
        values |= {(StudyTokenKind.STEP, step), (StudyTokenKind.PROCEDURE, procedure)}
    for word in words(study.headers.get("referring_physician", "")):
        values.add((StudyTokenKind.WORD, word))
        values |= {(StudyTokenKind.LETTERS, word[:length]) for length in _lengths(word)}
    return {(kind, value) for kind, value in values if value}


def _lengths(word: str) -> list[int]:
    lengths = [1, _SHORT, _LONG] if is_ideographic(word[0]) else [_SHORT, _LONG]
    return [length for length in lengths if len(word) >= length]


def reindex(progress: Progress) -> None:
    """Compute tokens for every study and key in the keyring; drop the tokens of removed keys."""
    ids = keyring().index_ids
    StudyToken.objects.exclude(key_id__in=ids).delete()
    rows = Study._base_manager.order_by("pk")
    total, done = rows.count(), 0
    batch = list(rows[:BATCH])
    while batch:
        requests: dict[object, list[Sequence[str]]] = {}
        for series in Series._base_manager.filter(study__in=batch).select_related("study"):
            requests.setdefault(series.study_id, []).extend(series.headers.get("requests", ()))
        for study in batch:
            write_tokens(study, requests.get(study.pk, ()))
        done += len(batch)
        progress("studies", done, total)
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:BATCH])
