"""Export of the patient's data as a FHIR R5 Bundle: what the portal shows, nothing that was not released."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.models import User
from apps.contact.access import visible_appointments, visible_questions
from apps.contact.models import Appointment, AppointmentState, Question
from apps.explainability.explanation_release import released_explanations
from apps.patients.models import Patient, Sex
from apps.portal.consents import consent_rows
from apps.recommendations.guidelines.plans import care_plan
from apps.recommendations.queries import advice_of, of_patient, subject_of
from apps.reports.export import fhir
from apps.reports.report_release import released_reports

GENDERS = {Sex.FEMALE: "female", Sex.MALE: "male", Sex.OTHER: "other"}
STATES = {
    AppointmentState.BOOKED: "booked",
    AppointmentState.CONFIRMED: "booked",
    AppointmentState.UNWANTED: "pending",
    AppointmentState.CANCELLED: "cancelled",
}


def everything(actor: User, own: Patient) -> dict[str, Any]:
    """Return everything that the patient's pages show."""
    return {
        "record": own,
        "recommendations": of_patient(actor, own),
        "appointments": list(visible_appointments(actor).filter(patient=own)),
        "questions": list(visible_questions(actor).filter(patient=own)),
        "results": released_explanations(actor),
        "reports": released_reports(actor),
        "consents": consent_rows(own),
        "now": timezone.now(),
    }


def bundle(actor: User, own: Patient) -> dict[str, Any]:
    """Build a Bundle of type collection."""
    rows = everything(actor, own)
    subject = subject_of(own)
    resources = [_patient(own)]
    resources.append(care_plan("plan", subject, [advice_of(row) for row in rows["recommendations"]], rows["now"]))
    resources += [_appointment(row, subject.reference) for row in rows["appointments"]]
    resources += [_question(row, subject.reference) for row in rows["questions"]]
    for release in rows["reports"]:
        resources += _report(release, own)
    resources += [
        _result(str(release.pk), release.sentence, release.released_at, str(release.released_by), subject.reference)
        for release in rows["results"]
    ]
    resources += [_consent(row, subject.reference) for row in rows["consents"] if row.said]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": rows["now"].isoformat(),
        "entry": [{"fullUrl": f"urn:uuid:{own.pk}" if number == 0 else f"urn:medportal:{number}", "resource": resource}
                  for number, resource in enumerate(resources)],
    }  # fmt: skip


def _patient(own: Patient) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": str(own.pk),
        "identifier": [subject_of(own).reference["identifier"]],
        "name": [{"text": own.display_name or "?"}],
        "gender": GENDERS.get(Sex(own.sex), "unknown"),
    }
    if own.birth_date:
        resource["birthDate"] = own.birth_date.isoformat()
    return resource


def _appointment(row: Appointment, subject: dict[str, Any]) -> dict[str, Any]:
    status = {AppointmentState.CONFIRMED: "accepted", AppointmentState.UNWANTED: "declined"}
    return {
        "resourceType": "Appointment",
        "id": str(row.pk),
        "status": STATES[AppointmentState(row.state)],
        "description": row.title,
        "start": row.starts_at.isoformat(),
        "end": (row.starts_at + timedelta(minutes=row.minutes)).isoformat(),
        "participant": [{"actor": subject, "status": status.get(AppointmentState(row.state), "needs-action")}],
    }


def _question(row: Question, subject: dict[str, Any]) -> dict[str, Any]:
    texts = [row.text, row.answer] if row.answered_at else [row.text]
    return {
        "resourceType": "Communication",
        "id": str(row.pk),
        "status": "completed" if row.answered_at else "in-progress",
        "subject": subject,
        "sent": row.asked_at.isoformat(),
        "payload": [{"contentCodeableConcept": {"text": text}} for text in texts],
    }


def _report(release: Any, own: Patient) -> list[dict[str, Any]]:
    version = release.version
    texts = version.content["sections"]
    return [
        fhir.diagnostic_report(
            pk=str(version.pk),
            state=version.state,
            patient={"mrn": own.mrn, "issuer": own.mrn_issuer, "name": own.display_name},
            study_uid=version.report.study.study_instance_uid if version.report.study else "",
            issued=version.issued_at,
            effective=None,
            author=str(version.issued_by),
            conclusion=texts.get("impression", ""),
            text="\n\n".join([release.words, *(text for text in texts.values() if text.strip())]),
        )
    ]


def _result(pk: str, sentence: str, at: datetime, doctor: str, subject: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "id": pk,
        "status": "completed",
        "subject": subject,
        "sent": at.isoformat(),
        "sender": {"display": doctor},
        "payload": [{"contentCodeableConcept": {"text": sentence}}],
        "note": [{"text": "Decision support by a computer model, released by a physician."}],
    }


def _consent(row: Any, subject: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "id": f"consent-{row.purpose.value}",
        "status": "active",
        "subject": subject,
        "date": row.said.at.date().isoformat(),
        "decision": "permit" if row.permitted else "deny",
        "category": [{"text": str(row.purpose.label)}],
    }
