"""QIDO-RS at 1,000 to 1,000,000 studies; ``python -m tests.benchmarks.search SIZE ...`` for other sizes.

A study has one series and one instance; there is a patient for every ten studies, 30,000 at most, all of the doctor's
care team. Every value is sealed and indexed as in life. Each request authenticates, checks access and writes its audit
entry.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import date, timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from apps.accounts.models import CareTeam, Role, User  # noqa: E402
from apps.imaging.models import Study, StudyTokenKind  # noqa: E402
from apps.imaging.study_tokens import tokens  # noqa: E402
from apps.patients.blind_indexes import all_tokens  # noqa: E402
from apps.patients.models import Patient, SearchToken  # noqa: E402
from apps.protection import keyring, keys  # noqa: E402
from tests.benchmarks.table import Row, median_seconds  # noqa: E402

SIZES = (1_000, 100_000)
MAX_PATIENTS = 30_000
BATCH = 5_000
FIRST_DAY = date(2016, 1, 1)
SYLLABLES = ("ba", "ke", "lo", "mi", "nu", "ra", "se", "ti", "vo", "wa", "lin", "ber", "dor", "gus", "hal")
MODALITIES = ("CR", "DX", "CT", "CT", "CT", "US", "US", "MG", "PT", "MR")


def measure(sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Yield a row for each size and query."""
    from django.conf import settings

    if not settings.KEYRING_FILE.exists():
        keyring.write(settings.KEYRING_FILE, keyring.create())
    call_command("migrate", verbosity=0)
    call_command("migrate", database="keys", verbosity=0)
    team = CareTeam.objects.create(name=f"Bench {uuid.uuid4().hex[:8]}")
    doctor = _client(team)
    empty = _client(CareTeam.objects.create(name=f"Empty {uuid.uuid4().hex[:8]}"))
    rng = random.Random(1)
    patients: list[Patient] = []
    stored = 0
    for size in sizes:
        _add_patients(patients, min(max(size // 10, 50), MAX_PATIENTS), team, rng)
        _add_studies(patients, stored, size, rng)
        stored = size
        _analyse()
        for name, path in _queries(patients, size):
            yield _row(size, name, doctor, path)
        yield _row(size, "newest, of a doctor who sees none", empty, "studies?limit=50")


def _row(size: int, name: str, client: APIClient, path: str) -> Row:
    """Wall time, and processor time, which a busy machine does not change."""
    answers, processor = [], []

    def ask() -> None:
        started = time.process_time()
        answers.append(client.get(f"/dicom-web/{path}"))
        processor.append(time.process_time() - started)

    seconds = median_seconds(ask, runs=15)
    assert {answer.status_code for answer in answers} <= {200, 204}, answers[0].content
    rows = len(answers[0].json()) if answers[0].status_code == 200 else 0
    return Row(
        f"QIDO-RS, {connection.vendor}, {size:,} studies, {name}, {rows} results, ms",
        f"{1000 * seconds:.1f}",
        f"CPU: {1000 * statistics.median(processor):.1f}",
    )


def _queries(patients: list[Patient], size: int) -> Iterator[tuple[str, str]]:
    study = Study.objects.select_related("patient").filter(search_tokens__kind="accession").order_by("id")[size // 20]
    name = study.patient.name
    series = study.series.get().series_instance_uid
    yield "newest", "studies?limit=50"
    yield "page 20", "studies?limit=50&offset=950"
    yield "by UID", f"studies?StudyInstanceUID={study.study_instance_uid}"
    yield "by PatientID", f"studies?PatientID={study.patient.mrn}"
    yield "by four letters of the name", f"studies?PatientName={name[:4]}*&limit=25"
    yield "by complete name", f"studies?PatientName={name}"
    yield "by AccessionNumber", f"studies?AccessionNumber={study.headers['accession_number']}"
    yield "by referring physician", "studies?ReferringPhysicianName=Doc7^*&limit=50"
    yield "by modality and month", "studies?ModalitiesInStudy=MR&StudyDate=20200401-20200430&limit=50"
    yield "by a rare modality", "studies?ModalitiesInStudy=XA&limit=50"
    yield "series of a study", f"studies/{study.study_instance_uid}/series"
    yield "instances of a series", f"studies/{study.study_instance_uid}/series/{series}/instances"
    yield "all series by modality", "series?Modality=MR&limit=50"


def _client(team: CareTeam) -> APIClient:
    user = User.objects.create(username=f"bench-{uuid.uuid4().hex[:8]}", role=Role.DOCTOR)
    user.care_teams.add(team)
    client = APIClient()
    client.force_authenticate(user)
    return client


def _word(rng: random.Random) -> str:
    return "".join(rng.choices(SYLLABLES, k=3))


def _add_patients(patients: list[Patient], size: int, team: CareTeam, rng: random.Random) -> None:
    through = Patient.care_teams.through
    while len(patients) < size:
        first = len(patients)
        batch = [
            Patient(mrn=f"P{number:06}", name=f"{_word(rng)}^{_word(rng)}".title(), birth_date=FIRST_DAY, sex="F")
            for number in range(first, min(first + BATCH, size))
        ]
        Patient.objects.bulk_create(batch)
        through.objects.bulk_create(through(patient_id=patient.pk, careteam_id=team.pk) for patient in batch)
        SearchToken.objects.bulk_create(
            SearchToken(patient=patient, kind=kind, token=token, key_id=key_id)
            for patient in batch
            for key_id, pairs in all_tokens(mrn=patient.mrn, issuer=uuid.uuid4().hex, name=patient.name).items()
            for kind, token in pairs
        )
        patients += batch


def _add_studies(patients: list[Patient], first: int, size: int, rng: random.Random) -> None:
    """Insert studies by SQL: the ORM takes ten times as long."""
    physicians = [f"Doc{number}^{_word(rng)}" for number in range(2_000)]
    indexed = {name: list(_word_tokens(name)) for name in physicians}
    study_id = _token(StudyTokenKind.STUDY_ID, "1")
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    keys.warm({patient.key_holder for patient in patients})
    for start in range(first, size, BATCH):
        studies, series, instances, found = [], [], [], []
        for number in range(start, min(start + BATCH, size)):
            pk, series_pk = uuid.uuid4(), uuid.uuid4()
            patient, referrer = rng.choice(patients), rng.choice(physicians)
            modality = "XA" if number % 5_000 == 7 else MODALITIES[number % 10]
            day = FIRST_DAY + timedelta(days=rng.randrange(3_900))
            accession = f"A{number:07}"
            headers = {"accession_number": accession, "study_id": "1", "referring_physician": referrer}
            holder = patient.key_holder
            sealed = keys.seal(holder, json.dumps(headers).encode(), f"imaging_study.headers.{pk}")
            uid = f"2.25.{pk.int}"
            studies.append((pk.hex, uid, patient.pk.hex, day, now, f",{modality},", 0, sealed))
            sealed = keys.seal(holder, b"{}", f"imaging_series.headers.{series_pk}")
            uid = f"2.25.{series_pk.int}"
            series.append((series_pk.hex, pk.hex, uid, modality, 1, True, "", sealed))
            instances.append((uuid.uuid4().hex, series_pk.hex, f"{uid}.1", CT, CT, *INSTANCE, sealed, now))
            pairs = [_token(StudyTokenKind.ACCESSION, accession), study_id, *indexed[referrer]]
            found += [(pk.hex, *pair) for pair in pairs]
        with transaction.atomic(), connection.cursor() as cursor:
            for table, columns, rows in (
                ("imaging_study", STUDY_COLUMNS, studies),
                ("imaging_series", SERIES_COLUMNS, series),
                ("imaging_instance", INSTANCE_COLUMNS, instances),
                ("imaging_studytoken", "study_id, kind, token, key_id", found),
            ):
                marks = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_COLUMNS = "id, study_instance_uid, patient_id, study_date, received_at, modalities, urgency, headers"
SERIES_COLUMNS = "id, study_id, series_instance_uid, modality, number, numbered, body_part, headers"
INSTANCE_COLUMNS = """
    id, series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, pixel_tag, number, numbered, "rows", "columns",
    bits_allocated, frames, photometric, view_position, problem, size, content_digest, received_at
"""
INSTANCE = (0, 1, True, 512, 512, 16, 1, "MONOCHROME2", "", "", 500_000)


def _word_tokens(referrer: str) -> Iterator[tuple[str, str, int]]:
    word = referrer.split("^")[0].casefold()
    yield _token(StudyTokenKind.WORD, word)
    yield _token(StudyTokenKind.LETTERS, word[:4])


def _token(kind: StudyTokenKind, value: str) -> tuple[str, str, int]:
    ((key_id, token),) = tokens(kind, value).items()
    return kind.value, token, key_id


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    for row in measure(tuple(int(size) for size in sys.argv[1:]) or SIZES):
        print(row.line(), flush=True)
