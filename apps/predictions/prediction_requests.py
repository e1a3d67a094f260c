"""Requesting predictions about a case, including what-if questions."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.inference.models import PackageVersion
from apps.jobs import leases
from apps.jobs.enqueue import enqueue_job
from apps.jobs.errors import UserError
from apps.jobs.models import State, Urgency
from apps.predictions.models import Prediction, PredictionKind
from apps.records.access import models_permitted, require
from apps.records.models import Case

PACKAGES = {
    PredictionKind.DETERIORATION: "icu-deterioration",
    PredictionKind.CASE_RISK: "case-risk",
    PredictionKind.NEXT_EVENT: "next-event",
}
MAX_QUESTIONS = 10
"""What-if questions stored per user; older ones are deleted."""


def package_for(kind: PredictionKind) -> PackageVersion | None:
    """The newest active version of the package for this kind of prediction."""
    return PackageVersion.objects.filter(name=PACKAGES[kind], active=True).order_by("-installed_at").first()


def request_predictions(case: Case) -> None:
    """Request new predictions of every kind after a change; a queued request is reused, as it sees the change too."""
    if not case.is_open or not models_permitted(case.patient):
        return
    for kind in PredictionKind:
        package = package_for(kind)
        if package is not None:
            _enqueue(case, kind, package)


def request(case: Case, kind: PredictionKind, *, actor: User) -> Prediction:
    """Request a prediction on behalf of a clinician; a failed one is retried.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``model_missing`` or ``no_ai_consent``.
    """
    package = _require_package(case, kind, actor)
    prediction = _enqueue(case, kind, package)
    leases.retry(prediction)
    audit.record(actor, "prediction.requested", prediction, kind=kind.value)
    return prediction


def what_if(case: Case, values: dict[str, float], *, actor: User) -> Prediction:
    """Request the risk with other values in place of the newest ones; nothing is added to the record.

    Args:
        values: by variable code of the package, in its unit.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``model_missing``, ``no_ai_consent`` or ``value_impossible``.
    """
    kind = PredictionKind.DETERIORATION
    package = _require_package(case, kind, actor)
    known = {variable["code"]: variable for variable in package.card["variables"]}
    for code, value in values.items():
        if code not in known:
            raise UserError("value_code", given=code[:40])
        low, high = known[code]["low"], known[code]["high"]
        if not low <= value <= high:
            raise UserError(
                "value_impossible", value=f"{value:g}", unit=known[code]["unit"], least=f"{low:g}", most=f"{high:g}"
            )
    with transaction.atomic():
        question = Prediction(case=case, kind=kind, package=package, asker=actor, urgency=Urgency.INTERACTIVE)
        question.question = {"values": values}
        question.save(force_insert=True)
        audit.record(actor, "prediction.what_if", question, variables=sorted(values))
        questions = Prediction.objects.filter(asker=actor).order_by("-queued_at").values_list("pk", flat=True)
        Prediction.objects.filter(pk__in=list(questions[MAX_QUESTIONS:])).delete()
        enqueue_job(question)
    return question


def newest(case: Case, kind: PredictionKind) -> Prediction | None:
    """The newest prediction about the case (no what-if), finished or not."""
    rows = Prediction.objects.filter(case=case, kind=kind, asker=None).select_related("package", "case")
    return rows.order_by("-queued_at").first()


def answered(case: Case, kind: PredictionKind) -> Prediction | None:
    """The newest finished prediction about the case (no what-if)."""
    rows = Prediction.objects.filter(case=case, kind=kind, asker=None, state=State.SUCCEEDED)
    return rows.select_related("package", "case").order_by("-queued_at").first()


def _enqueue(case: Case, kind: PredictionKind, package: PackageVersion) -> Prediction:
    with transaction.atomic():
        rows = Prediction.objects.select_for_update().filter(case=case, kind=kind, asker=None, state=State.QUEUED)
        waiting = rows.first()
        if waiting is None:
            waiting = Prediction(
                case=case, kind=kind, package=package, urgency=Urgency.INTERACTIVE, as_of=timezone.now()
            )
            waiting.save(force_insert=True)
            enqueue_job(waiting)
    return waiting


def _require_package(case: Case, kind: PredictionKind, actor: User) -> PackageVersion:
    require(actor, "records.view_case", case)
    if not models_permitted(case.patient):
        raise UserError("no_ai_consent")
    package = package_for(kind)
    if package is None:
        raise UserError("model_missing")
    return package
