"""Maintenance of the patients' search tokens."""

from __future__ import annotations

from django.db import transaction

from apps.patients.blind_indexes import all_tokens
from apps.patients.models import Patient, SearchToken
from apps.protection.indexing import Progress
from apps.protection.keyring import keyring

BATCH = 500


def write_tokens(patient: Patient) -> None:
    """Store the patient's search tokens.

    Raises:
        IntegrityError: if another record has the same MRN and issuer.
    """
    tokens = all_tokens(mrn=patient.mrn, issuer=patient.mrn_issuer, name=patient.name)
    SearchToken.objects.bulk_create(
        SearchToken(patient=patient, kind=kind, token=token, key_id=key_id)
        for key_id, pairs in tokens.items()
        for kind, token in sorted(pairs)
    )


def reindex(progress: Progress) -> None:
    """Compute tokens for every patient and key in the keyring; drop the tokens of removed keys."""
    ids = set(keyring().index_ids)
    SearchToken.objects.exclude(key_id__in=ids).delete()
    for key_id in ids:
        waiting = Patient.objects.exclude(pk__in=SearchToken.objects.filter(key_id=key_id).values("patient"))
        total, done = waiting.count(), 0
        while batch := list(waiting[:BATCH]):
            with transaction.atomic():
                for patient in batch:
                    SearchToken.objects.filter(patient=patient).delete()
                    write_tokens(patient)
            done += len(batch)
            progress("patients", done, total)
