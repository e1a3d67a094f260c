"""What confirming a mention would write: the lines that a clinician sees, may change and then confirms.

The lines follow the note's reading (``apps.notes.nlp.record`` writes the same for whole notes): what is absent,
possible, hypothetical or said of somebody else writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.notes.models import Concept
from apps.records.models import Certainty, Intent, NoKnown, StatementKind, StatementStatus
from apps.terminology.loinc import Measure, by_code

PRESSURE, SYSTOLIC, DIASTOLIC = "85354-9", "8480-6", "8462-4"
NO_KNOWN = "no-known"
"""Kind of a mention that says that there are no allergies."""
NO_SUBSTANCE = frozenset(
    {
        "allergy",
        "allergies",
        "allergic",
        "drug allergies",
        "medicine allergies",
        "allergic symptoms",
        "过敏",
        "药物过敏",
    }
)
"""Mentions of allergy without a substance: too unspecific for the allergy list."""
PREGNANCY = "pregnancy"
WRITTEN = ("present", "historical")
"""Assertions of problems that are written."""


@dataclass(frozen=True)
class Proposal:
    """One line of the record that confirming writes.

    Attributes:
        kind: of the statement, or ``observation``.
        entry: the fields of ``StatementForm``, or of an observation: code, value and unit as written.
        measure: of an observation.
    """

    kind: str
    entry: dict[str, Any]
    measure: Measure | None = None


def proposals(concept: Concept, words: str) -> list[Proposal]:
    """Return the lines that confirming this mention writes; none if it writes nothing.

    Args:
        words: the note's own wording of the mention.
    """
    if concept.kind == NO_KNOWN:
        scope = concept.details.get("no_known", NoKnown.DRUG)
        return [Proposal(StatementKind.ALLERGY, {"text": words, "no_known": scope, "status": StatementStatus.ACTIVE})]
    if concept.kind == "measurement":
        return _observations(concept)
    if concept.kind == "drug":
        proposal = _allergy(concept, words) if concept.details.get("allergy") else _medication(concept, words)
    else:
        proposal = _problem(concept, words)
    return [proposal] if proposal is not None else []


def _allergy(concept: Concept, words: str) -> Proposal | None:
    if concept.negated or concept.family:
        return None
    entry = _entry(concept, words, "type", "reaction", "severity", "onset")
    return Proposal(
        StatementKind.ALLERGY, {**entry, "certainty": concept.details.get("verification", Certainty.CONFIRMED)}
    )


def _medication(concept: Concept, words: str) -> Proposal | None:
    """Return a line with the medication's act: taken, stopped, on hold, or planned under a condition."""
    details = concept.details
    status = details.get("status", "stopped" if details.get("stopped") else "active")
    if not status or concept.family or (concept.negated and status == "active"):
        return None
    if concept.uncertain and status == "active":
        return None
    entry = _entry(concept, words, "dose", "route", "frequency", "ended_as_stated")
    entry["frequency"] = entry["frequency"] or str(details.get("schedule", ""))
    entry["status"] = status
    if status == StatementStatus.CONDITIONAL:
        entry["intent"] = Intent.PLAN
    return Proposal(StatementKind.MEDICATION, entry)


def _problem(concept: Concept, words: str) -> Proposal | None:
    said = concept.details.get("assertion", "historical" if concept.historical else "present")
    if concept.negated or concept.family or concept.uncertain or said not in WRITTEN:
        return None
    if said == "historical" and concept.details.get("concept") == PREGNANCY:  # says only when something else was
        return None
    if concept.kind not in ("problem", "symptom") or words.casefold() in NO_SUBSTANCE:
        return None
    entry = _entry(concept, words, "onset")
    passed = StatementStatus.RESOLVED if concept.historical else StatementStatus.ACTIVE
    return Proposal(StatementKind.PROBLEM, {**entry, "status": concept.details.get("status") or passed})


def _entry(concept: Concept, words: str, *names: str) -> dict[str, Any]:
    details = concept.details
    code = str(details.get("code", ""))
    entry = {"text": words, "code": code, "status": StatementStatus.ACTIVE}
    return {**entry, **{name: str(details.get(name) or "") for name in names}}


def _observations(concept: Concept) -> list[Proposal]:
    """Return one line for each value, as written where its unit is written too; a blood pressure has two."""
    details = concept.details
    if concept.negated or concept.family or details.get("state") == "refused":
        return []
    codes = [SYSTOLIC, DIASTOLIC] if details["concept"] == PRESSURE else [details["concept"]]
    measures = [measure for code in codes if (measure := by_code(code)) is not None]
    written, unit = str(details.get("written") or ""), str(details.get("written_unit") or "")
    if len(codes) == 1 and written and (unit or details.get("state") == "ask"):
        values = [(written, unit)]
    else:
        values = [(f"{details.get('comparator', '')}{value:g}", details["unit"]) for value in details["values"]]
    if len(values) != len(measures):
        return []
    return [
        Proposal("observation", {"code": measure.code, "value": value, "unit": unit}, measure)
        for measure, (value, unit) in zip(measures, values, strict=True)
    ]
