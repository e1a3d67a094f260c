"""What one object may, the list shows; and nobody may nothing."""

from __future__ import annotations

from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser

from apps.accounts.actors import System
from apps.accounts.models import AuditEntry, CareTeam, User
from apps.imaging import access as imaging
from apps.imaging.models import Study
from apps.patients import access as patients
from apps.patients.models import Patient
from tests.factories import film_file, take_in


@pytest.fixture
def world(team: CareTeam, doctor: User, stranger: User, patient_user: User, admin_user: User) -> dict[str, object]:
    """Two teams, a patient each; the first patient has an account."""
    take_in(film_file(1, mrn="A"), team)
    take_in(film_file(2, mrn="B"), stranger.care_teams.get())
    first = Patient.objects.get(care_teams=team)
    first.portal_user = patient_user
    first.save()
    inactive = User.objects.create(username="gone", role="doctor", is_active=False)
    inactive.care_teams.add(team)
    return {
        "doctor": doctor,
        "stranger": stranger,
        "patient": patient_user,
        "admin": admin_user,
        "inactive": inactive,
        "nobody": None,
        "anonymous": AnonymousUser(),
        "system": System("a test"),
    }


def test_object_and_list_agree_for_patients(world: dict[str, object]) -> None:
    for actor, patient in product(world.values(), Patient.objects.all()):
        may = patients.can(actor, "patients.view_patient", patient)  # type: ignore[arg-type]
        assert may == patients.visible_to(actor).filter(pk=patient.pk).exists(), (actor, patient)  # type: ignore[arg-type]


def test_object_and_list_agree_for_studies(world: dict[str, object]) -> None:
    for actor, study in product(world.values(), Study.objects.all()):
        may = imaging.can(actor, "imaging.view_study", study)  # type: ignore[arg-type]
        assert may == imaging.visible_to(actor).filter(pk=study.pk).exists(), (actor, study)  # type: ignore[arg-type]


def test_who_sees_what(world: dict[str, object]) -> None:
    seen = {name: imaging.visible_to(actor).count() for name, actor in world.items()}  # type: ignore[arg-type]
    assert seen == {
        "doctor": 1,
        "stranger": 1,
        "patient": 0,
        "admin": 0,
        "inactive": 0,
        "nobody": 0,
        "anonymous": 0,
        "system": 2,
    }
    people = {name: patients.visible_to(actor).count() for name, actor in world.items()}  # type: ignore[arg-type]
    assert people == {**seen, "patient": 1}


def test_the_system_states_its_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        System("")


def test_the_audit_trail_is_only_added_to(world: dict[str, object]) -> None:
    entry = AuditEntry.objects.first()
    assert entry is not None
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
