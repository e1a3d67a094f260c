"""A patient's facts: the input of the guideline rules' conditions.

Unknown facts are absent, so that no rule holds for lack of data. Model output is only used if the patient consents to
AI; an imaging finding only counts as confirmed after a physician's review.

Facts: ``age`` (whole years), ``ageMonths`` (under six years), ``sex`` (female, male), ``problems`` (ICD-10-CM codes),
``allergies`` and ``medications`` (ingredients, drug classes, else the text), ``smoker``, ``packYears``,
``yearsSinceSmoking``, ``pregnant``, ``bmi`` (kg/m²), ``egfr`` (mL/min/1.73 m²), ``observations`` (code, value,
daysAgo; none whose newest value is only a limit, such as "<0.5"), ``findings`` (label, text, confirmed, daysAgo),
``nodules`` (site, mm, subsolid; in notes of half a year) and of these ``lungNoduleMm`` (largest solid lung nodule;
nodules without a site are ignored).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from apps.inference.models import Finding, Verdict
from apps.notes.models import Concept, ConceptVerdict, NoteExtraction
from apps.patients.access import permits
from apps.patients.models import Patient, Purpose, Sex
from apps.protection import keys
from apps.recommendations.guidelines.drug_names import allergens_of, drugs_of
from apps.recommendations.guidelines.expressions import Facts
from apps.recommendations.guidelines.nodules import LUNG, is_subsolid, site_of
from apps.records.models import Case, Observation, Statement, StatementKind, StatementStatus
from apps.records.renal_function import egfr
from apps.terminology.drugs import ingredients_of_code
from apps.terminology.localisation import in_language

RECENT = timedelta(days=366)
NOTES = timedelta(days=183)
SMOKING, SMOKED, PREGNANT = "F17", "Z87.891", ("Z33", "Z34", "O")
PACK_YEARS, YEARS_SINCE, WEIGHT, HEIGHT, CREATININE = "8664-5", "years-since-smoking", "29463-7", "8302-2", "2160-0"
LASTING = (PACK_YEARS, YEARS_SINCE, HEIGHT)
"""Observations that stay valid for more than a year."""


def facts_of(patient: Patient) -> Facts:
    """Collect all facts about a patient."""
    keys.warm([patient.key_holder])
    facts: Facts = {**_person(patient)}
    cases = list(Case.objects.filter(patient=patient, merged_into=None).values_list("pk", flat=True))
    if cases:
        facts |= _statements(cases)
        facts |= _observations(cases)
    if permits(patient, Purpose.AI):
        facts["findings"] = _findings(patient)
        facts |= _nodules(cases)
    return facts | _derived(facts)


def order_context(patient: Patient) -> tuple[list[str], list[str]]:
    """The patient's active allergy entries with their reactions, and medication as RxNorm code or text."""
    keys.warm([patient.key_holder])
    cases = Case.objects.filter(patient=patient, merged_into=None)
    rows = Statement.objects.filter(case__in=cases, status=StatementStatus.ACTIVE).select_related("case")
    allergies = []
    medications = []
    for row in rows:
        text = row.details["text"]
        if row.kind == StatementKind.ALLERGY:
            reaction = row.details.get("reaction", "")
            allergies.append(f"{text} ({reaction})" if reaction else text)
        elif row.kind == StatementKind.MEDICATION:
            medications.append(row.code if row.code.isdigit() and ingredients_of_code(row.code) else text)
    return allergies, medications


def _person(patient: Patient) -> Facts:
    facts: Facts = {}
    if patient.birth_date:
        today = timezone.localdate()
        facts["age"] = years(patient.birth_date, today)
        if facts["age"] < 6:
            facts["ageMonths"] = months(patient.birth_date, today)
    if patient.sex in (Sex.FEMALE, Sex.MALE):
        facts["sex"] = "female" if patient.sex == Sex.FEMALE else "male"
    return facts


def years(born: date, today: date) -> int:
    """Age in completed years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def months(born: date, today: date) -> int:
    """Age in completed months."""
    return 12 * (today.year - born.year) + today.month - born.month - (today.day < born.day)


def _statements(cases: list[Any]) -> Facts:
    rows = Statement.objects.filter(case__in=cases, status=StatementStatus.ACTIVE).select_related("case")
    codes: dict[str, list[str]] = {kind: [] for kind in StatementKind.values}
    for row in rows:
        codes[row.kind] += [code for code in _codes_of(row) if code not in codes[row.kind]]
    return {
        "problems": codes[StatementKind.PROBLEM],
        "allergies": codes[StatementKind.ALLERGY],
        "medications": codes[StatementKind.MEDICATION],
    }


def _codes_of(row: Statement) -> list[str]:
    """Codes by which rules know a statement; none for an allergy entry that states there is no allergy."""
    text = row.details["text"]
    if row.kind == StatementKind.PROBLEM:
        return [row.code or text]
    return allergens_of(row.code, text) if row.kind == StatementKind.ALLERGY else drugs_of(row.code, text)


def _observations(cases: list[Any]) -> Facts:
    """The newest value of each measurement, if it is a number.

    A value below or above a limit ("<0.5") is none that a rule could compare, and an older number is out of date.
    """
    now = timezone.now()
    recent = Q(at__gte=now - RECENT) | Q(code__in=LASTING)
    rows = Observation.objects.filter(recent, case__in=cases, voided_at=None).select_related("case")
    newest: dict[str, Observation] = {}
    for row in rows.order_by("at", "id"):
        newest[row.code] = row
    latest = [
        {"code": code, "value": row.content["value"], "daysAgo": (now - row.at).days}
        for code, row in newest.items()
        if not row.comparator
    ]
    return {"observations": sorted(latest, key=lambda row: str(row["code"]))}


def _findings(patient: Patient) -> list[dict[str, Any]]:
    now = timezone.now()
    rows = (
        Finding.objects.filter(
            analysis__series__study__patient=patient, is_abnormal=True, analysis__finished_at__gte=now - RECENT
        )
        .select_related("analysis__package")
        .prefetch_related("reviews")
        .order_by("-analysis__finished_at")
    )
    findings, seen = [], set()
    for row in rows:
        if (row.instance_id, row.label) in seen:
            continue
        seen.add((row.instance_id, row.label))
        review = row.reviews.all()[0] if row.reviews.all() else None
        agreed = review is not None and (
            (review.verdict == Verdict.AGREE and row.positive)
            or (review.verdict == Verdict.CORRECT and review.correction == row.label)
        )
        findings.append(
            {
                "label": row.label,
                "text": in_language(row.card_label["title"]),
                "positive": row.positive,
                "confirmed": agreed,
                "daysAgo": (now - (row.analysis.finished_at or now)).days,
            }
        )
    return findings


def _nodules(cases: list[Any]) -> Facts:
    """Nodules affirmed in notes with a size in the same sentence, and the largest solid lung nodule."""
    readings = NoteExtraction.objects.filter(note__case__in=cases, note__written_at__gte=timezone.now() - NOTES)
    nodules: list[dict[str, Any]] = []
    for reading in readings.select_related("note__case").prefetch_related("concepts"):
        if reading.revision == reading.note.revision:
            concepts = [concept for concept in reading.concepts.all() if concept.verdict != ConceptVerdict.REJECTED]
            nodules += _sized_nodules(reading, concepts)
    largest = max((row["mm"] for row in nodules if row["site"] == LUNG and not row["subsolid"]), default=None)
    return {**({"nodules": nodules} if nodules else {}), **({} if largest is None else {"lungNoduleMm": largest})}


def _sized_nodules(reading: NoteExtraction, concepts: list[Concept]) -> Iterable[dict[str, Any]]:
    text = reading.note.text
    nodules = [
        row
        for row in concepts
        if row.kind in ("problem", "symptom") and row.details.get("concept") == "nodule" and not row.assertions
    ]
    for size in concepts:
        unit = size.details.get("unit")
        if size.kind != "measurement" or unit not in ("mm", "cm"):
            continue
        for start, end in reading.found.get("sentences", []):
            inside = [nodule for nodule in nodules if start <= nodule.start < end]
            if start <= size.start < end and inside:
                nodule = min(inside, key=lambda row: abs(row.start - size.start))
                yield {
                    "site": site_of(text, (nodule.start, nodule.end), (start, end)),
                    "mm": max(size.details["values"]) * (10 if unit == "cm" else 1),
                    "subsolid": is_subsolid(text[start:end]),
                }


def _derived(facts: Facts) -> Facts:
    values = {row["code"]: float(row["value"]) for row in facts.get("observations", [])}
    problems = [str(code) for code in facts.get("problems", [])]
    derived: Facts = {}
    if any(code.startswith(SMOKING) for code in problems):
        derived["smoker"] = True
    elif SMOKED in problems or YEARS_SINCE in values:
        derived["smoker"] = False
    if any(code.startswith(PREGNANT) for code in problems):
        derived["pregnant"] = True
    if PACK_YEARS in values:
        derived["packYears"] = values[PACK_YEARS]
    if YEARS_SINCE in values:
        derived["yearsSinceSmoking"] = values[YEARS_SINCE]
    if WEIGHT in values and HEIGHT in values:
        derived["bmi"] = round(values[WEIGHT] / (values[HEIGHT] / 100) ** 2, 1)
    if CREATININE in values and facts.get("age", 0) >= 18 and "sex" in facts:
        derived["egfr"] = round(egfr(values[CREATININE], facts["age"], facts["sex"]), 0)
    return derived
