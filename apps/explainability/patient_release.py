"""Letting the patient see an explanation: only by a physician, only what was checked and is not weak."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.contact.mail import notify_patient as notify_patient
from apps.explainability.drawing.overlay import Style
from apps.explainability.exports import LARGEST, film_with_overlay
from apps.explainability.labels import PLAIN_ZONES
from apps.explainability.models import Explanation, ExplanationRelease, Stage
from apps.explainability.queries import places
from apps.inference.access import can
from apps.jobs.errors import UserError
from apps.protection import blobs


def draft(explanation: Explanation) -> str:
    """A sentence in plain words to begin with; the physician writes what is true for this patient."""
    named = [PLAIN_ZONES[place["zone"]] for place in places(explanation) if place["value"] > 0]
    inside = [str(words) for words in named if words][:2]
    found = _("A computer program that supports your doctors found signs of: %(finding)s.") % {
        "finding": explanation.finding.title
    }
    where = _("It relied most on: %(places)s.") % {"places": ", ".join(inside)} if inside else ""
    return " ".join([found, where, _("Your doctor has also looked at the image.")]).replace("  ", " ")


def release_explanation(explanation: Explanation, sentence: str, *, actor: User) -> ExplanationRelease:
    """Release the sentence and the picture to the patient; telling again replaces what was told before.

    Raises:
        PermissionError: if the actor is no physician who sees the study.
        UserError: ``not_checked`` or ``weak_explanation``: such a one is shown to no patient.
        ValueError: for an empty sentence.
    """
    if not can(actor, "inference.review_finding", explanation.finding):
        raise PermissionError("only physicians of the patient tell patients")
    if explanation.stage != Stage.CHECKED:
        raise UserError("not_checked")
    if explanation.weaknesses:
        raise UserError("weak_explanation")
    if not sentence.strip():
        raise ValueError("say it in words")
    picture = film_with_overlay(explanation, LARGEST, Style(sign="positive", threshold=0.25))
    try:
        with transaction.atomic():
            explanation.told.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())
            told = ExplanationRelease(explanation=explanation, released_by=actor)
            told.sentence = sentence.strip()
            told.save()
            blobs.write(told.blob, picture, holder=told.key_holder)
            audit.record(actor, "explanation.told", explanation, why="treatment")
            notify_patient(explanation.finding.analysis.series.study.patient, "result_to_read")
    except IntegrityError:  # a double click: the other one has told it
        return explanation.told.get(withdrawn_at=None)
    return told


def withdraw(told: ExplanationRelease, *, actor: User) -> None:
    """Take it back; the patient no longer sees it, the record keeps it.

    Raises:
        PermissionError: if the actor is no physician who sees the study.
    """
    if not can(actor, "inference.review_finding", told.explanation.finding):
        raise PermissionError("only physicians of the patient take it back")
    if ExplanationRelease.objects.filter(pk=told.pk, withdrawn_at=None).update(withdrawn_at=timezone.now()):
        audit.record(actor, "explanation.withdrawn", told.explanation, why="treatment")


def picture(told: ExplanationRelease) -> bytes:
    """The picture as it was released, PNG."""
    return blobs.read(told.blob, holder=told.key_holder)
