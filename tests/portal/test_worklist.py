from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import CareTeam, User
from apps.imaging.models import Study, Urgency
from apps.inference.jobs import analyse
from apps.patients.identity import Identity, register
from apps.patients.models import Patient
from apps.portal.clinician.worklist import PAGE
from tests.factories import ACTOR, arrive, film_file


@pytest.fixture
def patient(team: CareTeam) -> Patient:
    return register(Identity("W-1", name="Waits^Wanda"), care_teams=[team], actor=ACTOR)


def add(patient: Patient, **attributes: Any) -> Study:
    uid = f"2.25.{uuid.uuid4().int}"
    return Study.objects.create(study_instance_uid=uid, patient=patient, **{"modalities": ",DX,", **attributes})


def shown(client: Client, **data: str) -> list[str]:
    """UIDs of the page, in order."""
    page = client.post(reverse("portal:worklist"), data).context["page"]
    return [row.study.study_instance_uid for row in page.rows]


def test_urgent_and_new_come_first(patient: Patient, browser_client: Client) -> None:
    old, new = add(patient), add(patient)
    stat, high = add(patient, urgency=Urgency.STAT), add(patient, urgency=Urgency.HIGH)
    assert shown(browser_client) == [row.study_instance_uid for row in (stat, high, new, old)]


def test_pages_follow_each_other_without_gap_or_repeat(patient: Patient, browser_client: Client) -> None:
    for number in range(2 * PAGE + 3):
        add(patient, urgency=number % 3)
    seen: list[str] = []
    after = ""
    for _ in range(3):
        answer = browser_client.post(reverse("portal:worklist"), {"after": after})
        seen += [row.study.study_instance_uid for row in answer.context["page"].rows]
        after = answer.context["page"].older
    assert after == ""
    assert len(seen) == len(set(seen)) == 2 * PAGE + 3
    assert shown(browser_client, after="nonsense|x|y") == seen[:PAGE]


def test_filters(patient: Patient, browser_client: Client) -> None:
    ct = add(patient, modalities=",CT,SR,", study_date=date(2026, 1, 2))
    dx = add(patient, study_date=date(2026, 3, 4))
    both = [dx.study_instance_uid, ct.study_instance_uid]
    assert shown(browser_client, modality="CT") == both[1:]
    assert shown(browser_client, since="2026-02-01") == both[:1]
    assert shown(browser_client, until="2026-02-01") == both[1:]
    assert shown(browser_client, search="wanda") == both
    assert shown(browser_client, search="W-1") == both
    assert shown(browser_client, search="nobody") == []
    assert shown(browser_client, since="yesterday") == both


def test_status_and_finding_filters_follow_the_analysis(packages: None, team: CareTeam, browser_client: Client) -> None:
    sick = arrive(film_file(3, pattern="focal", size=448, mrn="sick"), team)
    uid = sick.series.study.study_instance_uid
    assert shown(browser_client, status="waiting") == [uid]
    analyse(str(sick.pk))
    assert shown(browser_client, status="waiting") == []
    assert shown(browser_client, status="found") == shown(browser_client, finding="pneumonia") == [uid]
    for other in ("clear", "refused", "failed", "reviewed"):
        assert shown(browser_client, status=other) == []


def test_the_number_of_queries_does_not_grow(patient: Patient, browser_client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as counted:
            browser_client.get(reverse("portal:worklist"))
        return len(counted)

    add(patient)
    queries()  # the first answer of a session also marks when it began
    few = queries()
    for _ in range(PAGE - 1):
        add(patient)
    assert queries() == few <= 20


def test_another_team_sees_none(patient: Patient, stranger: User) -> None:
    add(patient)
    client = Client()
    client.force_login(stranger)
    assert shown(client) == []
