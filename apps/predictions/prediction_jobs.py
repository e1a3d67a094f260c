"""Prediction jobs: collect a model's inputs from the case, store its output."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import System
from apps.imaging.dicom.attributes import age_at
from apps.inference.engines.input_checks import InputRejected, check_age
from apps.inference.models import Finding
from apps.inference.output_checks import require_valid_answer
from apps.jobs.errors import Refusal
from apps.jobs.models import State
from apps.notes.models import Concept
from apps.predictions import alarms
from apps.predictions.models import Prediction, PredictionKind
from apps.records import event_log
from apps.records.models import Case, Event, EventKind, Observation
from apps.terminology.loinc import STANDS_IN, Measure, catalogue
from apps.terminology.units import convert

ACTOR = System("risk prediction")
FIRST, LAST = 6, 48
MAX_EVENTS = 200
"""Context length of the next-event model."""


@dataclass(frozen=True)
class StayInput:
    """Input of the ICU time-series model.

    Attributes:
        hour: end of the observation window, in hours after admission.
        measured: (hour, variable index, value in the variable's unit), in order of time.
        person: static features by the model's names, where known.
        supposed: what-if values by variable index; each replaces the newest measured value.
    """

    hour: int
    measured: list[tuple[int, int, float]]
    person: dict[str, float]
    supposed: dict[int, float] = field(default_factory=dict)


def stay_input(prediction: Prediction) -> StayInput:
    """Collect the case's measurements by hour for the ICU time-series model.

    Raises:
        Refusal: ``too_early``, ``too_few_values``, or an age code such as ``too_young`` if the model card excludes the
            patient's age.
    """
    case, variables = prediction.case, prediction.package.card["variables"]
    _check_age(prediction)
    rows = Observation.objects.filter(case=case, voided_at=None).select_related("case").order_by("at")
    columns: dict[str, list[tuple[int, str]]] = {}
    for index, variable in enumerate(variables):
        observed = variable["observations"]
        for code in (*observed, *(code for code, other in STANDS_IN.items() if other in observed)):
            columns.setdefault(code, []).append((index, variable["unit"]))
    measured, last = [], -1.0
    for row in rows:
        hour = case.hour_of(row.at)
        last = max(last, hour)
        if row.comparator:  # a limit of detection is no measured number
            continue
        if 0 <= hour < LAST and row.code in columns and row.code in catalogue():
            for index, unit in columns[row.code]:
                measured.append((int(hour), index, _in_unit(row.value, catalogue()[row.code], unit)))
    # The window ends with the last value: hours that are not documented yet are not hours without findings.
    hour = min(int(min(case.hour_of(timezone.now()), max(last + 1, FIRST))), LAST)
    if case.hour_of(timezone.now()) < FIRST:
        raise Refusal("too_early", hours=FIRST)
    measured = [row for row in measured if row[0] < hour]
    if not measured:
        raise Refusal("too_few_values", hours=LAST)
    supposed = {index: prediction.question["values"][variable["code"]]
                for index, variable in enumerate(variables)
                if variable["code"] in prediction.question.get("values", {})}  # fmt: skip
    return StayInput(hour, measured, _person(case), supposed)


def _check_age(prediction: Prediction) -> None:
    case = prediction.case
    try:
        check_age(prediction.package.card.get("patient_age"), [age_at(case.patient.birth_date, case.started_at.date())])
    except InputRejected as problem:
        raise Refusal(problem.code, **problem.parameters) from problem


def sources_of(case: Case) -> dict[str, dict[str, Any]]:
    """Inputs of the fusion model by source.

    ``image``: highest probability of an abnormal finding and its title. ``text``: mentions in the notes as (lexicon
    code, affirmed). ``values``: newest risk of deterioration. Sources without data are left out.
    """
    sources: dict[str, dict[str, Any]] = {}
    finding = (
        Finding.objects.filter(analysis__series__study__cases=case, analysis__state=State.SUCCEEDED, is_abnormal=True)
        .select_related("analysis__package")
        .order_by("-probability")
        .first()
    )
    if finding is not None:
        sources["image"] = {"probability": finding.probability, "what": finding.card_label["title"]}
    concepts = Concept.objects.filter(reading__note__case=case).select_related("reading__note__case")
    current = [concept for concept in concepts if concept.reading.revision == concept.reading.note.revision]
    if current:
        sources["text"] = {
            "mentions": [
                (concept.details.get("concept", ""), not concept.assertions and concept.verdict != "rejected")
                for concept in current
            ]
        }
    values = (
        Prediction.objects.filter(case=case, kind=PredictionKind.DETERIORATION, asker=None, state=State.SUCCEEDED)
        .select_related("case")
        .order_by("-queued_at")
        .first()
    )
    if values is not None:
        sources["values"] = {"probability": values.answer["risk"]}
    return sources


def tokens_of(case: Case) -> list[str]:
    """Codes of the case's newest events, oldest first: input of the next-event model."""
    rows = Event.objects.filter(case=case).select_related("case").order_by("-at", "-id")[:MAX_EVENTS]
    return [event.code for event in reversed(rows)]


def store_prediction(prediction: Prediction, answer: dict[str, Any]) -> None:
    """Store the output; unless it is a what-if, also log it to the timeline and check the alarm rules.

    Raises:
        UserError: ``model_output_invalid``; then nothing is stored and no alarm rule is checked.
    """
    require_valid_answer(answer)
    prediction.answer = answer
    prediction.save(update_fields=["answer"])
    if prediction.asker_id is not None:
        return
    audit.record(ACTOR, "prediction.made", prediction, kind=prediction.kind)
    case = prediction.case
    if prediction.kind != PredictionKind.NEXT_EVENT:
        code = "prediction" if prediction.kind == PredictionKind.DETERIORATION else "case_risk"
        percent = f"{100 * answer['risk']:.0f}"
        event_log.log_event(case, EventKind.PREDICTION, code, subject=f"prediction:{prediction.pk}", percent=percent)
    alarms.evaluate(case)
    _drop_older(prediction)


MAX_STORED = 200
"""Predictions stored per case and kind; they form its trend."""


def _drop_older(prediction: Prediction) -> None:
    rows = Prediction.objects.filter(case=prediction.case, kind=prediction.kind, asker=None).order_by("-queued_at")
    Prediction.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[MAX_STORED:])).delete()


def _in_unit(value: float, measure: Measure, unit: str) -> float:
    """Convert a value from the catalogue's unit to the model's."""
    if unit == measure.unit or unit.startswith("{") or unit == "[pH]":
        return value
    return value / convert(1.0, unit, measure)


def _person(case: Case) -> dict[str, float]:
    patient = case.patient
    features: dict[str, float] = {}
    if patient.birth_date is not None:
        born: date = patient.birth_date
        age = (case.started_at.date() - born).days / 365.25
        features["age"] = min(age, 90.0)
    if patient.sex in ("F", "M"):
        features["male"] = float(patient.sex == "M")
    for name, code in (("height", "8302-2"), ("weight", "29463-7")):
        rows = Observation.objects.filter(case=case, code=code, voided_at=None).select_related("case").order_by("at")
        # a limit of detection ("<0.5") is no measured number
        if (first := next((row for row in rows if not row.comparator), None)) is not None:
            features[name] = first.content["value"]
    return features
