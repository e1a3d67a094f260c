"""Release of explanations to the patient: by a physician, and only checked explanations without weaknesses."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.contact.models import PatientRelease, ReleaseKind
from apps.contact.patient_release import Released, release_to_patient, visible_releases, withdraw_release
from apps.explainability.drawing.overlay import Style
from apps.explainability.exports import MAX_EDGE, film_with_overlay
from apps.explainability.labels import PLAIN_ZONES
from apps.explainability.models import Explanation, Stage
from apps.explainability.queries import zones
from apps.inference.access import can
from apps.jobs.errors import UserError
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose


def draft(explanation: Explanation) -> str:
    """Draft a plain-language explanation, which the physician edits for this patient."""
    named = [PLAIN_ZONES[row["zone"]] for row in zones(explanation) if row["value"] > 0]
    inside = [str(words) for words in named if words][:2]
    finding = _("A computer program that supports your doctors found signs of: %(finding)s.") % {
        "finding": explanation.finding.title
    }
    where = _("It relied most on: %(places)s.") % {"places": ", ".join(inside)} if inside else ""
    return " ".join([finding, where, _("Your doctor has also looked at the image.")]).replace("  ", " ")


@dataclass(frozen=True)
class ReleasedExplanation(Released):
    """An explanation released to the patient: the text and the image at the time of release."""

    explanation: Explanation

    @property
    def sentence(self) -> str:
        """The physician's explanation for the patient."""
        return self.release.words


def release_explanation(explanation: Explanation, sentence: str, *, actor: User) -> PatientRelease:
    """Release the text and the image to the patient; it replaces an earlier release.

    Raises:
        PermissionError: if the actor is no physician who sees the study.
        UserError: ``not_checked`` or ``weak_explanation``; and see :func:`release_to_patient`.
    """
    if not can(actor, "inference.review_finding", explanation.finding):
        raise PermissionError("only physicians of the patient may release explanations")
    if explanation.stage != Stage.CHECKED:
        raise UserError("not_checked")
    if explanation.weaknesses:
        raise UserError("weak_explanation")
    return release_to_patient(
        explanation.finding.analysis.series.study.patient,
        ReleaseKind.EXPLANATION,
        explanation.pk,
        sentence,
        actor=actor,
        notice="result_to_read",
        picture=film_with_overlay(explanation, MAX_EDGE, Style(sign="positive", threshold=0.25)),
    )


def withdraw_explanation(released: ReleasedExplanation, *, actor: User) -> bool:
    """Withdraw an explanation from the patient; return False if it was withdrawn before.

    Raises:
        PermissionError: if the actor is no physician who sees the study.
    """
    if not can(actor, "inference.review_finding", released.explanation.finding):
        raise PermissionError("only physicians of the patient may withdraw explanations")
    return withdraw_release(released.release, actor=actor)


def released_explanations(actor: Actor | None) -> list[ReleasedExplanation]:
    """Released explanations visible to the actor, if the patient consents to AI; newest first."""
    consented = permitted_filter(Purpose.AI, "patient__")
    releases = list(visible_releases(actor, ReleaseKind.EXPLANATION).filter(consented))
    rows = Explanation.objects.select_related("finding__analysis__package", "finding__analysis__series__study__patient")
    explanations = rows.in_bulk([release.subject_id for release in releases])
    return [
        ReleasedExplanation(release, explanations[release.subject_id])
        for release in releases
        if release.subject_id in explanations
    ]


def find_released(actor: Actor | None, pk: uuid.UUID) -> ReleasedExplanation | None:
    """The release with this id, if the actor may see it."""
    return next((released for released in released_explanations(actor) if released.pk == pk), None)
