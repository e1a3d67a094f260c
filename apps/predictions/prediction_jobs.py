"""Doing predictions: take one, gather what the model reads, record what it says."""

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
from apps.terminology.loinc import Measure, catalogue
from apps.terminology.units import convert

ACTOR = System("risk prediction")
FIRST, LAST = 6, 48
MOST_EVENTS = 200
"""As many as the model of events remembers."""


@dataclass(frozen=True)
class StayInput:
    """What the model of stays reads.

    Attributes:
        hour: up to which hour after admission it may look.
        measured: (hour, place of the variable, value in its unit) in order of time.
        person: by the model's names of what is known of the person.
        supposed: what-if: value by place of the variable, instead of the newest.
    """

    hour: int
    measured: list[tuple[int, int, float]]
    person: dict[str, float]
    supposed: dict[int, float] = field(default_factory=dict)


def stay_of(prediction: Prediction) -> StayInput:
    """The case's values by hour.

    Raises:
        Refusal: ``too_early`` or ``too_few_values``; ``too_young`` and the like if the card is not for such patients.
    """
    case, variables = prediction.case, prediction.package.card["variables"]
    _check_age(prediction)
    rows = Observation.objects.filter(case=case, voided_at=None).select_related("case").order_by("at")
    places: dict[str, list[tuple[int, str]]] = {}
    for place, variable in enumerate(variables):
        for code in variable["observations"]:
            places.setdefault(code, []).append((place, variable["unit"]))
    measured, last = [], -1.0
    for row in rows:
        hour = case.hour_of(row.at)
        last = max(last, hour)
        if 0 <= hour < LAST and row.code in places and row.code in catalogue():
            for place, unit in places[row.code]:
                measured.append((int(hour), place, _in_unit(row.content["value"], catalogue()[row.code], unit)))
    # A case whose values end is judged up to its last value: hours that have not come are not hours without findings.
    hour = min(int(min(case.hour_of(timezone.now()), max(last + 1, FIRST))), LAST)
    if case.hour_of(timezone.now()) < FIRST:
        raise Refusal("too_early", hours=FIRST)
    measured = [one for one in measured if one[0] < hour]
    if not measured:
        raise Refusal("too_few_values", hours=LAST)
    supposed = {place: prediction.question["values"][variable["code"]]
                for place, variable in enumerate(variables)
                if variable["code"] in prediction.question.get("values", {})}  # fmt: skip
    return StayInput(hour, measured, _person(case), supposed)


def _check_age(prediction: Prediction) -> None:
    case = prediction.case
    try:
        check_age(prediction.package.card.get("patient_age"), [age_at(case.patient.birth_date, case.started_at.date())])
    except InputRejected as problem:
        raise Refusal(problem.code, **problem.parameters) from problem


def sources_of(case: Case) -> dict[str, dict[str, Any]]:
    """What each source gives: a film's gravest probability, conditions that notes affirm, the values' newest risk."""
    found: dict[str, dict[str, Any]] = {}
    film = (
        Finding.objects.filter(analysis__series__study__cases=case, analysis__state=State.SUCCEEDED, is_abnormal=True)
        .select_related("analysis__package")
        .order_by("-probability")
        .first()
    )
    if film is not None:
        found["image"] = {"probability": film.probability, "what": film.card_label["title"]}
    concepts = Concept.objects.filter(reading__note__case=case).select_related("reading__note__case")
    current = [one for one in concepts if one.reading.revision == one.reading.note.revision]
    if current:
        found["text"] = {
            "mentions": [
                (one.details.get("concept", ""), not one.assertions and one.verdict != "rejected") for one in current
            ]
        }
    values = (
        Prediction.objects.filter(case=case, kind=PredictionKind.DETERIORATION, asker=None, state=State.SUCCEEDED)
        .select_related("case")
        .order_by("-queued_at")
        .first()
    )
    if values is not None:
        found["values"] = {"probability": values.answer["risk"]}
    return found


def tokens_of(case: Case) -> list[str]:
    """The case's newest events as codes, oldest first."""
    rows = Event.objects.filter(case=case).select_related("case").order_by("-at", "-id")[:MOST_EVENTS]
    return [event.code for event in reversed(rows)]


def record(prediction: Prediction, answer: dict[str, Any]) -> None:
    """Keep the answer; of the case as it is, also on the timeline and before the alarm rules.

    Raises:
        UserError: ``model_output_invalid``; nothing is written and no alarm rule is asked then.
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


KEPT = 200
"""Answers about a case that are kept of each kind: its course."""


def _drop_older(prediction: Prediction) -> None:
    rows = Prediction.objects.filter(case=prediction.case, kind=prediction.kind, asker=None).order_by("-queued_at")
    Prediction.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[KEPT:])).delete()


def _in_unit(value: float, measure: Measure, unit: str) -> float:
    """From the catalogue's unit into the model's."""
    if unit == measure.unit or unit.startswith("{") or unit == "[pH]":
        return value
    return value / convert(1.0, unit, measure)


def _person(case: Case) -> dict[str, float]:
    patient = case.patient
    known: dict[str, float] = {}
    if patient.birth_date is not None:
        born: date = patient.birth_date
        age = (case.started_at.date() - born).days / 365.25
        known["age"] = min(age, 90.0)
    if patient.sex in ("F", "M"):
        known["male"] = float(patient.sex == "M")
    for name, code in (("height", "8302-2"), ("weight", "29463-7")):
        rows = Observation.objects.filter(case=case, code=code, voided_at=None).select_related("case").order_by("at")
        if (first := rows.first()) is not None:
            known[name] = first.content["value"]
    return known
