"""The worklist at 1,000 and at 100,000 studies."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.models import CareTeam, Role, User
from apps.imaging.models import Study
from apps.patients.identity import Identity, register
from apps.patients.models import Patient
from apps.protection import keyring, keys
from tests.benchmarks.table import Row, median_seconds, paired_medians
from tests.factories import ACTOR

SIZES = (1_000, 100_000)
PATIENTS = 500


def measure() -> Iterator[Row]:
    from django.conf import settings

    keyring.write(settings.KEYRING_FILE, keyring.create())
    call_command("migrate", verbosity=0)
    call_command("migrate", database="keys", verbosity=0)
    team, other = (CareTeam.objects.create(name=name) for name in ("Bench", "Nobody's"))
    seen = _doctor("bench", team)
    empty = _doctor("empty", other)
    patients = [
        register(Identity(f"B-{number}", name=f"Bench^N{number}"), care_teams=[team], actor=ACTOR)
        for number in range(PATIENTS)
    ]
    first: dict[str, float] = {}
    for size in SIZES:
        _fill(patients, size)
        for name, client, data in (
            ("page", seen, {}),
            ("page filtered by modality CT", seen, {"modality": "CT"}),
            ("search by name", seen, {"search": "N77"}),
            ("page of a doctor who sees none", empty, {}),
        ):
            milliseconds = 1000 * median_seconds(lambda c=client, d=data: c.post("/worklist/", d), runs=7)  # type: ignore[misc]
            limit = first.setdefault(name, milliseconds)
            against = "" if size == SIZES[0] else f"at {SIZES[0]:,}: {limit:.0f}"
            ratio = None if size == SIZES[0] else milliseconds / limit
            yield Row(f"worklist, {size:,} studies, {name}, ms", f"{milliseconds:.0f}", against, ratio)
    yield _beside_plaintext(seen)


def _beside_plaintext(client: Client) -> Row:
    """A page, and the same page if nothing had to be opened: plaintext is looked up in a dictionary."""
    opened: dict[bytes, bytes] = {}
    really = keys.open_sealed

    def learn(holder: str, sealed: bytes, place: str) -> bytes:
        return opened.setdefault(bytes(sealed), really(holder, sealed, place))

    def plain() -> None:
        opens = patch.object(keys, "open_sealed", lambda holder, sealed, place: opened[bytes(sealed)])
        with opens, patch.object(keys, "warm", lambda holders: None):
            client.post("/worklist/")

    with patch.object(keys, "open_sealed", learn):
        client.post("/worklist/")
    sealed, peer = paired_medians(lambda: client.post("/worklist/"), plain, runs=25)
    return Row("worklist page, sealed, ms", f"{1000 * sealed:.1f}", f"plaintext: {1000 * peer:.1f}", sealed / peer)


def _doctor(name: str, team: CareTeam) -> Client:
    user = User.objects.create(username=name, role=Role.DOCTOR)
    user.care_teams.add(team)
    client = Client()
    client.force_login(user)
    return client


def _fill(patients: list[Patient], size: int) -> None:
    now = timezone.now()
    have = Study.objects.count()
    studies = (
        Study(
            study_instance_uid=f"2.25.{uuid.uuid4().int}",
            patient=patients[number % len(patients)],
            study_date=(now - timedelta(days=number % 3000)).date(),
            modalities=",CT," if number % 50 == 0 else ",DX,",
            urgency=int(number % 40 == 0),
            headers={"study_description": "Bench"},
        )
        for number in range(have, size)
    )
    Study.objects.bulk_create(studies, batch_size=2_000)
