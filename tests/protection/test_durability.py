from __future__ import annotations

import pytest
from django.db import connection, transaction

from apps.protection.durability import durable_commit


def synchronous() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL syncs every commit")
def test_commits_within_are_synced_and_others_as_before() -> None:
    before = synchronous()
    with durable_commit(), transaction.atomic():
        assert synchronous() == 2  # FULL
    assert synchronous() == before == 1  # NORMAL
    with pytest.raises(ZeroDivisionError), durable_commit():
        _ = 1 / 0
    assert synchronous() == 1
    with transaction.atomic(), durable_commit():  # the pragma has no effect within a transaction
        assert synchronous() == 1
