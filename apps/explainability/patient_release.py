"""Letting the patient see an explanation: only by a physician, only what was checked and is not weak."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.contact.models import PatientRelease, ReleaseKind
from apps.contact.patient_release import release_to_patient, visible_releases, withdraw_release
from apps.explainability.drawing.overlay import Style
from apps.explainability.exports import LARGEST, film_with_overlay
from apps.explainability.labels import PLAIN_ZONES
from apps.explainability.models import Explanation, Stage
from apps.explainability.queries import places
from apps.inference.access import can
from apps.jobs.errors import UserError
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose


def draft(explanation: Explanation) -> str:
    """A sentence in plain words to begin with; the physician writes what is true for this patient."""
    named = [PLAIN_ZONES[place["zone"]] for place in places(explanation) if place["value"] > 0]
    inside = [str(words) for words in named if words][:2]
    found = _("A computer program that supports your doctors found signs of: %(finding)s.") % {
        "finding": explanation.finding.title
    }
    where = _("It relied most on: %(places)s.") % {"places": ", ".join(inside)} if inside else ""
    return " ".join([found, where, _("Your doctor has also looked at the image.")]).replace("  ", " ")


@dataclass(frozen=True)
class ReleasedExplanation:
    """An explanation that the patient can see: a sentence and the picture as it was then."""

    release: PatientRelease
    explanation: Explanation

    @property
    def pk(self) -> uuid.UUID:
        """The release's id, by which pages address it."""
        return self.release.pk

    @property
    def sentence(self) -> str:
        """What the physician wrote for the patient."""
        return self.release.words

    @property
    def released_by(self) -> User:
        """The physician."""
        return self.release.released_by

    @property
    def released_at(self) -> datetime:
        """Since when the patient can see it."""
        return self.release.released_at


def release_explanation(explanation: Explanation, sentence: str, *, actor: User) -> PatientRelease:
    """Release the sentence and the picture to the patient; releasing again replaces what was released before.

    Raises:
        PermissionError: if the actor is no physician who sees the study.
        UserError: ``not_checked`` or ``weak_explanation``: such a one is shown to no patient; and see
            :func:`release_to_patient`.
    """
    if not can(actor, "inference.review_finding", explanation.finding):
        raise PermissionError("only physicians of the patient release explanations")
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
        picture=film_with_overlay(explanation, LARGEST, Style(sign="positive", threshold=0.25)),
    )


def withdraw_explanation(released: ReleasedExplanation, *, actor: User) -> bool:
    """Take it back; the patient no longer sees it, the record keeps it. False if it was taken back already.

    Raises:
        PermissionError: if the actor is no physician who sees the study.
    """
    if not can(actor, "inference.review_finding", released.explanation.finding):
        raise PermissionError("only physicians of the patient take it back")
    return withdraw_release(released.release, actor=actor)


def released_explanations(actor: Actor | None) -> list[ReleasedExplanation]:
    """What is released, while the patient consents to analysis by models; newest first."""
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
    """The release of this id, if the actor sees it."""
    return next((released for released in released_explanations(actor) if released.pk == pk), None)
