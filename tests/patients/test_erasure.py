"""An erased patient stays erased, even when yesterday's backup is restored."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from apps.accounts.models import AuditEntry, CareTeam, User
from apps.imaging.models import Instance, Study, UploadedFile
from apps.imaging.queries import frame_bytes
from apps.jobs.errors import UserError
from apps.patients.erasure import erase, lift_hold, place_hold
from apps.patients.models import Patient
from apps.protection import keys
from tests.factories import film_file, take_in


@pytest.mark.django_db(transaction=True)
def test_a_restored_backup_cannot_be_opened(
    team: CareTeam, admin_user: User, sealed_store: Path, tmp_path: Path
) -> None:
    take_in(film_file(), team)
    take_in(film_file(2, mrn="MRN-2", name="Other^One"), team)
    patient = _patient("MRN-1")
    copies = _back_up(sealed_store, tmp_path)
    erased = erase(patient, actor=admin_user)
    assert erased.blobs == 1 and erased.rows > 3
    assert not Patient.objects.filter(pk=erased.record).exists() and Study.objects.count() == 1
    assert not list(sealed_store.rglob(f"*{erased.record.hex}*"))

    _restore(copies, sealed_store)
    keys.forget()
    restored = Patient.objects.get(pk=erased.record)
    instance = Instance.objects.get(series__study__patient=restored)
    for attempt in (
        lambda: restored.name,
        lambda: restored.mrn,
        lambda: instance.series.study.headers,
        lambda: frame_bytes(instance, 1),
    ):
        with pytest.raises(keys.KeyDestroyed):
            attempt()
    other = _patient("MRN-2")
    assert other.name == "Other^One" and frame_bytes(Instance.objects.get(series__study__patient=other), 1)


def _patient(mrn: str) -> Patient:
    from apps.patients.queries import with_identity

    found = with_identity(mrn, "")
    assert found
    return found


def _back_up(store: Path, folder: Path) -> tuple[Path, Path]:
    database, blobs = folder / "backup.sqlite3", folder / "blobs"
    with sqlite3.connect(database) as copy:
        connections["default"].ensure_connection()
        connections["default"].connection.backup(copy)
    shutil.copytree(store, blobs)
    return database, blobs


def _restore(copies: tuple[Path, Path], store: Path) -> None:
    database, blobs = copies
    with connections["default"].cursor() as cursor:
        cursor.execute("ATTACH %s AS old", [str(database)])
        for table in ("patients_patient", "imaging_study", "imaging_series", "imaging_instance"):
            cursor.execute(f"PRAGMA table_info({table})")  # lists no generated columns
            columns = ", ".join(column[1] for column in cursor.fetchall())
            cursor.execute(f"INSERT OR IGNORE INTO {table} ({columns}) SELECT {columns} FROM old.{table}")
        cursor.execute("DETACH old")
    shutil.rmtree(store)
    shutil.copytree(blobs, store)


def test_a_legal_hold_forbids_it(team: CareTeam, admin_user: User) -> None:
    take_in(film_file(), team)
    patient = _patient("MRN-1")
    hold = place_hold(patient, "Court order 12/2026", actor=admin_user)
    with pytest.raises(UserError, match="legal holds"):
        erase(patient, actor=admin_user)
    assert _patient("MRN-1").name == "Lindqvist^Åsa"
    assert AuditEntry.objects.filter(action="patient.erasure_refused", outcome="refused").exists()
    assert lift_hold(hold, actor=admin_user) and not lift_hold(hold, actor=admin_user)
    erase(patient, actor=admin_user)


def test_only_administrators_erase(team: CareTeam, doctor: User) -> None:
    take_in(film_file(), team)
    with pytest.raises(PermissionError):
        erase(_patient("MRN-1"), actor=doctor)
    assert _patient("MRN-1")


def test_what_stays_names_nobody(team: CareTeam, admin_user: User, patient_user: User) -> None:
    take_in(film_file(), team)
    patient = _patient("MRN-1")
    Patient.objects.filter(pk=patient.pk).update(portal_user=patient_user)
    patient.refresh_from_db()
    record = patient.pk
    erase(patient, actor=admin_user)
    patient_user.refresh_from_db()
    assert patient_user.username.startswith("erased-") and not patient_user.is_active
    entry = AuditEntry.objects.get(action="patient.erased")
    assert entry.patient_ref == record.hex
    assert not UploadedFile.objects.filter(patient=record).exists()
    trail = " ".join(str(row) for row in AuditEntry.objects.values_list())
    assert "Lindqvist" not in trail and "MRN-1" not in trail


def test_an_erased_record_can_come_again_as_a_new_one(team: CareTeam, admin_user: User) -> None:
    take_in(film_file(), team)
    first = _patient("MRN-1").pk
    erase(_patient("MRN-1"), actor=admin_user)
    assert take_in(film_file(), team).instance
    assert _patient("MRN-1").pk != first
    assert settings.DATABASES["keys"]["NAME"] != settings.DATABASES["default"]["NAME"]
