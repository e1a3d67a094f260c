"""The chain of the trail: whatever is changed, removed or reordered is found and named."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from fhir.resources.R4B.auditevent import AuditEvent

from apps.accounts import audit, audit_chain
from apps.accounts.actors import Origin, System, acting_from
from apps.accounts.audit_export import fhir
from apps.accounts.models import AuditEntry, AuditHead, User

ACTOR = System("a test")


@pytest.fixture
def entries(doctor: User) -> list[AuditEntry]:
    for number in range(8):
        with acting_from(Origin("192.0.2.7", "abc")):
            audit.record(doctor if number % 2 else ACTOR, "study.read", doctor, why="treatment", number=number)
    audit_chain.link_waiting()
    audit_chain.checkpoint()
    return list(AuditEntry.objects.order_by("sequence"))


def problems() -> list[int]:
    return [problem.sequence for problem in audit_chain.verify().problems]


def test_an_untouched_chain_holds(entries: list[AuditEntry]) -> None:
    found = audit_chain.verify()
    assert (found.entries, found.checkpoints, found.unlinked, found.problems) == (8, 1, 0, [])
    call_command("audit", "verify")


@pytest.mark.parametrize(
    "change", [{"action": "x"}, {"why": "curiosity"}, {"source": ""}, {"facts": {}}, {"outcome": "refused"}]
)
def test_a_changed_entry_is_named(entries: list[AuditEntry], change: dict[str, object]) -> None:
    AuditEntry.objects.filter(pk=entries[3].pk).update(**change)
    found = audit_chain.verify().problems
    assert [(problem.sequence, problem.entry) for problem in found] == [(4, str(entries[3].pk))]
    with pytest.raises(CommandError, match="1 problems"):
        call_command("audit", "verify")


def test_a_removed_entry_is_named(entries: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=entries[3].pk).delete()
    assert problems() == [4]


def test_a_removed_end_is_found_by_its_signature(entries: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(sequence__gte=7).delete()
    AuditHead.objects.update(sequence=6, digest=entries[5].digest)
    assert problems() == [8]


def test_reordered_entries_are_named(entries: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=entries[2].pk).update(sequence=100)
    AuditEntry.objects.filter(pk=entries[3].pk).update(sequence=3)
    AuditEntry.objects.filter(pk=entries[2].pk).update(sequence=4)
    assert set(problems()) >= {3, 4}


def test_a_chain_computed_anew_differs_from_its_checkpoint(entries: list[AuditEntry]) -> None:
    """Somebody who writes the database changes an entry and recomputes every digest after it."""
    AuditEntry.objects.filter(pk=entries[3].pk).update(action="nothing.happened")
    before = entries[2].digest
    for entry in AuditEntry.objects.filter(sequence__gte=4).order_by("sequence"):
        before = audit_chain._digest(before, audit_chain._values(entry))
        AuditEntry.objects.filter(pk=entry.pk).update(digest=before)
    AuditHead.objects.update(digest=before)
    found = audit_chain.verify().problems
    assert [problem.sequence for problem in found] == [8] and "rewritten" in found[0].text


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_linked_at_once(doctor: User) -> None:
    audit.record(doctor, "study.opened")
    audit.record(doctor, "study.opened")
    assert list(AuditEntry.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2]
    assert not audit_chain.verify().problems


def test_entries_are_only_added(entries: list[AuditEntry]) -> None:
    with pytest.raises(TypeError):
        entries[0].save()
    with pytest.raises(TypeError):
        entries[0].delete()


def test_entries_are_valid_fhir(entries: list[AuditEntry], tmp_path) -> None:  # type: ignore[no-untyped-def]
    for entry in entries:
        event = AuditEvent.model_validate_json(json.dumps(fhir(entry)))
        assert event.outcome == "0" and event.action == "R"
    out = tmp_path / "trail.ndjson"
    call_command("audit", "export", "--out", str(out))
    assert len(out.read_text().splitlines()) == 8
