from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import FieldError
from django.db import connection

from apps.accounts.models import CareTeam
from apps.imaging.models import Study
from apps.patients.identity import Identity, register
from apps.patients.models import Patient
from apps.protection.fields import Sealed
from apps.protection.keys import CannotOpen
from tests.factories import ACTOR


@pytest.fixture
def patient(team: CareTeam) -> Patient:
    identity = Identity("MRN-1", "H", "Nguyễn^Thị", date(2020, 2, 29))
    return register(identity, care_teams=[team], actor=ACTOR)


def raw(patient: Patient, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM patients_patient WHERE id = %s", [patient.pk.hex])
        return bytes(cursor.fetchone()[0])


def test_values_come_back(patient: Patient) -> None:
    fresh = Patient.objects.get(pk=patient.pk)
    assert (fresh.mrn, fresh.name, fresh.birth_date) == ("MRN-1", "Nguyễn^Thị", date(2020, 2, 29))
    assert Patient(birth_date=None).birth_date is None


def test_the_database_holds_ciphertext(patient: Patient) -> None:
    for column, plain in (("name", "Nguyễn"), ("mrn", "MRN-1"), ("birth_date", "2020-02-29")):
        assert plain.encode() not in raw(patient, column)


def test_opening_waits_until_the_value_is_read(patient: Patient) -> None:
    fresh = Patient.objects.get(pk=patient.pk)
    assert isinstance(fresh.__dict__["name"], Sealed)
    assert fresh.name == "Nguyễn^Thị"
    assert "Nguyễn" not in repr(Patient.objects.values_list("name", flat=True)[0])


@pytest.mark.parametrize("column", ["name", "mrn", "address"])
def test_a_ciphertext_moved_elsewhere_does_not_open(patient: Patient, team: CareTeam, column: str) -> None:
    other = register(Identity("MRN-2", "H", "Other^One"), care_teams=[team], actor=ACTOR)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE patients_patient SET {column} = %s WHERE id = %s", [raw(patient, "name"), other.pk.hex])
    with pytest.raises(CannotOpen):
        getattr(Patient.objects.get(pk=other.pk), column)


def test_saving_an_unread_value_keeps_it(patient: Patient) -> None:
    fresh = Patient.objects.get(pk=patient.pk)
    before = raw(patient, "name")
    fresh.sex = "F"
    fresh.save()
    assert raw(patient, "name") == before
    assert Patient.objects.defer("name").get(pk=patient.pk).name == "Nguyễn^Thị"


def test_plaintext_cannot_get_in_by_a_side_door(patient: Patient) -> None:
    assert not Patient.objects.filter(name__isnull=True).exists()
    with pytest.raises(FieldError):
        Patient.objects.filter(name="x").exists()
    with pytest.raises(TypeError):
        Patient.objects.filter(pk=patient.pk).update(name="x")


def test_json_comes_back(patient: Patient) -> None:
    study = Study.objects.create(study_instance_uid="1.2", patient=patient, modalities=",DX,", headers={"a": "ü"})
    assert Study.objects.get(pk=study.pk).headers == {"a": "ü"}


def test_a_row_given_to_another_patient_does_not_open(patient: Patient, team: CareTeam) -> None:
    other = register(Identity("MRN-2", "H", "Other^One"), care_teams=[team], actor=ACTOR)
    study = Study.objects.create(study_instance_uid="1.2", patient=patient, modalities=",DX,", headers={"a": "b"})
    Study.objects.filter(pk=study.pk).update(patient=other)
    with pytest.raises(CannotOpen):
        Study.objects.get(pk=study.pk).headers  # noqa: B018
