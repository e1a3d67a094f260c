"""Content of the demo's patient portal: released recommendations, an appointment, a question, a report."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.accounts.models import User
from apps.contact import appointments, patient_messages
from apps.jobs.models import State
from apps.patients.models import Patient
from apps.recommendations import engine, review
from apps.recommendations.jobs import EvaluateRules
from apps.recommendations.models import Recommendation, RecommendationState, RuleEvaluation
from apps.records.models import Case, StatementKind
from apps.records.observations import build_observation, store_observations
from apps.records.problem_list import add_statement
from apps.reports import authoring, report_release
from apps.reports.models import ReportState

RELEASED = 3
PROBLEMS = {
    "SYN-9001": (
        ("I10", "Essential (primary) hypertension"),
        ("E11.9", "Type 2 diabetes mellitus without complications"),
    ),
    "SYN-9002": (("F17.210", "Nicotine dependence, cigarettes, uncomplicated"),),
    "SYN-9003": (("I10", "Essential (primary) hypertension"),),
}
HABITS = {"SYN-9002": (("8664-5", 28.0), ("29463-7", 94.0), ("8302-2", 178.0))}
"""Pack-years, kilograms, centimetres."""


def enrich(case: Case, doctor: User) -> None:
    """Add the facts used by guideline rules, and request their evaluation."""
    patient = case.patient
    for code, text in PROBLEMS.get(patient.mrn, ()):
        add_statement(case, StatementKind.PROBLEM, text=text, code=code, actor=doctor)
    moment = case.started_at + timedelta(hours=1)
    store_observations(
        case,
        [build_observation(case, code, moment, value, source="entry") for code, value in HABITS.get(patient.mrn, ())],
    )
    engine.request_evaluation(patient, interactive=True)


def fill_page(case: Case, person: User, doctor: User) -> None:
    """Add what the patient sees: an appointment, a question with its answer, and a released report."""
    patient = Patient.objects.get(pk=case.patient_id)
    now = timezone.now()
    visit = (now + timedelta(days=9)).replace(hour=9, minute=30, second=0, microsecond=0)
    appointments.book(
        patient, title="Check of your lungs", place="House 3, room 12", starts_at=visit, minutes=20, actor=doctor
    )
    question = patient_messages.ask(patient, "May I go back to work while I still cough a little?", actor=person)
    patient_messages.answer(
        question, "Yes, if you have no fever. Come back if you cough for more than three weeks.", actor=doctor
    )
    report = authoring.begin(case, study=case.studies.first(), actor=doctor)
    sections = {**report.content["sections"], "findings": "Small patch in one lung.", "impression": "Mild bronchitis."}
    report = authoring.save(report, sections, [], revision=report.revision, actor=doctor)
    version = authoring.issue(report, ReportState.FINAL, revision=report.revision, actor=doctor)
    report_release.release_report(
        version, "Your lungs show a mild infection. It should heal by itself. No cancer was seen.", actor=doctor
    )


def release_first(patient: Patient, doctor: User) -> int:
    """Evaluate the rules now and release the first recommendations; return how many."""
    for evaluation in RuleEvaluation.objects.filter(patient=patient, state=State.QUEUED).values_list("pk", flat=True):
        EvaluateRules().execute(evaluation)
    rows = Recommendation.objects.filter(
        patient=patient, state=RecommendationState.PROPOSED, item__clinicians_only=False
    )
    released = 0
    for row in rows.select_related("patient", "item").order_by("-urgency", "position")[:RELEASED]:
        review.release(row, revision=row.revision, actor=doctor)
        released += 1
    return released
