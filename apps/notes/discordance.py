"""Discordance between what a note asserts and what an imaging model found."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.inference.models import Finding
from apps.jobs.models import State
from apps.notes.models import Concept, ConceptVerdict, Discordance
from apps.records.access import require
from apps.records.event_log import log_event
from apps.records.models import Case, EventKind


def compare(case: Case) -> list[Discordance]:
    """Compare the current extractions of the case's notes with its findings; return the new discordances.

    Two cases count: a note negates a label that a model reports as positive, or a note affirms (current, certain, about
    the patient) a label that every model with that label reports as negative. Historical, family and uncertain mentions
    contradict nothing, nor do concepts that a clinician rejected. Discordances that no longer hold because the note was
    edited are deleted unless a clinician has already settled them.
    """
    findings = list(
        Finding.objects.filter(analysis__series__study__cases=case, analysis__state=State.SUCCEEDED, is_abnormal=True)
        .select_related("analysis__series__study", "analysis__package")
        .order_by("-analysis__finished_at")
    )
    labels = {finding.label for finding in findings}
    stated = [
        concept for concept in _current(case, labels) if not (concept.historical or concept.family or concept.uncertain)
    ]
    pairs = [(finding, concept) for concept in stated for finding in _against(concept, findings)]
    with transaction.atomic():
        current_pairs = {(finding.pk, concept.pk) for finding, concept in pairs}
        for row in Discordance.objects.filter(case=case, settled_at=None):
            if (row.finding_id, row.concept_id) not in current_pairs:
                row.delete()
        new_rows = []
        for finding, concept in pairs:
            row, created = Discordance.objects.get_or_create(finding=finding, concept=concept, defaults={"case": case})
            if created:
                new_rows.append(row)
                log_event(case, EventKind.DECISION, "discordance", subject=f"discordance:{row.pk}", what=finding.title)
    return new_rows


def settle(row: Discordance, *, actor: User) -> bool:
    """Mark a discordance as reviewed by a clinician; return False if it was settled before.

    Raises:
        PermissionError: if the actor does not see the case.
    """
    require(actor, "records.view_case", row.case)
    done = Discordance.objects.filter(pk=row.pk, settled_at=None).update(settled_at=timezone.now(), settled_by=actor)
    if done:
        audit.record(actor, "discordance.settled", row, why="treatment")
    return bool(done)


def open_by_study(studies: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return the studies with unsettled discordances. Does not check access: callers pass studies the user may see."""
    rows = Discordance.objects.filter(finding__analysis__series__study__in=list(studies), settled_at=None)
    return set(rows.values_list("finding__analysis__series__study_id", flat=True))


def _current(case: Case, labels: set[str]) -> list[Concept]:
    """Concepts of each note's current revision that map to one of ``labels``."""
    rows = Concept.objects.filter(reading__note__case=case, label__in=labels).exclude(verdict=ConceptVerdict.REJECTED)
    concepts = rows.select_related("reading__note")
    return [concept for concept in concepts if concept.reading.revision == concept.reading.note.revision]


def _against(concept: Concept, findings: list[Finding]) -> list[Finding]:
    same_label = [finding for finding in findings if finding.label == concept.label]
    positive = [finding for finding in same_label if finding.positive]
    if concept.negated:
        return positive[:1]
    return [] if positive else same_label[:1]
