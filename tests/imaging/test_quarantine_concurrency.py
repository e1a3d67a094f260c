"""Decisions made at the same time: a double click, and two doctors who disagree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from apps.accounts.models import AuditEntry, CareTeam, User
from apps.imaging.ingest import Received
from apps.imaging.models import Decision, Instance, QuarantinedFile
from apps.imaging.quarantine_decision import decide
from apps.protection import blobs
from tests.factories import film_file, take_in

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(held: QuarantinedFile, actor: User, *decisions: Decision) -> list[Received | None]:
    """Take decisions in threads of their own."""
    start = Barrier(len(decisions))

    def take(decision: Decision) -> Received | None:
        try:
            own = QuarantinedFile.objects.get(pk=held.pk)
            start.wait(10)
            return decide(own, decision, actor=actor)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(decisions)) as pool:
        return list(pool.map(take, decisions))


@pytest.fixture
def held(team: CareTeam, doctor: User) -> QuarantinedFile:
    take_in(film_file(1), team)
    take_in(film_file(2, name="Somebody^Else"), team)
    return QuarantinedFile.objects.get()


def test_a_double_click_files_once(held: QuarantinedFile, doctor: User) -> None:
    results = at_once(held, doctor, Decision.SAME, Decision.SAME, Decision.SAME)
    assert any(result and result.instance for result in results)
    held.refresh_from_db()
    assert (held.decision, Instance.objects.count(), blobs.exists(held.blob)) == (Decision.SAME, 2, False)
    assert AuditEntry.objects.filter(action="file.decided").count() == 1
    assert QuarantinedFile.objects.count() == 1


def test_filed_prevails_over_discarded(held: QuarantinedFile, doctor: User) -> None:
    at_once(held, doctor, Decision.SAME, Decision.OTHER)
    held.refresh_from_db()
    is_filed = Instance.objects.count() == 2
    assert held.decision == (Decision.SAME if is_filed else Decision.OTHER)
    assert not blobs.exists(held.blob)
