"""What a note would write into the record if a clinician confirmed every line of what was extracted from it.

Written are: what is present (active), what has passed (resolved, or a code for the history of it), allergies, medication with
its act, values that can be taken as they stand, and that no allergies are known. What is absent, possible, conditional (but
for medication), hypothetical or somebody else's is not written.
"""

from __future__ import annotations

from typing import Any

from apps.notes.nlp.allergies import denies_allergies, denies_drug_allergies
from apps.notes.nlp.assertions import HISTORICAL, PRESENT
from apps.notes.nlp.measurements import DIASTOLIC, PRESSURE, SYSTOLIC
from apps.notes.nlp.reader import NO_SUBSTANCE, Mention, Reading
from apps.terminology.quantities import State

Row = dict[str, Any]
HABITS = ("alcohol", "tobacco", "drug use", "illicit drug", "recreational drug")
"""Beginnings of what a note answers yes or no to, and which is no condition without a code."""
PREGNANCY = "pregnancy"


def record_of(text: str, reading: Reading) -> list[Row]:
    """The rows of the record, in the note's order; what a note says later of the same thing counts."""
    rows: list[Row] = []
    for mention in reading.mentions:
        rows += _rows(mention)
    rows = _merged(rows)
    if not any(row["kind"] == "allergy" for row in rows):
        if denies_drug_allergies(text):
            rows.append({"kind": "no-known-drug-allergies", "status": "active"})
        elif denies_allergies(text):
            rows.append({"kind": "no-known-allergies", "status": "active"})
    return rows


def _rows(mention: Mention) -> list[Row]:
    if mention.kind == "drug":
        row = _allergy(mention) if mention.details.get("allergy") else _medication(mention)
        return [row] if row else []
    if mention.kind == "measurement":
        return _observations(mention)
    if mention.kind in ("problem", "symptom"):
        return _conditions(mention)
    return []


def _substance(mention: Mention) -> str:
    return " / ".join(mention.details["substance"])


def _allergy(mention: Mention) -> Row:
    details = mention.details
    row = {"kind": "allergy", "substance": _substance(mention), "code": details["code"], "type": details["type"]}
    row |= {"status": details["status"], "reaction": details["reaction"], "severity": details["severity"]}
    return _said(row | {"certainty": details["verification"], "text": mention.text})


def _medication(mention: Mention) -> Row | None:
    details = mention.details
    if not details["status"]:
        return None
    row = {"kind": "medication", "substance": _substance(mention), "code": details["code"], "status": details["status"]}
    row |= {name: details.get(name, "") for name in ("act", "dose", "unit", "route", "frequency")}
    if not row["unit"]:
        row["dose"] = ""  # a number without a unit is asked about before it is written
    return _said(row | {"text": mention.text})


def _observations(mention: Mention) -> list[Row]:
    details = mention.details
    if not mention.concept or details["state"] != State.TAKEN or not details["values"]:
        return []
    codes = (SYSTOLIC, DIASTOLIC) if mention.concept == PRESSURE else (mention.concept,)
    return [
        _said(
            {
                "kind": "observation", "loinc": code, "status": "final", "value": value, "unit": details["unit"],
                "comparator": details["comparator"], "text": mention.text,
            }
        )
        for code, value in zip(codes, details["values"], strict=True)
    ]  # fmt: skip


def _conditions(mention: Mention) -> list[Row]:
    details = mention.details
    habit = not details["code"] and mention.text.lower().startswith(HABITS)
    habit |= mention.concept == PREGNANCY and mention.assertion == HISTORICAL  # says only when something else was
    if mention.assertion not in (PRESENT, HISTORICAL) or mention.concept == NO_SUBSTANCE or habit:
        return []
    row = {"kind": "condition", "code": details["code"], "status": details["status"]}
    return [_said(row | {"onset": details.get("onset", ""), "certainty": "confirmed", "text": mention.text})]


def _said(row: Row) -> Row:
    return {name: value for name, value in row.items() if value != ""}


def _merged(rows: list[Row]) -> list[Row]:
    """One row for what a note says twice; a medication's later act counts, unless it is only considered."""
    merged: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = _key(row)
        known = merged.get(key)
        if known is None:
            merged[key] = row
        elif known["status"] == "active" and row["status"] in ("conditional", "resolved"):
            merged[key] = {**row, **known}  # what is so already does not depend on anything, nor is it over
        elif row["kind"] == "medication" and row.get("dose"):
            merged[key] = row
        else:
            merged[key] = {**known, **row}
    return list(merged.values())


def _key(row: Row) -> tuple[str, ...]:
    if row["kind"] in ("allergy", "medication"):
        return row["kind"], row["substance"]
    if row["kind"] == "condition":
        return row["kind"], row.get("code") or row["text"].casefold()
    return row["kind"], row.get("loinc", ""), row["text"]
