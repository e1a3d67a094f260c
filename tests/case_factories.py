"""Makers of what a case holds."""

from __future__ import annotations

from datetime import timedelta

from apps.accounts.models import CareTeam, User
from apps.cases import collaboration
from apps.jobs.events import deliver
from apps.jobs.models import OutboxMessage, State
from apps.notes import editing, note_extraction
from apps.notes.jobs import explain_note, read_note, summarise
from apps.notes.models import Concept, Discordance, Note, NoteExtraction, SpecialtyExplanation, Summary
from apps.predictions import alarms, prediction_requests
from apps.predictions.jobs import predict
from apps.predictions.models import Alarm, AlarmRule, Prediction
from apps.records import observation_imports, observations
from apps.records.models import Case, StatementKind
from apps.records.problem_list import add_statement
from apps.reports import authoring
from apps.reports.models import ReportState

ADMISSION = (
    "HISTORY: 60-year-old with fever and cough for 3 days. No pneumonia on the film. Mother had asthma.\n"
    "MEDICATIONS: amoxicillin 500 mg po twice daily.\nEXAM: Heart rate 120, temperature 38.9 C, SpO2 91 %.\n"
    "IMPRESSION: Possible sepsis."
)


def written(case: Case, actor: User, text: str = ADMISSION) -> Note:
    """A note, read by the worker."""
    note = editing.write(case, text, actor=actor)
    work()
    return note


def extracted(case: Case, actor: User, text: str) -> Note:
    """A note whose mentions the worker has found, before anything that follows from them."""
    note = editing.write(case, text, actor=actor)
    read_note(str(note.readings.get().pk))
    return note


def measured(case: Case, hours: int = 30, trend: float = 1.0) -> None:
    """Values by the hour; ``trend`` above 0 worsens."""
    rows = []
    for hour in range(hours):
        at = case.started_at + timedelta(hours=hour, minutes=5)
        for code, start, slope in (
            ("8867-4", 90, 1.0),
            ("2524-7", 1.5, 0.15),
            ("8480-6", 120, -1.0),
            ("9269-2", 15, -0.2),
        ):
            rows.append(observations.build_observation(case, code, at, start + trend * slope * hour, source="entry"))
    observations.store_observations(case, rows)
    prediction_requests.request_predictions(case)


def work() -> None:
    """What the worker does until nothing waits."""
    tasks = {NoteExtraction: read_note, Summary: summarise, Prediction: predict, SpecialtyExplanation: explain_note}
    for _round in range(4):
        deliver_events()
        for model, task in tasks.items():
            for pk in list(model.objects.filter(state=State.QUEUED).values_list("pk", flat=True)):
                task(str(pk))


def deliver_events() -> None:
    """What happens after the commit that a test never makes: every published event reaches its handlers."""
    for pk in list(OutboxMessage.objects.values_list("pk", flat=True)):
        assert deliver(pk)


def everything(case: Case, actor: User) -> dict[str, str]:
    """One of each thing that has an address, by the name of its argument."""
    note = written(case, actor, "There is no pneumonia. Fever, temperature 38.9 C.")
    measured(case, hours=7)
    work()
    team = CareTeam.objects.get(name="Team A")
    alarms.set_rule(team, "8867-4", above=1, below=None, actor=actor)
    alarms.evaluate(case)
    parcel = observation_imports.prepare_import(case, b"time,code,value\n2026-01-01,8867-4,80\n", actor=actor)
    report = authoring.begin(case, study=case.studies.get(), actor=actor)
    authoring.save(report, {"findings": "f", "impression": "i"}, [], revision=1, actor=actor)
    authoring.issue(report, ReportState.FINAL, revision=2, actor=actor)
    third = CareTeam.objects.create(name="Team C")
    third.members.add(actor)
    return {
        "case": str(case.pk),
        "note": str(note.pk),
        "revision": "1",
        "why": str(note_extraction.request_specialty_explanation(note_extraction.newest(note), actor=actor).pk),  # type: ignore[arg-type, union-attr]
        "concept": str(Concept.objects.filter(reading__note=note).first().pk),
        "statement": str(add_statement(case, StatementKind.ALLERGY, text="Penicillin", actor=actor).pk),
        "discordance": str(Discordance.objects.get(case=case).pk),
        "alarm": str(Alarm.objects.get(case=case).pk),
        "rule": str(AlarmRule.objects.get().pk),
        "parcel": str(parcel.pk),
        "value": str(case.observations.first().pk),
        "question": str(prediction_requests.what_if(case, {"HR": 80.0}, actor=actor).pk),
        "report": str(report.pk),
        "task": str(collaboration.add_task(case, "Call", actor=actor).pk),
        "document": str(collaboration.add_document(case, "a.txt", b"text", actor=actor).pk),
        "referral": str(collaboration.refer(case, third, "What is it?", actor=actor).pk),
        "hand_over": str(
            collaboration.hand_over(case, actor, severity="stable", summary="Fine.", expected="", actor=actor).pk
        ),
    }
