"""Narrowing down a search by blind indexes before anything is decrypted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.actors import Actor
from apps.imaging.dicom.query import Condition, Query
from apps.imaging.matching import REQUESTS, fuzzy_words, name_matches, name_starts
from apps.imaging.models import Series, StudyToken, StudyTokenKind
from apps.imaging.study_tokens import indexed_prefix, tokens
from apps.patients.access import few_visible, visible_patient_filter
from apps.patients.models import Patient
from apps.patients.queries import with_mrn, with_name_starts
from apps.protection import keys

MAX_LISTED = 500
"""Up to so many patients or studies are listed one by one; the database then starts from them."""
_IDENTIFIERS = {
    "AccessionNumber": StudyTokenKind.ACCESSION,
    "StudyID": StudyTokenKind.STUDY_ID,
    f"{REQUESTS}ScheduledProcedureStepID": StudyTokenKind.STEP,
    f"{REQUESTS}RequestedProcedureID": StudyTokenKind.PROCEDURE,
}


@dataclass
class Preselection:
    """Conditions that every match fulfils.

    Attributes:
        patients: ids, if few; else a query by tokens; None if nothing is known about them.
        listed: ids of studies, if few.
        token_filters: tokens of which a study must have one, for each of these.
        settled: paths of the keys that need no further comparison.
        broad: paths of the keys on plain columns that many rows match.
    """

    patients: list[object] | QuerySet[Patient] | None = None
    listed: set[uuid.UUID] | None = None
    token_filters: list[QuerySet[StudyToken]] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    broad: set[str] = field(default_factory=set)

    def condition(self, prefix: str) -> Q:
        """Return the condition for a table from which ``prefix`` leads to the study."""
        condition = Q()
        if self.patients is not None:
            condition &= Q(**{f"{prefix}patient__in": self.patients})
        if self.listed is not None:
            condition &= Q(**{f"{prefix}pk__in": self.listed})
        for rows in self.token_filters:
            condition &= Q(Exists(rows.filter(study=OuterRef(f"{prefix}pk"))))
        return condition


def preselect(query: Query, actor: Actor) -> Preselection:
    """Look up what blind indexes know about the query's sealed keys."""
    result = Preselection()
    _select_patients(query, actor, result)
    if result.patients is None:
        result.patients = few_visible(actor, MAX_LISTED)
    for path in ("ModalitiesInStudy", "Modality"):
        condition = query.conditions.get(path)
        if condition is not None and condition.texts and not condition.has_wildcard:
            _select_by_modality(result, condition)
    for path, kind in _IDENTIFIERS.items():
        condition = query.conditions.get(path)
        if condition is not None and condition.texts and not condition.has_wildcard:
            _select_studies(result, kind, condition.texts[0])
    referrer = query.conditions.get("ReferringPhysicianName")
    if referrer is not None and referrer.texts:
        for word, complete in _starts(referrer, query.fuzzy):
            prefix = word if complete else indexed_prefix(word)
            if prefix:
                _select_studies(result, StudyTokenKind.WORD if complete else StudyTokenKind.LETTERS, prefix)
    return result


def _starts(condition: Condition, fuzzy: bool) -> list[tuple[str, bool]]:
    (text,) = condition.texts
    return [(word, False) for word in fuzzy_words(text)] if fuzzy else name_starts(text)


def _select_patients(query: Query, actor: Actor, result: Preselection) -> None:
    """Find the patients by name or Patient ID; few are decrypted and compared at once."""
    name, mrn = query.conditions.get("PatientName"), query.conditions.get("PatientID")
    rows = None
    if mrn is not None and mrn.texts and not mrn.has_wildcard:
        rows = with_mrn(mrn.texts[0])
    else:
        mrn = None
    if name is not None and name.texts and (starts := _starts(name, query.fuzzy)):
        by_name = with_name_starts(starts)
        if by_name is not None:
            rows = by_name if rows is None else rows.filter(pk__in=by_name.values("pk"))
    else:
        name = None
    if rows is None:
        return
    few = list(rows.filter(visible_patient_filter(actor, "pk"))[: MAX_LISTED + 1])
    if len(few) > MAX_LISTED:
        result.patients = rows
        return
    keys.warm({patient.key_holder for patient in few})
    result.patients = [
        patient.pk
        for patient in few
        if (name is None or name_matches(name.texts[0], patient.name, fuzzy=query.fuzzy))
        and (mrn is None or patient.mrn.strip() == mrn.texts[0])
    ]
    result.settled |= {"PatientName"} if name else set()
    result.settled |= {"PatientID"} if mrn else set()


def _select_by_modality(result: Preselection, condition: Condition) -> None:
    series = Series.objects.filter(modality__in=condition.texts).order_by()
    few = list(series.values_list("study_id", flat=True)[: MAX_LISTED + 1])  # DISTINCT would scan all series
    if len(few) > MAX_LISTED:
        result.broad.add(condition.attribute.path)
    else:
        result.listed = set(few) if result.listed is None else result.listed & set(few)


def _select_studies(result: Preselection, kind: StudyTokenKind, value: str) -> None:
    rows = StudyToken.objects.filter(kind=kind, token__in=set(tokens(kind, value).values()))
    few = set(rows.values_list("study_id", flat=True)[: MAX_LISTED + 1])
    if len(few) > MAX_LISTED:
        result.token_filters.append(rows)
    else:
        result.listed = few if result.listed is None else result.listed & few
