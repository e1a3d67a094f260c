"""Whether a FHIR reference in an uploaded file names the patient of the record."""

from __future__ import annotations

import json
from typing import Any

from apps.patients.models import Patient
from apps.records.fhir_observations import IsPatient


def subject_test(content: bytes, patient: Patient) -> IsPatient:
    """Return a test of the references in a file.

    A reference names the patient by our id, by the MRN as id, identifier or text, or by pointing to a Patient of the
    same file that has the MRN, or the same birth date and family name.
    """
    ids = {patient.mrn, str(patient.pk)}
    same = {reference for reference, resource in _patients(content) if _is_same(resource, patient)}

    def is_patient(subject: dict[str, Any]) -> bool:
        reference = str(subject.get("reference") or "")
        named = {reference.rpartition("/")[2], str(subject.get("display") or ""), *_identifiers(subject)}
        return reference in same or bool(named & ids)

    return is_patient


def _patients(content: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Return the Patient resources of a Bundle by the references that may point to them."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return []
    entries = document.get("entry") if isinstance(document, dict) else None
    found = []
    for entry in entries if isinstance(entries, list) else []:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
            found += [(f"Patient/{resource.get('id')}", resource), (str(entry.get("fullUrl")), resource)]
    return found


def _is_same(resource: dict[str, Any], patient: Patient) -> bool:
    identifiers = resource.get("identifier")
    values = [_identifiers({"identifier": row}) for row in identifiers] if isinstance(identifiers, list) else []
    if any(patient.mrn in found for found in values):
        return True
    names = resource.get("name")
    families = {str(name.get("family", "")).casefold() for name in names if isinstance(name, dict)} if names else set()
    born = patient.birth_date.isoformat() if patient.birth_date is not None else ""
    family = (patient.name or "").partition("^")[0]
    return bool(born and family) and resource.get("birthDate") == born and family.casefold() in families


def _identifiers(subject: dict[str, Any]) -> set[str]:
    identifier = subject.get("identifier")
    return {str(identifier["value"])} if isinstance(identifier, dict) and identifier.get("value") else set()
