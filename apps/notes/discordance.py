"""Where a note says one thing and a model of images another."""

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
    """Hold the newest readings of the case's notes against the findings on its studies; what is new.

    A note that denies what a model calls positive, and a note that states (surely, of now, of the patient) what every
    model that knows the label calls negative. Past, family and doubt contradict nothing; nor does what a clinician has
    called wrong. What no longer holds (the note was rewritten) goes, unless somebody has settled it.
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
        keep = {(finding.pk, concept.pk) for finding, concept in pairs}
        for row in Discordance.objects.filter(case=case, settled_at=None):
            if (row.finding_id, row.concept_id) not in keep:
                row.delete()
        made = []
        for finding, concept in pairs:
            row, created = Discordance.objects.get_or_create(finding=finding, concept=concept, defaults={"case": case})
            if created:
                made.append(row)
                log_event(case, EventKind.DECISION, "discordance", subject=f"discordance:{row.pk}", what=finding.title)
    return made


def settle(row: Discordance, *, actor: User) -> bool:
    """A clinician has looked at both; False if it is settled already.

    Raises:
        PermissionError: if the actor does not see the case.
    """
    require(actor, "records.view_case", row.case)
    done = Discordance.objects.filter(pk=row.pk, settled_at=None).update(settled_at=timezone.now(), settled_by=actor)
    if done:
        audit.record(actor, "discordance.settled", row, why="treatment")
    return bool(done)


def open_by_study(studies: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the studies with a contradiction that nobody has settled; for lists of what the reader sees anyway."""
    rows = Discordance.objects.filter(finding__analysis__series__study__in=list(studies), settled_at=None)
    return set(rows.values_list("finding__analysis__series__study_id", flat=True))


def _current(case: Case, labels: set[str]) -> list[Concept]:
    """The concepts of the newest reading of each note, as far as they name a label."""
    rows = Concept.objects.filter(reading__note__case=case, label__in=labels).exclude(verdict=ConceptVerdict.REJECTED)
    found = rows.select_related("reading__note")
    return [concept for concept in found if concept.reading.revision == concept.reading.note.revision]


def _against(concept: Concept, findings: list[Finding]) -> list[Finding]:
    mine = [finding for finding in findings if finding.label == concept.label]
    positive = [finding for finding in mine if finding.positive]
    if concept.negated:
        return positive[:1]
    return [] if positive else mine[:1]
