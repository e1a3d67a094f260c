"""Reports and observations as FHIR R5 resources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
STATUS = {"draft": "registered", "preliminary": "preliminary", "final": "final", "amended": "amended"}


@dataclass(frozen=True)
class Value:
    """A measured value; ``unit`` is UCUM; with a ``comparator`` the true value lies below or above it."""

    id: str
    code: str
    is_loinc: bool
    title: str
    value: float
    unit: str
    at: datetime
    comparator: str = ""


def diagnostic_report(
    *,
    pk: str,
    state: str,
    patient: dict[str, str],
    study_uid: str,
    issued: datetime,
    effective: datetime | None,
    author: str,
    conclusion: str,
    text: str,
    values: Sequence[Value] = (),
) -> dict[str, Any]:
    """Build a DiagnosticReport with contained Observations.

    Args:
        patient: ``mrn``, ``issuer``, ``name``.
        state: value of ReportState.
        text: the whole report as plain text.
    """
    observations = [observation(value, f"value-{number}") for number, value in enumerate(values)]
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": pk,
        "status": STATUS[state],
        "code": {"coding": [{"system": LOINC, "code": "18748-4", "display": "Diagnostic imaging study"}]},
        "subject": {
            "identifier": {
                "value": patient["mrn"],
                **({"system": f"urn:issuer:{patient['issuer']}"} if patient["issuer"] else {}),
            },
            "display": patient["name"] or "?",
        },
        "issued": issued.isoformat(),
        "resultsInterpreter": [{"display": author}],
        "conclusion": conclusion or "-",
        "note": [{"text": text or "-"}],
    }
    if effective is not None:
        report["effectiveDateTime"] = effective.date().isoformat()
    if study_uid:
        report["identifier"] = [{"system": "urn:dicom:uid", "value": f"urn:oid:{study_uid}"}]
    if observations:
        report["contained"] = observations
        report["result"] = [{"reference": f"#{resource['id']}"} for resource in observations]
    return report


def observation(value: Value, pk: str) -> dict[str, Any]:
    """Build an Observation with one quantity."""
    coding = {
        "code": value.code,
        "display": value.title,
        "system": LOINC if value.is_loinc else "urn:medportal:observation",
    }
    quantity = {"value": value.value, "unit": value.unit, "system": UCUM, "code": value.unit}
    return {
        "resourceType": "Observation",
        "id": pk,
        "status": "final",
        "code": {"coding": [coding]},
        "effectiveDateTime": value.at.isoformat(),
        "valueQuantity": quantity | ({"comparator": value.comparator} if value.comparator else {}),
    }
