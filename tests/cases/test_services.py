from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import CareTeam, Notice, User
from apps.cases import collaboration, services, timeline
from apps.jobs.errors import UserError
from apps.notes import editing
from apps.notes.models import Note
from apps.records import conflicts, event_log
from apps.records.access import can, visible_to
from apps.records.models import Case, CaseStatus, Event, EventKind, Observation, StatementKind
from apps.records.observations import add
from apps.records.problem_list import add_statement, set_status
from apps.terminology.icd10 import search_codes
from tests.factories import browser_of


def test_the_list_and_the_answer_for_one_agree(
    case: Case, doctor: User, nurse: User, stranger: User, admin_user: User, auditor: User, researcher: User
) -> None:
    for actor in (doctor, nurse, stranger, admin_user, auditor, researcher, None):
        assert can(actor, "records.view_case", case) == visible_to(actor).filter(pk=case.pk).exists(), actor
    assert can(doctor, "records.decide_case", case) and not can(nurse, "records.decide_case", case)
    assert not visible_to(stranger).exists() and visible_to(nurse).exists()


def test_two_change_a_case_at_once(case: Case, doctor: User, radiologist: User) -> None:
    services.change(case, revision=1, title="Sepsis", actor=radiologist)
    with pytest.raises(conflicts.EditConflict):
        services.change(case, revision=1, title="Pneumonia", actor=doctor)
    form = {"title": "Pneumonia", "priority": "1", "started_at": "2026-01-01T10:00", "revision": "1"}
    answer = browser_of(doctor).post(reverse("cases:change", args=[case.pk]), form)
    page = answer.content.decode()
    assert answer.status_code == 409 and "Sepsis" in page and "Pneumonia" in page
    assert (
        browser_of(doctor).post(reverse("cases:change", args=[case.pk]), {**form, "revision": "2"}).status_code == 302
    )
    case.refresh_from_db()
    assert case.title == "Pneumonia" and case.revision == 3


def test_assigning_tells_and_only_those_who_see(case: Case, doctor: User, radiologist: User, stranger: User) -> None:
    services.change(case, revision=1, assignee=radiologist, actor=doctor)
    assert Notice.objects.get(user=radiologist).code == "case_assigned"
    with pytest.raises(PermissionError):
        services.change(case, revision=2, assignee=stranger, actor=doctor)


def test_merging_moves_everything_and_keeps_what_collides(case: Case, doctor: User) -> None:
    other = services.open_case(case.patient, title="Second", started_at=case.started_at, actor=doctor)
    editing.write(other, "Written in the second.", actor=doctor)
    at = case.started_at + timedelta(hours=1)
    for one, value in ((case, "80"), (other, "90")):
        add(one, "8867-4", value, "", at, actor=doctor)
    add(other, "8867-4", "91", "", at + timedelta(hours=1), actor=doctor)
    services.merge(other, case, actor=doctor)
    other.refresh_from_db()
    assert other.status == CaseStatus.MERGED and other.merged_into == case
    assert Note.objects.get().case == case
    rows = Observation.objects.filter(case=case).order_by("at", "origin")
    assert [(row.value, row.origin) for row in rows] == [(80, ""), (90, other.number), (91, "")], "both stay"
    page = browser_of(doctor).get(reverse("records:values", args=[case.pk])).content.decode()
    assert f"from case {other.number}" in page
    with pytest.raises(UserError):
        services.merge(other, case, actor=doctor)


def test_closed_is_read_only_until_opened_again(case: Case, doctor: User, nurse: User) -> None:
    with pytest.raises(PermissionError):
        services.close(case, actor=nurse)
    assert services.close(case, actor=doctor) and not services.close(case, actor=doctor)
    with pytest.raises(UserError):
        editing.write(case, "Late.", actor=doctor)
    assert services.reopen(case, actor=doctor)
    assert editing.write(case, "In time.", actor=doctor)


def test_statements_are_there_once_and_codes_are_found(case: Case, doctor: User) -> None:
    assert search_codes("J18")[0].code == "J18.9"
    assert search_codes("bacterial pneumonia")[0].code == "J15.9"
    client = browser_of(doctor)
    assert client.get(reverse("records:codes"), {"q": "asthma"}).json()["codes"]
    for _click in range(2):
        client.post(
            reverse("records:state", args=[case.pk]),
            {"kind": "problem", "text": "J18.9 Pneumonia, unspecified organism"},
        )
    row = case.statements.get()
    assert row.code == "J18.9" and row.details["text"] == "Pneumonia, unspecified organism"
    assert set_status(row, "resolved", actor=doctor) and not set_status(row, "resolved", actor=doctor)
    again = add_statement(case, StatementKind.PROBLEM, text="Pneumonia", code="J18.9", actor=doctor)
    assert again.pk != row.pk


def test_a_referral_opens_the_record_and_ending_it_closes_it(case: Case, doctor: User, stranger: User) -> None:
    team = CareTeam.objects.get(name="Team B")
    assert not visible_to(stranger).exists()
    referral = collaboration.refer(case, team, "Is this a nodule?", actor=doctor)
    assert Notice.objects.get(user=stranger).code == "case_referred"
    assert visible_to(stranger).filter(pk=case.pk).exists()
    with pytest.raises(UserError):
        collaboration.refer(case, team, "Again?", actor=doctor)
    with pytest.raises(PermissionError):
        collaboration.answer(referral, "No.", actor=doctor)
    assert collaboration.answer(referral, "No: a vessel.", actor=stranger) and not collaboration.answer(
        referral, "x", actor=stranger
    )
    assert collaboration.end_referral(referral, actor=doctor) and not collaboration.end_referral(referral, actor=doctor)
    assert not visible_to(stranger).exists()


def test_mentions_reach_colleagues_only(case: Case, doctor: User, nurse: User, stranger: User) -> None:
    said = collaboration.comment(
        case, f"@{nurse.username} and @{stranger.username}, please look. mail@example.org", actor=doctor
    )
    assert list(said.mentions.all()) == [nurse]
    assert Notice.objects.filter(code="case_mentioned").count() == 1


def test_handing_over_is_accepted_by_the_receiver(case: Case, doctor: User, radiologist: User) -> None:
    passed = collaboration.hand_over(
        case, radiologist, severity="watch", summary="Septic.", expected="Intubate.", actor=doctor
    )
    with pytest.raises(PermissionError):
        collaboration.accept(passed, actor=doctor)
    assert collaboration.accept(passed, actor=radiologist) and not collaboration.accept(passed, actor=radiologist)
    case.refresh_from_db()
    assert case.assignee == radiologist


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7 x", "application/pdf"),
        ("Brief an die Hausärztin".encode(), "text/plain"),
        (b"MZ\x00\x00", None),
        (b"", None),
    ],
)
def test_documents_by_what_they_are(case: Case, doctor: User, content: bytes, media_type: str | None) -> None:
    if media_type is None:
        with pytest.raises(UserError):
            collaboration.add_document(case, "a.pdf", content, actor=doctor)
        return
    document = collaboration.add_document(case, "../evil\x00name.html", content, actor=doctor)
    answer = browser_of(doctor).get(reverse("cases:document", args=[case.pk, document.pk]))
    assert answer.content == content and answer["Content-Type"] == media_type
    assert answer["Content-Disposition"].startswith("attachment") and "evil" not in answer["Content-Disposition"]


def test_the_timeline_pages_without_gaps_and_without_a_query_for_each(case: Case, doctor: User) -> None:
    now = timezone.now()
    event_log.store_events(
        event_log.build_event(
            case,
            EventKind.VALUE,
            "value.8867-4",
            at=now - timedelta(minutes=n // 3),
            subject=f"value:{n}",
            what="x",
            value=n,
            unit="",
        )
        for n in range(300)
    )
    seen, after = [], ""
    while True:
        page = timeline.page(case, after=after)
        seen += [event.pk for event in page.events]
        if not page.older:
            break
        after = page.older
    assert len(seen) == len(set(seen)) == Event.objects.filter(case=case).count()
    client = browser_of(doctor)
    url = reverse("cases:timeline", args=[case.pk])
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    assert len(queries) < 30
    assert "No events in this period" in client.get(url, {"kind": "alarm"}).content.decode()
    assert client.get(url, {"after": "nonsense", "since": "x"}).status_code == 200
