"""Drafted medication orders of a CDS Hooks call: FHIR R4 and R5 MedicationRequest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apps.terminology.drugs import ingredients_of_code

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LONGEST = 400


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted order.

    Attributes:
        text: as the clinician reads it; may be empty.
        codes: RxNorm codes.
    """

    text: str
    codes: tuple[str, ...] = ()

    @property
    def known_code(self) -> str:
        """The first code whose ingredients are known, else empty."""
        return next((code for code in self.codes if ingredients_of_code(code)), "")


def drafts_of(entries: list[Any]) -> list[Draft]:
    """The medication orders among the entries of a Bundle.

    The medication is a concept, or a reference to a Medication that is contained, or another entry.
    """
    resources = [entry.get("resource") for entry in entries if isinstance(entry, dict)]
    known = [resource for resource in resources if isinstance(resource, dict)]
    return [_draft(resource, known) for resource in known if resource.get("resourceType") == "MedicationRequest"]


def _draft(request: dict[str, Any], resources: list[dict[str, Any]]) -> Draft:
    medication = request.get("medication")
    wrapped = medication if isinstance(medication, dict) else {}
    concept = request.get("medicationCodeableConcept") or wrapped.get("concept")
    reference = request.get("medicationReference") or wrapped.get("reference")
    if not isinstance(concept, dict) and isinstance(reference, dict):
        concept = _referenced(reference, request, resources) or {"text": reference.get("display")}
    if not isinstance(concept, dict):
        return Draft("")
    codings = concept.get("coding")
    coded = [coding for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    texts = (concept.get("text"), *(coding.get("display") for coding in coded))
    text = next((entry for entry in texts if isinstance(entry, str) and entry.strip()), "")
    codes = (coding.get("code") for coding in coded if coding.get("system") in (RXNORM, None, ""))
    return Draft(text[:LONGEST], tuple(str(code)[:20] for code in codes if code))


def _referenced(
    reference: dict[str, Any], request: dict[str, Any], resources: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """The code of the Medication that a reference points to."""
    target = str(reference.get("reference", ""))
    contained = request.get("contained")
    candidates: Iterable[Any] = [*(contained if isinstance(contained, list) else []), *resources]
    for resource in candidates:
        if isinstance(resource, dict) and resource.get("resourceType") == "Medication":
            name = str(resource.get("id", ""))
            if name and target in (f"#{name}", f"Medication/{name}") and isinstance(resource.get("code"), dict):
                return dict(resource["code"])
    return None
