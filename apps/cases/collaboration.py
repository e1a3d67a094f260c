"""Tasks, comments, documents, referrals for a second opinion, and handovers."""

from __future__ import annotations

import re
from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import CLINICIANS, CareTeam, User
from apps.accounts.notifications import notify
from apps.cases.models import Comment, Document, HandOver, Referral, Task
from apps.jobs.errors import UserError
from apps.protection import blobs
from apps.records.access import colleagues, require
from apps.records.event_log import log_event
from apps.records.models import Case, EventKind

DOCUMENT_BYTES = 25 * 2**20
_MENTION = re.compile(r"(?<![\w@])@([\w.+-]{1,150})")
_SIGNATURES = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def add_task(case: Case, title: str, *, actor: User, due: date | None = None, assignee: User | None = None) -> Task:
    """Create a task and notify its assignee.

    Raises:
        PermissionError: if the actor or the assignee does not see the case.
    """
    require(actor, "records.view_case", case)
    if assignee is not None and not colleagues(case).filter(pk=assignee.pk).exists():
        raise PermissionError("the assignee of a task must see the case")
    with transaction.atomic():
        task = Task(case=case, due=due, assignee=assignee, created_by=actor)
        task.title = title.strip()[:300]
        task.save(force_insert=True)
        log_event(case, EventKind.TASK, "task", subject=f"task:{task.pk}", actor=actor, what=task.title)
        audit.record(actor, "task.added", task, why="treatment")
        if assignee is not None and assignee != actor:
            notify([assignee], "case_task", who=str(actor), case=case.number)
    return task


def finish_task(task: Task, *, actor: User) -> bool:
    """Mark a task as done; return False if it was done before.

    Raises:
        PermissionError: if the actor does not see the case.
    """
    require(actor, "records.view_case", task.case)
    with transaction.atomic():
        done = Task.objects.filter(pk=task.pk, done_at=None).update(done_at=timezone.now(), done_by=actor)
        if done:
            log_event(task.case, EventKind.TASK, "task.done", subject=f"task:{task.pk}", actor=actor, what=task.title)
            audit.record(actor, "task.done", task, why="treatment")
    return bool(done)


def comment(case: Case, text: str, *, actor: User) -> Comment:
    """Post a comment and notify the colleagues mentioned with @.

    Raises:
        PermissionError: if the actor does not see the case.
        UserError: ``note_empty``.
    """
    require(actor, "records.view_case", case)
    if not text.strip():
        raise UserError("note_empty")
    with transaction.atomic():
        posted = Comment(case=case, author=actor)
        posted.text = text.strip()[:4000]
        posted.save(force_insert=True)
        named = list(colleagues(case).filter(username__in=_MENTION.findall(posted.text)))
        posted.mentions.set(named)
        notify([user for user in named if user != actor], "case_mentioned", who=str(actor), case=case.number)
        log_event(case, EventKind.TALK, "comment", subject=f"comment:{posted.pk}", actor=actor)
        audit.record(actor, "case.commented", posted, why="treatment")
    return posted


def add_document(case: Case, name: str, content: bytes, *, actor: User) -> Document:
    """Store a file encrypted; its type is determined from its content, not its name.

    Raises:
        PermissionError: if the actor does not see the case.
        UserError: ``document_type`` or ``document_too_large``.
    """
    require(actor, "records.view_case", case)
    if len(content) > DOCUMENT_BYTES:
        raise UserError("document_too_large", most=DOCUMENT_BYTES // 2**20)
    media_type = media_type_of(content)
    if media_type is None:
        raise UserError("document_type")
    with transaction.atomic():
        document = Document(case=case, media_type=media_type, bytes=len(content), added_by=actor)
        document.name = re.sub(r"[\x00-\x1f/\\]", "_", name).strip()[:150] or "document"
        blobs.write(document.blob, content, holder=document.key_holder)
        document.save(force_insert=True)
        log_event(case, EventKind.NOTE, "document", subject=f"document:{document.pk}", actor=actor, what=document.name)
        audit.record(actor, "document.added", document, why="treatment", bytes=len(content))
    return document


def media_type_of(content: bytes) -> str | None:
    """The media type of an accepted file by its signature; None for any other file."""
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    if content and b"\0" not in content:
        try:
            content.decode()
        except UnicodeDecodeError:
            return None
        return "text/plain"
    return None


def refer(case: Case, team: CareTeam, question: str, *, actor: User) -> Referral:
    """Request a second opinion from another care team, which joins the patient's care teams until the referral ends.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``referral_open``, ``referral_own`` or ``note_empty``.
    """
    require(actor, "records.decide_case", case)
    if not question.strip():
        raise UserError("note_empty")
    with transaction.atomic():
        if Referral.objects.filter(case=case, team=team, ended_at=None).exists():
            raise UserError("referral_open")
        if case.patient.care_teams.filter(pk=team.pk).exists():
            raise UserError("referral_own")
        referral = Referral(case=case, team=team, asked_by=actor, opened_record=True)
        referral.question = question.strip()[:4000]
        try:
            with transaction.atomic():
                referral.save(force_insert=True)
        except IntegrityError:
            raise UserError("referral_open") from None
        case.patient.care_teams.add(team)
        log_event(case, EventKind.TALK, "referral", subject=f"referral:{referral.pk}", actor=actor, team=str(team))
        audit.record(actor, "referral.asked", referral, why="treatment", team=str(team.pk))
        members = team.members.filter(is_active=True, role__in=CLINICIANS)
        notify(members, "case_referred", who=str(actor), case=case.number)
    return referral


def answer(referral: Referral, text: str, *, actor: User) -> bool:
    """Record the team's answer; return False if it has been answered or has ended.

    Raises:
        PermissionError: if the actor is no member of the team or does not see the case.
        UserError: ``note_empty``.
    """
    require(actor, "records.view_case", referral.case)
    if not referral.team.members.filter(pk=actor.pk).exists():
        raise PermissionError("only members of the team that was asked may answer")
    if not text.strip():
        raise UserError("note_empty")
    with transaction.atomic():
        now = Referral.objects.select_for_update().select_related("case").get(pk=referral.pk)
        if now.answered_at is not None or now.ended_at is not None:
            return False
        now.answer, now.answered_by, now.answered_at = text.strip()[:8000], actor, timezone.now()
        now.save()
        log_event(
            now.case, EventKind.TALK, "referral.answered", subject=f"referral:{now.pk}", actor=actor, team=str(now.team)
        )
        audit.record(actor, "referral.answered", now, why="treatment")
        notify([now.asked_by], "case_answered", who=str(actor), case=now.case.number)
    return True


def end_referral(referral: Referral, *, actor: User) -> bool:
    """End a referral and the access it opened; return False if it had ended before.

    Raises:
        PermissionError: if the actor is no physician of the patient.
    """
    require(actor, "records.decide_case", referral.case)
    with transaction.atomic():
        done = Referral.objects.filter(pk=referral.pk, ended_at=None).update(ended_at=timezone.now())
        if done:
            patient = referral.case.patient
            others = Referral.objects.filter(case__patient=patient, team=referral.team, ended_at=None)
            if referral.opened_record and not others.exists():
                patient.care_teams.remove(referral.team)
            audit.record(actor, "referral.ended", referral, why="treatment", team=str(referral.team_id))
    return bool(done)


def hand_over(case: Case, receiver: User, *, severity: str, summary: str, expected: str, actor: User) -> HandOver:
    """Hand a case over; the receiver becomes responsible by accepting.

    Raises:
        PermissionError: if either does not see the case.
        UserError: ``note_empty``.
    """
    require(actor, "records.view_case", case)
    if not colleagues(case).filter(pk=receiver.pk).exists():
        raise PermissionError("the receiver of a handover must see the case")
    if not summary.strip():
        raise UserError("note_empty")
    with transaction.atomic():
        handover = HandOver(case=case, giver=actor, receiver=receiver, severity=severity)
        handover.summary, handover.expected = summary.strip()[:4000], expected.strip()[:4000]
        handover.save(force_insert=True)
        log_event(
            case, EventKind.DECISION, "hand_over", subject=f"hand_over:{handover.pk}", actor=actor, who=str(receiver)
        )
        audit.record(actor, "case.handed_over", handover, why="treatment")
        notify([receiver], "case_handed_over", who=str(actor), case=case.number)
    return handover


def accept(handover: HandOver, *, actor: User) -> bool:
    """Accept a handover: the receiver becomes the assignee. Return False if it was accepted before.

    Raises:
        PermissionError: if the actor is not the receiver or no longer sees the case.
    """
    require(actor, "records.view_case", handover.case)
    if handover.receiver_id != actor.pk:
        raise PermissionError("only the receiver may accept a handover")
    with transaction.atomic():
        done = HandOver.objects.filter(pk=handover.pk, accepted_at=None).update(accepted_at=timezone.now())
        if done:
            Case.objects.filter(pk=handover.case_id).update(assignee=actor)
            audit.record(actor, "case.taken_over", handover, why="treatment")
    return bool(done)
